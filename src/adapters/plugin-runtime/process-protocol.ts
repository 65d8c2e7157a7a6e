/**
 * Messages between the server and one executor process, as values of frames (`frames.ts`). The process runs hostile code in
 * an engine that may have faults: what it sends is checked like any input.
 */
import * as v from "valibot";
import type { InstanceSettings } from "./contract.ts";
import type { ReplyKind, StopLevel } from "./control-block.ts";
import type { DoneMessage, MakeImageMessage, RunMessage } from "./executor-protocol.ts";
import { brokenFrame } from "./frames.ts";
import { CACHE_CHANGES_BYTES_MAX, DESCRIPTORS_MAX, IMAGE_RUNS_MAX, MADE_IMAGE_NAMES_MAX, MAKING_MEMORY_BYTES_MAX, PATH_BYTES_MAX, SCRATCH_ENTRIES_MAX } from "./limits.ts";
import type { MemoryImage } from "./memory-image.ts";
import { isParkedMemory, type ParkedMemory } from "./parked-memory.ts";

/** A memory image on a pipe. */
export interface PackedImage {
  readonly id: number;
  readonly memoryBytes: number;
  readonly runs: readonly number[];
  readonly data: SharedArrayBuffer;
}

export const packImage = ({ id, memoryBytes, runs, data }: MemoryImage): PackedImage => ({ id, memoryBytes, runs: [...runs], data });
export const unpackImage = ({ id, memoryBytes, runs, data }: PackedImage): MemoryImage => ({ id, memoryBytes, runs: Uint32Array.from(runs), data });

export interface StartMessage {
  readonly type: "start";
  readonly module: Uint8Array<ArrayBuffer>;
  readonly stdlib: SharedArrayBuffer;
  readonly image: PackedImage;
  readonly clockResolutionNs: bigint;
  readonly packages?: string;
}

export interface ProcessRunMessage {
  readonly type: "run";
  readonly run: RunMessage;
  readonly memoryBytesMax: number;
  readonly reset: "none" | "fresh" | "used";
  /** The image that the guest begins with, or began with. */
  readonly imageId: number;
  /** The guest's memory, when another executor had it. */
  readonly parked?: ParkedMemory;
}

export interface ProcessPrepareMessage {
  readonly type: "prepare";
  readonly key: number;
  readonly settings: InstanceSettings;
  readonly memoryBytesMax: number;
  readonly imageId: number;
}

export type ToProcess =
  | StartMessage
  | ProcessPrepareMessage
  | ProcessRunMessage
  | MakeImageMessage
  /** An image that runs name from now on, and one that they no longer name. */
  | { readonly type: "keep-image"; readonly image: PackedImage }
  | { readonly type: "drop-image"; readonly id: number }
  | { readonly type: "reply"; readonly kind: ReplyKind; readonly bytes?: Uint8Array }
  | { readonly type: "stop"; readonly level: StopLevel }
  /** Asks for the guest's memory; the process then has no guest. */
  | { readonly type: "park" }
  | { readonly type: "forget" };

export interface RequestMessage {
  readonly type: "request";
  readonly operation: number;
  readonly slots: readonly number[];
  readonly payload: Uint8Array;
  /** What the slots' addresses mean, when they mean any (`message-memory.ts`). */
  readonly memory?: Uint8Array<ArrayBuffer> | undefined;
}

/** The result, when there is one, lies in `result` at the answer's address (`message-memory.ts`). */
export type ProcessDoneMessage = Omit<DoneMessage, "resultMemory"> & { readonly result?: Uint8Array<ArrayBuffer> | undefined };

export type FromProcess =
  | { readonly type: "ready" }
  | { readonly type: "prepared"; readonly ready: boolean }
  | { readonly type: "image"; readonly made: { readonly image: PackedImage; readonly environment: readonly string[] } | { readonly refusal: string } }
  | RequestMessage
  | ProcessDoneMessage
  /** Absent: it had no guest that could be parked. */
  | { readonly type: "parked"; readonly parked?: ParkedMemory | undefined };

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const bytes = v.instance(Uint8Array) as v.GenericSchema<unknown, Uint8Array<ArrayBuffer>>;
const text = v.pipe(v.string(), v.maxLength(4096));

