/** The network of a trigger's run: what became of its connections is counted, and logged at level debug. */
import { type ConnectionRecord, RunNetwork } from "./run-network.ts";
import type { RunAccess } from "./run-access.ts";
import type { RunMeter } from "./run-limits.ts";
import type { Run } from "./runs.ts";
import { logRow, type ProcessingServices, type TriggerContext } from "./services.ts";

type NetworkServices = Pick<ProcessingServices, "network" | "clock" | "connections" | "access">;

export interface NetworkOwner {
  readonly run: Run;
  readonly access: RunAccess;
  readonly meter: RunMeter;
}

export function openRunNetwork({ network, clock, connections, access: server }: NetworkServices, { run, access, meter }: NetworkOwner, onClosed: (record: ConnectionRecord) => void): RunNetwork {
  return new RunNetwork({
    network: network.ofRun(run.triggerKey), clock, access, meter, onClosed,
    begin: () => connections.begin(),
    end: (number) => connections.end(number),
    // Only of connections to this server: the same own end may at the same time lead elsewhere.
    onConnected: (local, remote) => (server.isSelf(...remote) ? connections.connected(local, run) : undefined),
  });
}

/** To be ended with the run. */
export function openTriggerNetwork(services: ProcessingServices, context: TriggerContext, owner: NetworkOwner): RunNetwork {
  const { statistics, definition, databaseName } = context;
  return openRunNetwork(services, owner, (record) => {
    if (record.address !== undefined) {
      statistics.connections += 1;
      statistics.networkBytesSent += record.bytesSent;
      statistics.networkBytesReceived += record.bytesReceived;
    }
    const text = connectionText(record);
    const { address, port, host, bytesSent, bytesReceived, durationMs, error } = record;
    services.log.log("debug", `A plugin's ${text}`, {
      trigger: definition.name, database: databaseName, run: owner.run.id, address, port, host,
      bytes_sent: bytesSent, bytes_received: bytesReceived, duration_ms: Math.round(durationMs), error: error?.code,
    });
    if (services.logsConnections) logRow(services, context, "DEBUG", text, { runId: owner.run.id });
  });
}

/** `connection to example.org (192.0.2.1:443): 100 bytes sent, 200 received in 30 ms`. */
export function connectionText({ address, port, host, bytesSent, bytesReceived, durationMs, error }: ConnectionRecord): string {
  const end = address === undefined ? undefined : `${address.includes(":") ? `[${address}]` : address}:${port}`;
  const place = end === undefined ? "TLS within another connection" : host === undefined ? `connection to ${end}` : `connection to ${host} (${end})`;
  const failure = error === undefined ? "" : `; it failed: ${error.code} ${error.message}`;
  return `${place}: ${bytesSent} bytes sent, ${bytesReceived} received in ${Math.round(durationMs)} ms${failure}`;
}
