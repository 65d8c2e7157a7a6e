import { describe, expect, it } from "vitest";
import { endProcess } from "./end-process.ts";

/** What happened to a process with these resources in use. */
function end(status: number, resources: string[] | undefined): string[] {
  const happened: string[] = [];
  const fake = {
    pid: 7,
    exit: (code: number) => void happened.push(`exit ${code}`),
    kill: (pid: number, signal: string) => happened.push(`kill ${pid} ${signal}`) > 0,
    removeAllListeners: (signal: string) => void happened.push(`unheard ${signal}`),
    ...(resources === undefined ? {} : { getActiveResourcesInfo: () => resources }),
  };
  endProcess(status, fake as unknown as Parameters<typeof endProcess>[1]);
  return happened;
}

describe("the end of the process", () => {
  it.each([[["Timeout", "TCPSocketWrap"], 0], [["GetAddrInfoReqWrap"], 2], [undefined, 130]] as const)("with %j and status %i is an exit", (resources, status) => {
    expect(end(status, resources === undefined ? undefined : [...resources])).toEqual([`exit ${status}`]);
  });

  it.each([[0, "SIGTERM"], [130, "SIGINT"]] as const)("with a lookup under way and status %i is %s", (status, signal) => {
    expect(end(status, ["Timeout", "GetAddrInfoReqWrap"]).slice(0, 2)).toEqual([`unheard ${signal}`, `kill 7 ${signal}`]);
  });
});
