/**
 * `runtime-wasm/wit/plugin.wit` as descriptors, field for field and in its order. The file is the source of truth:
 * `contract.test.ts` compares these with the types jco makes from it.
 */
import {
  type AbiType, type FlatReader, type FlatValue, type LiftContext, type LowerContext, type ValueOf,
  FLAT_PARAMETERS_MAX, bool, boundedBytes, bytes, clippedString, f64, list, record, s64, string, tuple, u16, u32, u64, unit,
} from "./canonical-abi.ts";
import { enumeration, option, result } from "./canonical-variants.ts";
import { guestFault } from "./guest-memory.ts";
import {
  CACHE_CHANGES_BYTES_MAX, FAILURE_MESSAGE_BYTES_MAX, FAILURE_NAME_BYTES_MAX, FAILURE_TRACEBACK_BYTES_MAX, LOG_TEXT_BYTES_MAX, RESPONSE_BODY_BYTES_MAX,
} from "./limits.ts";

/** Module name under which the guest imports the host calls. */
export const HOST_INTERFACE = "tidemark:plugin/host@1.0.0";

const logLevel = enumeration("info", "warn", "error");
/** In WIT order: the number on the wire is the index. */
export const ERROR_KINDS = [
  "query-error", "write-error", "type-error", "value-error", "denied", "limit", "interrupted", "internal", "network-error",
] as const;
const errorKind = enumeration(...ERROR_KINDS);
export const hostError = record({ kind: errorKind, message: string });
const namedText = record({ name: string, value: string });
const pluginCode = record({ fileName: string, source: option(string), module: string, revision: u64 });
export const runContext = record({ plugin: pluginCode, arguments: option(list(namedText)), sparseRows: bool });
export const tableRows = record({ tableName: string, columns: list(string), batches: list(bytes) });
export const request = record({ query: list(namedText), headers: list(namedText), body: bytes });
export const response = record({ status: u16, headers: list(namedText), body: boundedBytes(RESPONSE_BODY_BYTES_MAX) });
export const bufferedWrite = record({ database: option(string), lines: string });
export const failure = record({
  typeName: clippedString(FAILURE_NAME_BYTES_MAX),
  message: clippedString(FAILURE_MESSAGE_BYTES_MAX),
  traceback: clippedString(FAILURE_TRACEBACK_BYTES_MAX),
  outOfMemory: bool, interrupted: bool, inEntryPoint: bool,
});

const grant = enumeration("net", "env", "scratch", "sys", "db");
const netDirection = enumeration("write", "all");
const ownLimit = enumeration("write-bytes", "response-bytes", "cache-bytes");
export const instanceSettings = record({ environment: list(namedText), writeBytes: u32, responseBytes: u32, cacheBytes: u32 });

export type InstanceSettings = ValueOf<typeof instanceSettings>;
export type RunContext = ValueOf<typeof runContext>;
export type GuestTableRows = ValueOf<typeof tableRows>;
export type GuestRequest = ValueOf<typeof request>;
export type GuestFailure = ValueOf<typeof failure>;

/** One function of the contract; parameters in order. */
export interface FunctionType<P, R> {
  readonly parameters: AbiType<P>;
  readonly result: AbiType<R>;
}

const call = <P, R>(parameters: AbiType<P>, returns: AbiType<R>): FunctionType<P, R> => ({ parameters, result: returns });

/** What the guest offers. */
export const GUEST_EXPORTS = {
  boot: call(record({}), result(unit, string)),
  resume: call(record({ settings: instanceSettings }), result(unit, string)),
  "process-writes": call(record({ context: runContext, tables: list(tableRows) }), result(list(bufferedWrite), failure)),
  "process-scheduled-call": call(record({ context: runContext, callTimeSeconds: s64 }), result(list(bufferedWrite), failure)),
  "process-request": call(record({ context: runContext, request }), result(tuple(response, list(bufferedWrite)), failure)),
  "cache-size": call(record({}), u32),
  "cache-clear": call(record({}), unit),
  "cache-merge": call(record({ changes: bytes }), result(unit, string)),
  "cache-changes": call(record({}), boundedBytes(CACHE_CHANGES_BYTES_MAX)),
} as const;

