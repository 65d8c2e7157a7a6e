/**
 * What a guest finds behind WASI preview 1. One interface, so that the conformance test can run the same module on
 * other implementations; ours is `createWasiLayer`.
 */
import { GuestMemory } from "../guest-memory.ts";
import { DescriptorTable, type SavedDescriptor } from "./descriptor-table.ts";
import { fileCalls } from "./file-calls.ts";
import type { DirectoryNode } from "./file-tree.ts";
import { pathCalls } from "./path-calls.ts";
import { ERRNO, PREVIEW1_FUNCTIONS, WasiError } from "./preview1.ts";
import { processCalls } from "./process-calls.ts";
import type { WasiFunction, WasiFunctions, WasiOptions, WasiState } from "./state.ts";
import { isDatabaseError } from "../../../core/errors/database-error.ts";

export interface WasiLayer {
  /** The functions of `wasi_snapshot_preview1` on this memory. */
  imports(memory: WebAssembly.Memory): WebAssembly.ModuleImports;
}

/** Our own layer: its state can be parked and taken up by another thread. */
export interface ParkableWasiLayer extends WasiLayer {
  save(): SavedDescriptor[];
  restore(root: DirectoryNode, saved: readonly SavedDescriptor[]): void;
}

export function createWasiLayer(options: WasiOptions): ParkableWasiLayer {
  const descriptors = new DescriptorTable(options.root);
  return {
    save: () => descriptors.save(),
    restore: (root, saved) => descriptors.restore(root, saved),
    imports(memory): WebAssembly.ModuleImports {
      const state: WasiState = { memory: new GuestMemory(memory), descriptors, options };
      const functions: WasiFunctions = { ...fileCalls(state), ...pathCalls(state), ...processCalls(state) };
      return Object.fromEntries(PREVIEW1_FUNCTIONS.map((name) => [name, guarded(functions[name], options)]));
    },
  };
}

/** Turns refusals into error numbers; everything else (a stop, an exit, a fault of ours) leaves the guest. */
function guarded(call: WasiFunction | undefined, options: WasiOptions): (...values: never[]) => number {
  if (call === undefined) return () => ERRNO.nosys;
  return (...values) => {
    options.beforeCall();
    try {
      call(...values);
      return ERRNO.success;
    } catch (error) {
      if (error instanceof WasiError) return error.errno;
      if (isDatabaseError(error) && error.code === "plugin.message_invalid") return ERRNO.fault;
      throw error;
    }
  };
}
