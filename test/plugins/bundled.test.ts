// Goal: the bundled plugins do what their READMEs say. Method: each brings its own cases, which run through the real
// interpreter of one real server; expected lines are worked out by hand from the input.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { deadmanCheckCases } from "../../plugins/deadman_check/test/cases.ts";
import { downsamplerCases } from "../../plugins/downsampler/test/cases.ts";
import { ingestCases } from "../../plugins/ingest/test/cases.ts";
import { schemaValidatorCases } from "../../plugins/schema_validator/test/cases.ts";
import { systemMetricsCases } from "../../plugins/system_metrics/test/cases.ts";
import { thresholdAlertCases } from "../../plugins/threshold_alert/test/cases.ts";
import { tutorialCases } from "../../plugins/tutorial/test/cases.ts";
import { closeServer, dropDatabases, openServer, request, send } from "../conformance/plugins/harness.ts";

beforeAll(openServer);
afterAll(closeServer);
afterEach(dropDatabases);

tutorialCases();
systemMetricsCases();
downsamplerCases();
thresholdAlertCases();
deadmanCheckCases();
schemaValidatorCases();
ingestCases();

const FOLDER = new URL("../../plugins/", import.meta.url);
const read = (name: string): string => readFileSync(new URL(name, FOLDER), "utf8");
const NAMES = readdirSync(FOLDER);

describe("every bundled plugin", () => {
  it.each(NAMES)("%s has a manifest of its name, whose entry points its files define, a README and cases", async (name) => {
    const manifest = JSON.parse((await request(`import json, tomllib\nreturn json.dumps(tomllib.loads(${JSON.stringify(read(`${name}/manifest.toml`))}))`)).body) as {
      manifest_schema_version: string;
      plugin: { name: string; version: string; description: string; triggers: string[] };
    };
    expect(manifest).toMatchObject({ manifest_schema_version: "1.2", plugin: { name, version: expect.stringMatching(/^\d+\.\d+\.\d+$/), description: expect.stringMatching(/.{20}/) } });
    const sources = readdirSync(new URL(`${name}/`, FOLDER)).filter((file) => file.endsWith(".py")).map((file) => read(`${name}/${file}`));
    const defined = sources.flatMap((source) => [...source.matchAll(/^def (process_\w+)\(/gm)].map((match) => match[1]));
    expect([...new Set(defined)].sort()).toEqual([...manifest.plugin.triggers].sort());
    expect(read(`${name}/README.md`)).toContain(`# ${name}\n`);
    expect(existsSync(new URL(`${name}/test/cases.ts`, FOLDER))).toBe(true);
  });

  it.each(NAMES)("%s documents every argument that its files read", (name) => {
    const readme = read(`${name}/README.md`);
    for (const file of readdirSync(new URL(`${name}/`, FOLDER)).filter((entry) => entry.endsWith(".py"))) {
      const header = JSON.parse(/^"""\n([^]*?)\n"""/.exec(read(`${name}/${file}`))?.[1] ?? "null") as Record<string, { name: string }[] | string[]>;
      expect(header["plugin_type"]).toBeDefined();
      const listed = Object.entries(header).filter(([key]) => key.endsWith("_args_config")).flatMap(([, config]) => (config as { name: string }[]).map((item) => item.name));
      for (const argument of listed.filter(() => name !== "tutorial")) expect(readme).toContain(`\`${argument}\``);
    }
  });

  it("the tutorial's name of system_metrics makes a trigger", async () => {
    const trigger = { db: "conformance", trigger_name: "moved", plugin_filename: "gh:examples/schedule/system_metrics/system_metrics.py", trigger_specification: "every:1d", trigger_settings: { run_async: false, error_behavior: "log" }, disabled: false };
    await send("POST", "/api/v3/configure/database", { db: "conformance" });
    expect(await send("POST", "/api/v3/configure/processing_engine_trigger", trigger)).toMatchObject({ status: 200 });
    await send("DELETE", "/api/v3/configure/processing_engine_trigger", { db: "conformance", trigger_name: "moved", force: true });
  });
});