const END = v.variant("kind", [
  v.object({ kind: v.literal("returned") }),
  v.object({ kind: v.literal("hard-stopped") }),
  v.object({ kind: v.literal("trapped"), message: text, stackExhausted: v.boolean() }),
  v.object({ kind: v.literal("exited"), status: v.number() }),
  v.object({ kind: v.literal("out-of-memory") }),
  v.object({ kind: v.literal("failed"), message: text }),
]);

const SCRATCH_ENTRY = v.object({
  path: v.pipe(v.string(), v.maxLength(PATH_BYTES_MAX)),
  buffer: v.optional(v.instance(SharedArrayBuffer)),
  size: count,
  modifiedNs: v.bigint(),
});

const ANSWER = v.object({ entry: v.picklist(["process-writes", "process-scheduled-call", "process-request"]), address: v.number() });
const PARKED = v.object({ answer: v.optional(ANSWER), memoryBytes: count, runs: v.pipe(v.array(count), v.maxLength(IMAGE_RUNS_MAX)), data: bytes });

const PACKED_IMAGE = v.pipe(
  v.object({ id: count, memoryBytes: count, runs: v.pipe(v.array(count), v.maxLength(IMAGE_RUNS_MAX)), data: v.instance(SharedArrayBuffer) }),
  v.check((image) => isParkedMemory({ ...image, data: new Uint8Array(image.data) }, MAKING_MEMORY_BYTES_MAX), "its parts do not fit together"),
);
const MADE = v.union([v.object({ image: PACKED_IMAGE, environment: v.pipe(v.array(text), v.maxLength(MADE_IMAGE_NAMES_MAX)) }), v.object({ refusal: text })]);

const FROM_PROCESS = v.variant("type", [
  v.object({ type: v.literal("image"), made: MADE }),
  v.object({ type: v.literal("ready") }),
  v.object({ type: v.literal("prepared"), ready: v.boolean() }),
  v.object({
    type: v.literal("request"),
    operation: count,
    slots: v.pipe(v.array(v.nullable(v.number())), v.maxLength(16), v.transform((slots) => slots.map((slot) => slot ?? Number.NaN))),
    payload: bytes,
    memory: v.optional(bytes),
  }),
  v.object({
    type: v.literal("done"),
    end: END,
    answer: v.optional(ANSWER),
    result: v.optional(bytes),
    cacheChanges: v.optional(v.pipe(v.instance(SharedArrayBuffer), v.check((buffer) => buffer.byteLength <= CACHE_CHANGES_BYTES_MAX))),
    stopSeen: v.boolean(),
    memoryBytes: v.optional(count),
    cacheKeys: v.optional(count),
    descriptors: v.pipe(
      v.array(v.object({ number: count, path: v.pipe(v.string(), v.maxLength(PATH_BYTES_MAX)), position: count, write: v.optional(v.boolean()), append: v.optional(v.boolean()) })),
      v.maxLength(DESCRIPTORS_MAX),
    ),
    scratch: v.optional(v.object({ entries: v.pipe(v.array(SCRATCH_ENTRY), v.maxLength(SCRATCH_ENTRIES_MAX)) })),
    adoptMs: v.optional(v.number()),
    restoreMs: v.optional(v.number()),
  }),
  v.object({ type: v.literal("parked"), parked: v.optional(PARKED) }),
]);

/** Throws `plugin.message_invalid`. */
export function fromProcess(value: unknown): FromProcess {
  const result = v.safeParse(FROM_PROCESS, value);
  if (!result.success) throw brokenFrame(result.issues[0].message);
  return result.output as FromProcess;
}