/** What the guest may ask of the host; `poll` is answered on the executor and never crosses threads. */
export const HOST_CALLS = {
  log: call(record({ level: logLevel, text: clippedString(LOG_TEXT_BYTES_MAX) }), result(unit, hostError)),
  query: call(record({ sql: string, arguments: list(namedText), database: option(string) }), result(bytes, hostError)),
  "write-sync": call(record({ database: option(string), lines: string, noSync: bool }), result(unit, hostError)),
  "global-cache-put": call(record({ key: string, value: bytes, ttl: option(f64) }), result(unit, hostError)),
  "global-cache-get": call(record({ key: string }), result(option(bytes), hostError)),
  "global-cache-delete": call(record({ key: string }), result(bool, hostError)),
  "check-grant": call(record({ grant, subject: string }), result(unit, hostError)),
  exceeded: call(record({ limit: ownLimit }), result(unit, hostError)),
  "system-metrics": call(record({ group: string }), result(bytes, hostError)),
  "net-resolve": call(record({ host: string, port: u16 }), result(bytes, hostError)),
  "net-open": call(record({ address: string, port: u16 }), result(u32, hostError)),
  "net-open-tls": call(record({ settings: bytes }), result(u32, hostError)),
  "net-start-tls": call(record({ connection: u32, settings: bytes }), result(unit, hostError)),
  "net-send": call(record({ connection: u32, data: bytes, wait: option(f64) }), result(u32, hostError)),
  "net-receive": call(record({ connection: u32, bytesMax: u32, wait: option(f64) }), result(option(bytes), hostError)),
  "net-wait": call(record({ interests: bytes, wait: option(f64) }), result(bytes, hostError)),
  "net-describe": call(record({ connection: u32 }), result(bytes, hostError)),
  "net-close": call(record({ connection: u32, direction: netDirection }), result(unit, hostError)),
  "net-feed": call(record({ connection: u32, data: bytes }), result(unit, hostError)),
  "net-drain": call(record({ connection: u32 }), result(bytes, hostError)),
} as const;
export type HostCallName = keyof typeof HOST_CALLS;
export const HOST_CALL_NAMES = Object.keys(HOST_CALLS) as readonly HostCallName[];

/** Lowers the parameters of an export to what the core function takes. */
export function lowerParameters<P, R>(type: FunctionType<P, R>, to: LowerContext, values: P): FlatValue[] {
  if (type.parameters.flat.length > FLAT_PARAMETERS_MAX) {
    const pointer = to.allocate(type.parameters.size, type.parameters.align);
    type.parameters.store(to, pointer, values);
    return [pointer];
  }
  const flat: FlatValue[] = [];
  type.parameters.lower(to, values, flat);
  return flat;
}

/** Lifts what an export returned: one flat value, or the address of the result. */
export function liftResult<P, R>(type: FunctionType<P, R>, from: LiftContext, returned: unknown): R {
  if (type.result.flat.length === 0) return type.result.lift(from, flatReader([]));
  if (typeof returned !== "number") throw guestFault("Guest returned no address");
  if (type.result.flat.length === 1) return type.result.lift(from, flatReader([returned]));
  const pointer = returned >>> 0;
  if (pointer % type.result.align !== 0) throw guestFault(`Result at address ${pointer} is not aligned`);
  return type.result.load(from, pointer);
}

export function flatReader(values: readonly FlatValue[]): FlatReader {
  let index = 0;
  return {
    next(): FlatValue {
      const value = values[index];
      if (value === undefined) throw guestFault("Guest passed too few values");
      index += 1;
      return value;
    },
  };
}
