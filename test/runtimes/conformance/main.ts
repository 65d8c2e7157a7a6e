/** Runs the conformance cases in the process of a runtime, over its HTTP server; prints a `Run` as one line of JSON. */
import { startTests, type Suite, type Task, type VitestRunnerConfig } from "@vitest/runner";
import { chooseServer, HttpTransport, type OverHttp } from "../../conformance/http/over-http.ts";
import { useTransport } from "../../conformance/http/transport.ts";

export interface Run {
  readonly outcomes: readonly Outcome[];
  /** Requests and answers, in the order of the cases. */
  readonly transcript: readonly string[];
}

export interface Outcome {
  readonly name: string;
  /** Undefined: it passed. */
  readonly error: string | undefined;
}

const [server, ...files] = process.argv.slice(2);
const transport = new HttpTransport({ server: server as OverHttp["server"], mount: "raw" });
useTransport(transport);
chooseServer(server as OverHttp["server"]);

const CONFIG: VitestRunnerConfig = {
  root: import.meta.dirname,
  setupFiles: [],
  name: undefined,
  passWithNoTests: false,
  testNamePattern: undefined,
  allowOnly: false,
  sequence: { seed: 0, hooks: "stack", setupFiles: "list" },
  chaiConfig: undefined,
  maxConcurrency: 1,
  testTimeout: 10_000,
  hookTimeout: 10_000,
  retry: 0,
  includeTaskLocation: undefined,
  tags: [],
  tagsFilter: undefined,
  strictTags: false,
};

function* outcomes(task: Task, path: string): Generator<Outcome> {
  const name = path === "" ? task.name : `${path} > ${task.name}`;
  if (task.type === "test") {
    const error = task.result?.errors?.map(({ message, diff }) => [message, diff].filter((text) => text !== undefined).join("\n")).join("\n");
    yield { name, error: task.result?.state === "pass" ? undefined : (error ?? `It ended as ${task.result?.state ?? "not run"}`) };
    return;
  }
  if (task.result?.errors !== undefined) yield { name, error: task.result.errors.map(({ message }) => message).join("\n") };
  for (const inner of (task as Suite).tasks) yield* outcomes(inner, name);
}

const run = await startTests(files, { config: CONFIG, importFile: (path) => import(path) as Promise<unknown> });
await transport.close();
const result: Run = { outcomes: run.flatMap((file) => [...outcomes(file, "")]), transcript: transport.transcript };
process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0));
