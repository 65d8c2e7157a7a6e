/** Entry of the `influxdb3` and `tidemark` commands: the real terminal, `.env`, and the exit status. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { messageOf } from "../core/errors/database-error.ts";
import { endProcess } from "./end-process.ts";
import { parseEnvFile } from "./env-file.ts";
import { nodeTerminal } from "./node-terminal.ts";
import { run } from "./run.ts";

/** The nearest `.env`, from the working folder upwards. Ends the process when it cannot be read (spec: cli §1). */
function loadEnvFile(): ReadonlyMap<string, string> {
  const path = findUpwards(process.cwd(), ".env");
  if (path === undefined) return new Map();
  const values = parseEnvFile(readText(path));
  if (values === undefined) return fatal(path, "a line is not of the form NAME=value");
  return values;
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    return fatal(path, messageOf(error));
  }
}

function fatal(path: string, reason: string): never {
  process.stderr.write(`FATAL Error loading config from: ${path}\nhint: ${reason}\n`);
  process.exit(1);
}

function findUpwards(from: string, name: string): string | undefined {
  for (let folder = from; ; folder = dirname(folder)) {
    const path = join(folder, name);
    if (existsSync(path)) return path;
    if (dirname(folder) === folder) return undefined;
  }
}

// A reader that went away (`influxdb3 query … | head`) is no failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1));

// Not waiting for idle connections: their keep-alive would hold the process for seconds.
endProcess(await run(process.argv.slice(2), nodeTerminal(loadEnvFile())));
