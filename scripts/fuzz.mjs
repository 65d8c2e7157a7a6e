// `npm run test:fuzz -- [--inputs N] [--seed S]`: the fuzz tests with as many inputs as wanted; every seed gives others.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const { values } = parseArgs({ options: { inputs: { type: "string", default: "1000000" }, seed: { type: "string", default: "1" } } });
const { status } = spawnSync("npx", ["vitest", "run", "test/fuzz"], {
  cwd: fileURLToPath(new URL("..", import.meta.url)),
  stdio: "inherit",
  env: { ...process.env, FUZZ_INPUTS: values.inputs, FUZZ_SEED: values.seed },
});
process.exit(status ?? 1);
