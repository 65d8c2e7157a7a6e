/** `create trigger` and `update trigger`: limits, grants, what a manifest asks for (spec: cli §4, §8). */
import { describe, expect, it } from "vitest";
import { influxdb3, session } from "./fake-terminal.ts";

const done = (stdout: string): object => ({ status: 0, stdout, stderr: "" });

describe("limits and grants of a trigger", () => {
  const CREATE = "create trigger t -d db --trigger-spec all_tables --path p.py";
  const created = (on: ReturnType<typeof session>): unknown => on.world.calls.find(([name]) => name === "createTrigger")?.[1];

  it("are passed as they are given", async () => {
    const on = session();
    await influxdb3(`${CREATE} --limit time=5s,memory=64mb --allow-net example.org:443,self --allow-env KEY --allow-scratch 16mb --allow-sys cpu,disk --allow-db other`, on);
    expect(created(on)).toMatchObject({
      limits: { time: 5_000, memory: 67_108_864 },
      grants: { net: ["example.org:443", "self"], env: ["KEY"], scratch: 16_777_216, sys: ["cpu", "disk"], db: ["other"] },
    });
  });

  it.each([
    ["--limit speed=1", "There is no limit 'speed'"], ["--limit time=soon", "'soon' cannot be the limit 'time'"], ["--allow-env *", "'*' cannot be granted by --allow-env"],
    ["--allow-net http://x", "'http://x' cannot be granted by --allow-net"], ["--limit time", "key=value"],
  ])("refuse %s before anything is sent", async (flags, text) => {
    const on = session();
    const { status, stderr } = await influxdb3(`${CREATE} ${flags}`, on);
    expect([status, stderr.includes(text), on.requests.length]).toEqual([2, true, 0]);
  });

  it("that a manifest asks for are shown, and given after a yes on a terminal", async () => {
    const on = Object.assign(session(), { stdin: "y\n", isTerminal: true });
    on.world.askedGrants = { net: ["api.example.org:443"], sys: ["cpu"] };
    const { status, stderr } = await influxdb3(`${CREATE} --allow-sys none`, on);
    expect(status).toBe(0);
    expect(stderr).toBe("The plugin's manifest asks for:\n  --allow-net api.example.org:443\nGrant this? Enter 'yes' or 'y' to confirm\n");
    expect(created(on)).toMatchObject({ grants: { net: ["api.example.org:443"], sys: [] } });
  });

  it("that a manifest asks for are not given after a no, nor without a terminal", async () => {
    for (const given of [{ stdin: "n\n", isTerminal: true }, { stdin: "yes\n", isTerminal: false }]) {
      const on = Object.assign(session(), given);
      on.env["NO_COLOR"] = "1";
      on.world.askedGrants = { net: ["api.example.org:443"] };
      const { status, stderr } = await influxdb3(CREATE, on);
      expect(status).toBe(1);
      expect(stderr).toContain("hint: pass --accept-grants, or say yourself what it may have: --allow-net api.example.org:443");
      expect(created(on)).toBeUndefined();
    }
  });

  it("that a manifest asks for are given by --accept-grants, also from a folder that is uploaded", async () => {
    const on = Object.assign(session(), { stdin: "" });
    on.files.set("/here/pkg/__init__.py", "x");
    on.files.set("/here/pkg/manifest.toml", '[grants]\nscratch = "1mb"\n');
    expect(await influxdb3("create trigger t -d db --trigger-spec all_tables --upload --path pkg --accept-grants", on)).toMatchObject({ status: 0 });
    expect(created(on)).toMatchObject({ grants: { scratch: 1_048_576 } });
    expect(on.world.calls.filter(([name]) => name === "createPluginFile").map(([, name]) => name)).toEqual(["pkg/__init__.py", "pkg/manifest.toml"]);
  });

  it("that its code is likely to need are asked for on a terminal; the trigger is created after a no, too", async () => {
    for (const [stdin, grants] of [["y\n", { sys: ["cpu", "memory"] }], ["n\n", undefined]] as const) {
      const on = Object.assign(session(), { stdin, isTerminal: true });
      on.world.likelyGrants = { sys: ["cpu", "memory"] };
      const { status, stderr } = await influxdb3(CREATE, on);
      expect([status, stderr]).toEqual([0, "The plugin's code is likely to need:\n  --allow-sys cpu,memory\nGrant this? Enter 'yes' or 'y' to confirm\n"]);
      expect((created(on) as { grants?: object }).grants).toEqual(grants);
    }
  });

  it("that its code is likely to need are only named without a terminal, given by --accept-grants, and not asked for beside a flag", async () => {
    const quiet = Object.assign(session(), { stdin: "" });
    quiet.world.likelyGrants = { sys: ["cpu"] };
    expect(await influxdb3(CREATE, quiet)).toMatchObject({ status: 0, stderr: "The plugin's code is likely to need:\n  --allow-sys cpu\nIt is not granted: pass --accept-grants, or the flag itself, also to update trigger later\n" });
    expect((created(quiet) as { grants?: object }).grants).toBeUndefined();
    const accepted = session();
    accepted.world.likelyGrants = { sys: ["cpu"] };
    await influxdb3(`${CREATE} --accept-grants`, accepted);
    expect(created(accepted)).toMatchObject({ grants: { sys: ["cpu"] } });
    const own = session();
    own.world.likelyGrants = { sys: ["cpu"] };
    expect(await influxdb3(`${CREATE} --allow-sys none`, own)).toMatchObject({ status: 0, stderr: "" });
  });

  it("change by update trigger; default goes back", async () => {
    const on = session();
    expect(await influxdb3("update trigger -d db -t t --limit time=2m,memory=default --allow-db default --allow-net none", on)).toEqual(done("Trigger 't' updated successfully\n"));
    expect(on.world.calls).toEqual([
      ["updateTrigger", { database: "db", triggerName: "t", limits: { time: 120_000, memory: undefined }, grants: { db: undefined, net: [] } }],
    ]);
    expect((await influxdb3("update trigger -d db -t t", on)).stderr).toContain("Nothing to update");
    on.files.set("/here/a/one.py", "print(1)");
    await influxdb3("update trigger -d db -t t --path a/one.py", on);
    expect(on.world.calls.at(-1)).toEqual(["updatePluginFile", "t", new TextEncoder().encode("print(1)")]);
  });

  it("a folder is replaced as a whole (cli §8)", async () => {
    const on = session();
    on.files.set("/here/pkg/__init__.py", "i").set("/here/pkg/sub/x.toml", "x");
    expect(await influxdb3("update trigger -d db -t t --path pkg", on)).toEqual(done("Trigger 't' updated successfully (atomic directory replacement)\n"));
    expect(on.world.calls).toEqual([["updatePluginFolder", "t", new Map([["__init__.py", new TextEncoder().encode("i")], ["sub/x.toml", new TextEncoder().encode("x")]])]]);
    expect((await influxdb3("update trigger -d db -t t --path nowhere", on)).stderr).toContain("Path does not exist: nowhere");
  });

  it("are shown by show triggers", async () => {
    const on = session();
    on.world.rows = [["t", "time=5s"]];
    expect((await influxdb3("show triggers -d db --format csv", on)).stdout).toContain("time=5s");
  });
});
