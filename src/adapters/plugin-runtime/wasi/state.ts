/** What the functions of the layer share, and what the layer needs from its surroundings. */
import type { GuestMemory } from "../guest-memory.ts";
import type { DescriptorTable } from "./descriptor-table.ts";
import type { DirectoryNode } from "./file-tree.ts";
import type { Preview1Function } from "./preview1.ts";

export interface WasiOptions {
  readonly root: DirectoryNode;
  readonly environment: ReadonlyMap<string, string>;
  /** Times are multiples of it. */
  readonly clockResolutionNs: bigint;
  realtimeNs(): bigint;
  /** Must agree between threads: a parked instance goes on elsewhere. */
  monotonicNs(): bigint;
  /** Fills with random bytes of cryptographic quality. */
  random(into: Uint8Array<ArrayBuffer>): void;
  /** Bytes that the guest printed; copied, may be kept. */
  output(stream: 1 | 2, bytes: Uint8Array): void;
  /** Blocks the thread; may return early when the run is being stopped. */
  sleep(durationMs: number): void;
  /** Called before every function; throws to end the guest's run. */
  beforeCall(): void;
}

export interface WasiState {
  readonly memory: GuestMemory;
  readonly descriptors: DescriptorTable;
  readonly options: WasiOptions;
}

/** Parameters are 32-bit numbers, or bigint where the ABI says i64. Returns nothing for success; throws `WasiError`. */
export type WasiFunction = (...values: never[]) => void;
export type WasiFunctions = Partial<Record<Preview1Function, WasiFunction>>;
