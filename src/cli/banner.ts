/** The few lines that a server says once it listens: where it is, where things are, what to type next. */
import { isLoopback } from "../core/config/bind-address.ts";
import type { ServeConfig } from "../core/config/serve-config.ts";
import { TIDEMARK_VERSION } from "../core/version.ts";

export interface BannerFacts {
  readonly url: string;
  readonly startMs: number;
  /** False: the first admin token is still to be made. */
  readonly hasTokens: boolean;
  /** How to call the command line, such as `npx influxdb3`. */
  readonly program: string;
}

const DEFAULT_URL = "http://127.0.0.1:8181";

export function banner(config: ServeConfig, { url, startMs, program, hasTokens }: BannerFacts): string {
  const reach = [
    ...(isLoopback(config.bind.host) ? ["this machine only"] : []),
    config.authentication === "tokens" ? "every request needs a token" : "no authentication",
  ].join(", ");
  const data = describeStore(config.objectStore);
  const reachable = url.replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//127.0.0.1:");
  const host = reachable === DEFAULT_URL ? "" : ` --host ${reachable}`;
  return [
    "",
    `Tidemark ${TIDEMARK_VERSION} is ready (${Math.round(startMs)} ms)`,
    "",
    `  listens on  ${url}  (${reach})`,
    `  data        ${data}`,
    `  plugins     ${config.pluginDir ?? "the bundled ones"}`,
    "",
    "Next, in a second terminal:",
    "",
    ...(config.authentication === "tokens" ? tokenLines(hasTokens, program, host) : []),
    `  ${program} create database my_database${host}`,
    `  ${program} create trigger --trigger-spec "table:home" --path tutorial/process_writes.py --database my_database first_light${host}`,
    `  ${program} write --database my_database 'home,room=kitchen temp=21.5,hum=40i'${host}`,
    `  ${program} query --database my_database 'SELECT * FROM processed_data'${host}`,
    "",
    "Ctrl-C stops the server.",
    "",
    "",
  ].join("\n");
}

function describeStore(store: ServeConfig["objectStore"]): string {
  if (store.kind === "memory") return "in memory, gone when the server stops";
  if (store.kind === "file") return store.dataDir;
  const local = store.walInStore ? "WAL too" : `WAL in ${store.dataDir}`;
  return `bucket '${store.s3.bucket}' at ${new URL(store.s3.endpoint).origin} (${local})`;
}

/** The first thing to do on a server that answers nothing else. */
function tokenLines(hasTokens: boolean, program: string, host: string): readonly string[] {
  return [...(hasTokens ? [] : [`  ${program} create token --admin${host}`]), "  export INFLUXDB3_AUTH_TOKEN=apiv3_…      # your token"];
}
