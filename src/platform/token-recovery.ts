/** Opens the listener for a lost operator token, and closes it after its one use. */
import { formatBindAddress, isLoopback, type BindAddress } from "../core/config/bind-address.ts";
import { messageOf } from "../core/errors/database-error.ts";
import { createTokenRecovery, type TokenRecoveryOptions } from "../http/token-recovery.ts";
import type { HttpListener, TlsIdentity } from "../ports/http-listener.ts";
import type { LogSink } from "../ports/log-sink.ts";
import { listen } from "./listen.ts";

/** The request has no body. */
const BODY_SIZE_MAX = 1_024;

export interface TokenRecoveryParts {
  readonly tokens: TokenRecoveryOptions["tokens"];
  readonly log: LogSink;
  readonly tls: TlsIdentity | undefined;
}

export async function openTokenRecovery(bind: BindAddress, { tokens, log, tls }: TokenRecoveryParts): Promise<HttpListener> {
  const isLocal = isLoopback(bind.host);
  const recover = createTokenRecovery({ tokens, localCallersOnly: isLocal, onUsed: () => {
    log.log("warn", "The operator token was replaced without one, over the recovery address, which is closed now");
    listener.close().catch((error: unknown) => log.log("error", `Closing the recovery address failed: ${messageOf(error)}`));
  } });
  const listener = await listen({ ...bind, fetch: recover, bodySizeMax: BODY_SIZE_MAX, ...(tls === undefined ? {} : { tls }) });
  log.log("warn", `Whoever reaches ${formatBindAddress(listener)} may replace the operator token, once: run 'influxdb3 create token --admin --regenerate --host ${tls === undefined ? "http" : "https"}://${formatBindAddress(listener)}'`);
  return listener;
}
