/** Local servers for plugins that attack over the network. */
import type { Socket } from "node:net";
import { identity, type LocalServer, serveSockets, serveTls } from "./network.ts";

export interface HostilePeers {
  /** What a plugin is told: ports by what their servers do. */
  readonly ports: Readonly<Record<"floods" | "silent" | "echo" | "slow", string>>;
  readonly grants: readonly string[];
  close(): Promise<void>;
}

const CHUNK = Buffer.alloc(65_536, "x");
/** Far more than a connection holds; the rest would fill the system's buffers only, on the thread of the test that measures. */
const FLOOD_CHUNKS = 16;

function flood(socket: Socket): void {
  let left = FLOOD_CHUNKS;
  const more = (): void => {
    while (!socket.destroyed && left-- > 0 && socket.write(CHUNK));
  };
  socket.on("drain", more).resume();
  more();
}

/** `slow`: its TLS takes a client's whole processor for most of a second. */
export async function hostilePeers(): Promise<HostilePeers> {
  const servers: LocalServer[] = await Promise.all([
    serveSockets(flood), serveSockets((socket) => void socket.resume()),
    serveTls(identity("server"), (socket) => socket.pipe(socket)), serveTls({ ...identity("server"), ecdhCurve: "ffdhe8192" }, (socket) => socket.pipe(socket)),
  ]);
  const [floods = "", silent = "", echo = "", slow = ""] = servers.map(({ port }) => String(port));
  return {
    ports: { floods, silent, echo, slow },
    grants: servers.map(({ port }) => `127.0.0.1:${port}`),
    close: async () => void (await Promise.all(servers.map((server) => server.close()))),
  };
}
