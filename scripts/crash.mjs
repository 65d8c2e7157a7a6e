// `npm run test:crash -- --rounds N [--seed S]`: kills a real server N times and checks what it kept.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const { values } = parseArgs({ options: { rounds: { type: "string", default: "10" }, seed: { type: "string" } } });
if (!/^[1-9]\d*$/.test(values.rounds) || (values.seed !== undefined && !/^\d+$/.test(values.seed))) {
  process.stderr.write("usage: npm run test:crash -- --rounds N [--seed S]\n");
  process.exit(2);
}
const root = fileURLToPath(new URL("..", import.meta.url));
const vitest = fileURLToPath(new URL("../node_modules/vitest/vitest.mjs", import.meta.url));
const env = { ...process.env, CRASH_ROUNDS: values.rounds, ...(values.seed === undefined ? {} : { CRASH_SEED: values.seed }) };
process.exit(spawnSync(process.execPath, [vitest, "run", "test/crash"], { cwd: root, env, stdio: "inherit" }).status ?? 1);
