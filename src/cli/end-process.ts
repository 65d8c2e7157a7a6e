/** The end of the process, which nothing that a plugin left behind may put off. */
import process from "node:process";

/** As Node names a name lookup that is under way. */
const LOOKUP = "GetAddrInfoReqWrap";
/** Shells show the one as the other. */
const SIGNALS: ReadonlyMap<number, NodeJS.Signals> = new Map([[0, "SIGTERM"], [130, "SIGINT"]]);

type EndedProcess = Pick<NodeJS.Process, "pid" | "exit" | "kill" | "removeAllListeners"> & Partial<Pick<NodeJS.Process, "getActiveResourcesInfo">>;

/**
 * Ends with this status. `process.exit` waits for lookups (libuv joins its threads), so a silent name server would hold a
 * server that has closed for 10 s: then it ends as by the signal that it was asked with, which needs no thread.
 */
export function endProcess(status: number, ended: EndedProcess = process): never {
  const signal = SIGNALS.get(status);
  if (signal !== undefined && ended.getActiveResourcesInfo?.().includes(LOOKUP) === true) {
    ended.removeAllListeners(signal);
    ended.kill(ended.pid, signal);
  }
  return ended.exit(status);
}
