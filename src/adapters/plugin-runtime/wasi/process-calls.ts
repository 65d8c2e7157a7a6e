/** Environment, clocks, entropy, waiting and leaving. Sockets do not exist here. */
import { encodeText } from "../guest-memory.ts";
import { POLL_SUBSCRIPTIONS_MAX, TIMER_MS_MAX } from "../limits.ts";
import { CLOCK, ERRNO, EVENT, GuestExit, WasiError } from "./preview1.ts";
import type { WasiFunctions, WasiOptions, WasiState } from "./state.ts";

const RANDOM_CHUNK_BYTES = 65_536;
const SUBSCRIPTION_BYTES = 48;
const EVENT_BYTES = 32;

export function processCalls(state: WasiState): WasiFunctions {
  const { memory, options } = state;
  const environment = [...options.environment].map(([name, value]) => encodeText(`${name}=${value}\0`));
  const writeSizes = (countOut: number, bytesOut: number, texts: readonly Uint8Array[]): void => {
    memory.view(countOut >>> 0, 4).setUint32(countOut >>> 0, texts.length, true);
    memory.view(bytesOut >>> 0, 4).setUint32(bytesOut >>> 0, texts.reduce((sum, text) => sum + text.length, 0), true);
  };
  return {
    args_sizes_get: (count: number, size: number) => writeSizes(count, size, []),
    args_get: () => undefined,
    environ_sizes_get: (count: number, size: number) => writeSizes(count, size, environment),
    environ_get(pointers: number, texts: number): void {
      let at = texts >>> 0;
      environment.forEach((text, index) => {
        const slot = (pointers >>> 0) + index * 4;
        memory.view(slot, 4).setUint32(slot, at, true);
        memory.write(at, text);
        at += text.length;
      });
    },
    clock_res_get(id: number, out: number): void {
      clockNs(state, id);
      memory.view(out >>> 0, 8).setBigUint64(out >>> 0, options.clockResolutionNs, true);
    },
    clock_time_get(id: number, _precision: bigint, out: number): void {
      memory.view(out >>> 0, 8).setBigUint64(out >>> 0, clockNs(state, id), true);
    },
    random_get(pointer: number, length: number): void {
      memory.check(pointer >>> 0, length >>> 0);
      for (let done = 0; done < length >>> 0; done += RANDOM_CHUNK_BYTES) {
        const chunk = new Uint8Array(Math.min(RANDOM_CHUNK_BYTES, (length >>> 0) - done));
        options.random(chunk);
        memory.write((pointer >>> 0) + done, chunk);
      }
    },
    sched_yield: () => undefined,
    proc_exit(status: number): void {
      throw new GuestExit(status);
    },
    poll_oneoff: (subscriptions: number, events: number, count: number, out: number) =>
      poll(state, { subscriptions: subscriptions >>> 0, events: events >>> 0, count: count >>> 0, out: out >>> 0 }),
  };
}

function clockNs({ options }: WasiState, id: number): bigint {
  const now = exactNs(options, id);
  return now - (now % options.clockResolutionNs);
}

function exactNs(options: WasiOptions, id: number): bigint {
  switch (id) {
    case CLOCK.realtime:
      return options.realtimeNs();
    case CLOCK.monotonic:
    case CLOCK.processTime:
    case CLOCK.threadTime:
      return options.monotonicNs();
    default:
      throw new WasiError(ERRNO.inval);
  }
}

interface Subscription {
  readonly userData: bigint;
  readonly type: number;
  /** How long a clock subscription still waits; 0 for descriptors, which are always ready. */
  readonly waitNs: bigint;
}

function readSubscription(state: WasiState, at: number): Subscription {
  const view = state.memory.view(at, SUBSCRIPTION_BYTES);
  const userData = view.getBigUint64(at, true);
  const type = view.getUint8(at + 8);
  if (type === EVENT.read || type === EVENT.write) {
    state.descriptors.get(view.getUint32(at + 16, true));
    return { userData, type, waitNs: 0n };
  }
  if (type !== EVENT.clock) throw new WasiError(ERRNO.inval);
  const clock = view.getUint32(at + 16, true);
  const timeout = view.getBigUint64(at + 24, true);
  const absolute = (view.getUint16(at + 40, true) & 1) !== 0;
  const waitNs = absolute ? timeout - clockNs(state, clock) : timeout;
  return { userData, type, waitNs: waitNs > 0n ? waitNs : 0n };
}

/** Timers count whole milliseconds and may fire within the last one: `time.sleep` must not end before its time. */
const EARLY_NS_MAX = 2_000_000n;

function sleepFor(options: WasiState["options"], durationNs: bigint): void {
  const end = options.monotonicNs() + durationNs;
  options.sleep(Math.min(TIMER_MS_MAX, Number(durationNs) / 1e6));
  const missing = end - options.monotonicNs();
  if (missing > 0n && missing < EARLY_NS_MAX) options.sleep(Number(missing) / 1e6 + 1);
}

/** Sleeps for the shortest wait, then reports what is ready. A sleep cut short, by a stop or by the longest timer there is, counts as over. */
function poll(state: WasiState, call: { subscriptions: number; events: number; count: number; out: number }): void {
  const { memory, options } = state;
  if (call.count === 0 || call.count > POLL_SUBSCRIPTIONS_MAX) throw new WasiError(ERRNO.inval);
  memory.check(call.events, call.count * EVENT_BYTES);
  const waiting = Array.from({ length: call.count }, (_, index) => readSubscription(state, call.subscriptions + index * SUBSCRIPTION_BYTES));
  const shortestNs = waiting.reduce((least, { waitNs }) => (waitNs < least ? waitNs : least), waiting[0]?.waitNs ?? 0n);
  if (shortestNs > 0n) sleepFor(options, shortestNs);
  let at = call.events;
  let ready = 0;
  for (const { userData, type, waitNs } of waiting) {
    if (waitNs > shortestNs) continue;
    const view = memory.view(at, EVENT_BYTES);
    view.setBigUint64(at, userData, true);
    view.setBigUint64(at + 8, BigInt(type) << 16n, true);
    view.setBigUint64(at + 16, 0n, true);
    view.setBigUint64(at + 24, 0n, true);
    at += EVENT_BYTES;
    ready += 1;
  }
  memory.view(call.out, 4).setUint32(call.out, ready, true);
}
