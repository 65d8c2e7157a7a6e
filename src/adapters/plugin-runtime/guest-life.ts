/** One guest from its first run until its memory is dropped: where its memory is between runs, and whether it may be used. */
import type { GuestMemory } from "./guest-memory.ts";
import type { MemoryImage } from "./memory-image.ts";
import type { ParkedMemory } from "./parked-memory.ts";

/** An executor process that keeps a guest between runs. */
export interface GuestHolder {
  /** Moves the guest that it keeps here; resolves when it is here or lost. */
  park(): Promise<void>;
}

export interface GuestLife {
  /** A number no other guest memory has. */
  readonly key: number;
  readonly memoryBytesMax: number;
  /** What it begins with, and what its memory is compared with when it is moved. Changes only with a reset. */
  image: MemoryImage;
  /** Of guests on threads: the memory itself. */
  readonly memory: { readonly wasm: WebAssembly.Memory; readonly access: GuestMemory } | undefined;
  /** Of guests in processes: what was handed back, until another process takes it. */
  parked: ParkedMemory | undefined;
  holder: GuestHolder | undefined;
  /** Whether the image is to be restored first, and what the memory holds now. */
  reset: "none" | "fresh" | "used";
  /** Its process ended between two runs: the next one finds an empty cache. */
  lost: boolean;
}

/** The process that kept it is gone: the next run begins with the image. */
export function loseLife(life: GuestLife): void {
  life.holder = undefined;
  life.parked = undefined;
  life.reset = "fresh";
  life.lost = true;
}
