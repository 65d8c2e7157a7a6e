/** No network: for tests and benchmarks that are about something else. */
import { NetworkError, type PluginNetwork } from "../ports/plugin-network.ts";
import { HostCallError, type NetworkCalls } from "../ports/plugin-runtime.ts";

const unreachable = (): never => {
  throw new NetworkError("ENETUNREACH", "Network is unreachable");
};

export const noNetwork: PluginNetwork = { ofRun: () => ({ resolve: async () => unreachable(), connect: unreachable, createTlsEngine: unreachable }) };

const refuse = (): never => {
  throw new HostCallError("network-error", "ENETUNREACH Network is unreachable");
};
const refuseLater = async (): Promise<never> => refuse();

export const noNetworkCalls: NetworkCalls = {
  resolve: refuseLater, open: refuse, openTls: refuse, startTls: refuse, send: refuseLater, receive: refuseLater, wait: refuseLater,
  describe: refuse, close: refuse, feed: refuseLater, drain: refuseLater,
};
