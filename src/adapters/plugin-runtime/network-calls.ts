/** The host calls `net-*`: what a run asks of the network, lifted and bounded. */
import { HostCallError, type NetworkCalls } from "../../ports/plugin-runtime.ts";
import type { LiftContext } from "./canonical-abi.ts";
import { type Answer, bulkAnswer, DONE } from "./answers.ts";
import { HOST_CALLS, type HostCallName, flatReader } from "./contract.ts";
import { REPLY } from "./control-block.ts";
import { NET_RECEIVE_BYTES_MAX, NET_WAIT_SECONDS_MAX } from "./limits.ts";

export type NetworkCallName = Extract<HostCallName, `net-${string}`>;

const waitOf = (seconds: number | undefined): number | undefined => {
  if (seconds === undefined) return undefined;
  if (!(seconds >= 0)) throw new HostCallError("value-error", "a time to wait is negative or not a number");
  return seconds > NET_WAIT_SECONDS_MAX ? undefined : seconds;
};

function numberAnswer(value: number): Answer {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return { kind: REPLY.number, bytes };
}

const optionalAnswer = (bytes: Uint8Array | undefined): Answer => (bytes === undefined ? { kind: REPLY.absent } : bulkAnswer(bytes));
const done = (): Answer => DONE;

/** May throw or reject with `HostCallError`. */
export function answerNetworkCall(name: NetworkCallName, from: LiftContext, call: { slots: readonly number[]; network: NetworkCalls }): Answer | Promise<Answer> {
  const { network } = call;
  const flat = flatReader(call.slots);
  switch (name) {
    case "net-resolve": {
      const { host, port } = HOST_CALLS[name].parameters.lift(from, flat);
      return network.resolve(host, port).then(bulkAnswer);
    }
    case "net-open": {
      const { address, port } = HOST_CALLS[name].parameters.lift(from, flat);
      return numberAnswer(network.open(address, port));
    }
    case "net-open-tls":
      return numberAnswer(network.openTls(HOST_CALLS[name].parameters.lift(from, flat).settings));
    case "net-start-tls": {
      const { connection, settings } = HOST_CALLS[name].parameters.lift(from, flat);
      network.startTls(connection, settings);
      return DONE;
    }
    case "net-send": {
      const { connection, data, wait } = HOST_CALLS[name].parameters.lift(from, flat);
      return network.send(connection, data, waitOf(wait)).then(numberAnswer);
    }
    case "net-receive": {
      const { connection, bytesMax, wait } = HOST_CALLS[name].parameters.lift(from, flat);
      return network.receive(connection, Math.min(bytesMax, NET_RECEIVE_BYTES_MAX), waitOf(wait)).then(optionalAnswer);
    }
    case "net-wait": {
      const { interests, wait } = HOST_CALLS[name].parameters.lift(from, flat);
      return network.wait(interests, waitOf(wait)).then(bulkAnswer);
    }
    case "net-describe":
      return bulkAnswer(network.describe(HOST_CALLS[name].parameters.lift(from, flat).connection));
    case "net-close": {
      const { connection, direction } = HOST_CALLS[name].parameters.lift(from, flat);
      network.close(connection, direction);
      return DONE;
    }
    case "net-feed": {
      const { connection, data } = HOST_CALLS[name].parameters.lift(from, flat);
      return network.feed(connection, data).then(done);
    }
    case "net-drain":
      return network.drain(HOST_CALLS[name].parameters.lift(from, flat).connection).then(bulkAnswer);
  }
}
