/** `create trigger`: packages that the plugin needs and the server does not have (issue 7 part 6; ours). */
import { describe, expect, it } from "vitest";
import { DatabaseError } from "../../src/core/errors/database-error.ts";
import { influxdb3, session } from "./fake-terminal.ts";

const CREATE = "create trigger t -d db --trigger-spec all_tables --path p.py";
const LIST = "The plugin needs packages that are not installed:\n  requests>=2\n  idna>=3 (2.0 is installed)\n";
const COMMAND = "influxdb3 install package 'requests>=2' 'idna>=3'";
const CREATED = "Trigger t created successfully\n";

function missing(given: { readonly stdin?: string; readonly isTerminal?: boolean; readonly refusal?: string } = {}): ReturnType<typeof session> {
  const { refusal, ...terminal } = given;
  const on = Object.assign(session(), { stdin: "" }, terminal);
  on.world.needed = { missing: [{ requirement: "requests>=2", installed: undefined }, { requirement: "idna>=3", installed: "2.0" }], command: COMMAND, refusal, problems: [] };
  return on;
}
const called = (on: ReturnType<typeof session>): string[] => on.world.calls.map(([name]) => name);

describe("packages that a plugin needs", () => {
  it("are listed with the command that installs them, and the trigger is created", async () => {
    const on = missing();
    expect(await influxdb3(CREATE, on)).toEqual({ status: 0, stdout: CREATED, stderr: `${LIST}Install them with --install, or later: ${COMMAND}\n` });
    expect(called(on)).not.toContain("installFor");
  });

  it("are installed first with --install", async () => {
    const on = missing();
    expect(await influxdb3(`${CREATE} --install`, on)).toEqual({ status: 0, stdout: CREATED, stderr: `${LIST}Installed a 1.0\n` });
    expect(called(on).indexOf("installFor")).toBeLessThan(called(on).indexOf("createTrigger"));
  });

  it("that cannot be installed leave no trigger", async () => {
    const on = missing();
    on.world.failures.set("installFor", new DatabaseError("package.conflict", { message: "requests 3 cannot run in a plugin: why" }));
    const { status, stderr } = await influxdb3(`${CREATE} --install`, on);
    expect([status, stderr]).toEqual([1, expect.stringContaining("requests 3 cannot run in a plugin: why")]);
    expect(called(on)).not.toContain("createTrigger");
  });

  it("are installed after a yes on a terminal, and not after a no", async () => {
    const question = `${LIST}Install them now? Enter 'yes' or 'y' to install; anything else creates the trigger without them\n`;
    const willing = missing({ stdin: "y\n", isTerminal: true });
    willing.env["NO_COLOR"] = "1";
    expect(await influxdb3(CREATE, willing)).toMatchObject({ status: 0, stderr: `${question}Installed a 1.0\n` });
    const other = missing({ stdin: "n\n", isTerminal: true });
    other.env["NO_COLOR"] = "1";
    expect(await influxdb3(CREATE, other)).toMatchObject({ status: 0, stdout: CREATED, stderr: `${question}Install them later: ${COMMAND}\n` });
    expect(called(other)).not.toContain("installFor");
  });

  it("where installing is disabled the server's sentence is shown, and with --install there is no trigger", async () => {
    const refusal = "Package installation has been disabled. Contact your administrator for more information.";
    expect(await influxdb3(CREATE, missing({ refusal }))).toEqual({ status: 0, stdout: CREATED, stderr: `${LIST}${refusal}\n` });
    const on = missing({ refusal });
    expect(await influxdb3(`${CREATE} --install`, on)).toMatchObject({ status: 1, stderr: expect.stringContaining(refusal) });
    expect(called(on)).not.toContain("createTrigger");
  });

  it("of a plugin that is uploaded are read beside it, with what its requirements include", async () => {
    const on = session();
    on.files.set("/here/pkg/__init__.py", "x").set("/here/pkg/requirements.txt", "a\n-r base.txt\n-r ../secret.txt\n").set("/here/pkg/base.txt", "b").set("/here/secret.txt", "c");
    expect(await influxdb3("create trigger t -d db --trigger-spec all_tables --upload --path pkg", on)).toMatchObject({ status: 0 });
    expect(on.world.neededFor[0]).toEqual({ files: new Map([["requirements.txt", "a\n-r base.txt\n-r ../secret.txt\n"], ["base.txt", "b"]]) });
  });
});
