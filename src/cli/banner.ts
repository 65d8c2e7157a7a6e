/** The few lines that a server says once it listens: where it is, where things are, what to type next. */
import { isLoopback } from "../core/config/bind-address.ts";
import type { ServeConfig } from "../core/config/serve-config.ts";
import { TIDEMARK_VERSION } from "../core/version.ts";

export interface BannerFacts {
  readonly url: string;
  readonly startMs: number;
  /** How to call the command line, such as `npx influxdb3`. */
  readonly program: string;
}

const DEFAULT_URL = "http://127.0.0.1:8181";

export function banner(config: ServeConfig, { url, startMs, program }: BannerFacts): string {
  const reach = isLoopback(config.bind.host) ? "this machine only, no authentication" : "no authentication";
  const data = describeStore(config.objectStore);
  const host = url === DEFAULT_URL ? "" : ` --host ${url}`;
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
