/** Messages between the main thread and an executor. Plain values; bulk travels by reference in shared buffers. */
import type { ImportStatement } from "../../core/packages/plugin-imports.ts";
import type { GuestRequest, GuestTableRows, InstanceSettings, RunContext } from "./contract.ts";
import type { ShownFile } from "../../ports/plugin-runtime.ts";
import type { GuestMemory } from "./guest-memory.ts";
import type { MemoryImage } from "./memory-image.ts";
import type { SavedScratch } from "./wasi/scratch.ts";
import type { SavedDescriptor } from "./wasi/descriptor-table.ts";

/** What a worker is started with. */
export interface ExecutorData {
  readonly module: WebAssembly.Module;
  readonly stdlib: SharedArrayBuffer;
  readonly control: SharedArrayBuffer;
  readonly image: MemoryImage | undefined;
  /** Steps in which guests see time pass. */
  readonly clockResolutionNs: bigint;
  /** Folder of the installed packages; undefined: none are. */
  readonly packages: string | undefined;
}

/** A directory plugin's files, packed. */
export interface PackedFiles {
  readonly buffer: SharedArrayBuffer;
  readonly entries: readonly (readonly [path: string, ...slice: BulkSlice])[];
  readonly modifiedNs: bigint;
}

export type GuestEvent =
  | { readonly kind: "writes"; readonly tables: GuestTableRows[] }
  | { readonly kind: "schedule"; readonly callTimeSeconds: bigint }
  | { readonly kind: "request"; readonly request: GuestRequest };

/** A part of a shared buffer: some runtimes copy views when they cross threads (Deno: 200 ms a megabyte), buffers never. */
export type BulkSlice = readonly [offset: number, byteLength: number];

/** A `GuestEvent` on its way: byte lists are slices of `bulk`. */
export type PackedEvent =
  | {
      readonly kind: "writes";
      readonly bulk: SharedArrayBuffer;
      readonly tables: readonly { readonly tableName: string; readonly columns: readonly string[]; readonly batches: readonly BulkSlice[] }[];
    }
  | { readonly kind: "schedule"; readonly callTimeSeconds: bigint }
  | { readonly kind: "request"; readonly bulk: SharedArrayBuffer; readonly request: Omit<GuestRequest, "body">; readonly body: BulkSlice };

export interface BootMessage {
  readonly type: "boot";
  readonly memory: WebAssembly.Memory;
}

/** Has packages imported in a memory and the image of it taken. */
export interface MakeImageMessage {
  readonly type: "make-image";
  readonly id: number;
  readonly imports: readonly ImportStatement[];
}

/** An image with packages, or why there is to be none. */
export type MadeImage =
  | {
      readonly image: MemoryImage;
      /** Variables of the environment that the imports asked for. */
      readonly environment: readonly string[];
    }
  | { readonly refusal: string };

/** One call, wherever the guest's memory is. */
export interface RunMessage {
  readonly type: "run";
  /** One guest memory; a new memory gets a new key. */
  readonly key: number;
  readonly settings: InstanceSettings;
  readonly descriptors: readonly SavedDescriptor[];
  /** The folder `/tmp`; undefined: there is none. */
  readonly scratch: { readonly bytesMax: number; readonly saved: SavedScratch | undefined } | undefined;
  readonly context: RunContext;
  readonly event: PackedEvent;
  readonly files: PackedFiles | undefined;
  readonly shown: readonly ShownFile[];
  /** The result of the run before: it has been read and its memory may go. */
  readonly read: GuestAnswer | undefined;
  /** Overlapping runs: what other instances changed in the private cache. The run then reports its own changes. */
  readonly cacheUpdates: SharedArrayBuffer | undefined;
}

/** One call for an executor thread. */
export interface ThreadRunMessage extends RunMessage {
  /** Absent when this executor has adopted the key before and was not told to forget it. */
  readonly memory: WebAssembly.Memory | undefined;
  /** The image to restore, when that is not the interpreter's own. */
  readonly image?: MemoryImage;
  /** Whether the image is to be restored first, and what the memory holds now. */
  readonly reset: "none" | "fresh" | "used";
}

/** Where the guest put the result of a run; valid until the next run begins. */
export interface GuestAnswer {
  readonly entry: "process-writes" | "process-scheduled-call" | "process-request";
  readonly address: number;
}

export interface ForgetMessage {
  readonly type: "forget";
  readonly keys: readonly number[];
}

/** Runs typical work in a memory that holds the image, so that the engine compiles it before a plugin waits for it. */
export interface WarmMessage {
  readonly type: "warm";
  readonly memory: WebAssembly.Memory;
}

/** Makes a guest ready for a run that may come. */
export interface PrepareMessage {
  readonly type: "prepare";
  readonly key: number;
  readonly settings: InstanceSettings;
  readonly memory: WebAssembly.Memory;
  /** The image to restore, when that is not the interpreter's own. */
  readonly image?: MemoryImage;
  /** Whether the memory may hold anything but zeros. */
  readonly used: boolean;
}

/** The memory of the thread that makes an image. */
export interface MakeImageHereMessage extends MakeImageMessage {
  readonly memory: WebAssembly.Memory;
}

export type ToExecutor = MakeImageHereMessage | WarmMessage | PrepareMessage | BootMessage | ThreadRunMessage | ForgetMessage;

/** How the guest was left. After anything but `returned` its memory must be restored and its adoption is void. */
export type RunEnd =
  | { readonly kind: "returned" }
  | { readonly kind: "hard-stopped" }
  /** A trap: abort, memory access outside, stack exhausted. */
  | { readonly kind: "trapped"; readonly message: string; readonly stackExhausted: boolean }
  | { readonly kind: "exited"; readonly status: number }
  /** The parameters did not fit into the guest's memory. */
  | { readonly kind: "out-of-memory" }
  /** Instantiating, restoring or resuming failed. */
  | { readonly kind: "failed"; readonly message: string };

export interface DoneMessage {
  readonly type: "done";
  /** Undefined: the guest did not get so far. */
  readonly answer: GuestAnswer | undefined;
  /** Where the answer's address lies, when that is not the guest's own memory. Set on the main thread. */
  readonly resultMemory?: GuestMemory;
  readonly cacheChanges: SharedArrayBuffer | undefined;
  readonly end: RunEnd;
  /** The guest was told to stop at least once. */
  readonly stopSeen: boolean;
  /** Live keys of the private cache; undefined when the guest could not say. */
  readonly cacheKeys: number | undefined;
  readonly descriptors: readonly SavedDescriptor[];
  /** Size of the guest's memory; undefined when there was no guest. */
  readonly memoryBytes?: number | undefined;
  /** Undefined: as it was. */
  readonly scratch?: SavedScratch | undefined;
  readonly adoptMs: number | undefined;
  readonly restoreMs: number | undefined;
}

export type FromExecutor =
  /** The control block holds a request. */
  | { readonly type: "ring" }
  | { readonly type: "ready" }
  | { readonly type: "warmed" }
  /** `ready`: the guest may be run; else its memory holds anything. */
  | { readonly type: "prepared"; readonly ready: boolean }
  | { readonly type: "image"; readonly made: MadeImage }
  | { readonly type: "booted"; readonly image: MemoryImage }
  | { readonly type: "boot-failed"; readonly message: string }
  | DoneMessage;
