/** Where a server can run: each runtime with its own HTTP server, and Node with uWebSockets.js where its optional binary fits the machine. */
import { loadUws } from "../../src/adapters/http-node/uws-module.ts";
import type { RuntimeName } from "./server.ts";

export interface Place {
  readonly name: string;
  readonly runtime: RuntimeName;
  readonly transport: "own" | "uws";
  /** Of `serve`. */
  readonly flags: readonly string[];
}

const uws = await loadUws();
const OWN = (["node", "deno", "bun"] as const).map((runtime): Place => ({ name: runtime, runtime, transport: "own", flags: [] }));
export const PLACES: readonly Place[] = [...OWN, ...(typeof uws === "string" ? [] : [{ name: "node with uWebSockets.js", runtime: "node", transport: "uws", flags: ["--http-transport", "uws"] } as const])];
