/**
 * One adopted guest on an executor: a WebAssembly instance over a memory that the main thread owns. Its only state
 * outside that memory is the stack pointer, which stands at its base between calls, so any executor may adopt a parked
 * memory; after a call that was left by a throw the adoption is void.
 */
import { DatabaseError, messageOf } from "../../core/errors/database-error.ts";
import { HostCallError } from "../../ports/plugin-runtime.ts";
import { type LowerContext, LiftBudget, type ValueOf } from "./canonical-abi.ts";
import type { Result } from "./canonical-variants.ts";
import { GUEST_EXPORTS, HOST_INTERFACE, type FunctionType, type InstanceSettings, type RunContext, liftResult, lowerParameters } from "./contract.ts";
import type { GuestAnswer, GuestEvent, RunEnd } from "./executor-protocol.ts";
import { hostImports } from "./guest-imports.ts";
import { GuestMemory } from "./guest-memory.ts";
import { type GuestLink, HardStop } from "./mailbox.ts";
import type { WasiLayer } from "./wasi/layer.ts";
import { GuestExit } from "./wasi/preview1.ts";

type ParametersOf<N extends keyof typeof GUEST_EXPORTS> = ValueOf<(typeof GUEST_EXPORTS)[N]["parameters"]>;
type CoreFunction = (...values: (number | bigint)[]) => unknown;

export interface GuestParts {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  readonly wasi: WasiLayer;
  readonly mailbox: GuestLink;
}

/** Thrown when parameters did not fit. */
class ParametersTooLarge extends Error {}

export class Guest {
  readonly #memory: GuestMemory;
  readonly #exports: WebAssembly.Exports;
  readonly #lower: LowerContext;

  constructor({ module, memory, wasi, mailbox }: GuestParts) {
    this.#memory = new GuestMemory(memory);
    const instance = new WebAssembly.Instance(module, {
      env: { memory },
      wasi_snapshot_preview1: wasi.imports(memory),
      [HOST_INTERFACE]: hostImports(mailbox, () => this.#lower),
    });
    this.#exports = instance.exports;
    const realloc = this.#function("cabi_realloc");
    this.#lower = { memory: this.#memory, allocate: (size, align) => Number(realloc(0, 0, align, size)) >>> 0 };
  }

  get memoryBytes(): number {
    return this.#memory.byteLength;
  }

  /** Once per memory image, in a fresh memory. Throws with Python's reason. */
  boot(): void {
    this.#function("_initialize")();
    this.#expectDone("boot", {});
  }

  /** One short call of typical work; false when the guest offers none. */
  warmUp(): boolean {
    if (!("warm_up" in this.#exports)) return false;
    const returned = this.#function("warm_up")();
    const outcome = liftResult(GUEST_EXPORTS.resume, { memory: this.#memory, budget: new LiftBudget() }, returned);
    this.#optional("cabi_post_boot")?.(returned as number);
    if (outcome.tag === "err") throw broken(outcome.val);
    return true;
  }

  resume(settings: InstanceSettings): void {
    this.#expectDone("resume", { settings });
  }

  cacheSize(): number {
    return this.#call("cache-size", GUEST_EXPORTS["cache-size"], {}, (returned) => Number(returned) >>> 0);
  }

  /** Runs the plugin; its result is lifted by the main thread, straight from the memory, and is freed by `free`. */
  run(context: RunContext, event: GuestEvent): { readonly end: RunEnd; readonly answer: GuestAnswer | undefined } {
    try {
      return { end: { kind: "returned" }, answer: this.#process(context, event) };
    } catch (error) {
      return { end: error instanceof ParametersTooLarge ? { kind: "out-of-memory" } : runEndOf(error), answer: undefined };
    }
  }

  /** Gives the memory of a result back that has been read. */
  free({ entry, address }: GuestAnswer): void {
    this.#optional(`cabi_post_${entry}`)?.(address);
  }

  /** Takes over what other instances changed in the private cache. */
  mergeCache(changes: Uint8Array): void {
    const lift = (returned: unknown) => liftResult(GUEST_EXPORTS["cache-merge"], { memory: this.#memory, budget: new LiftBudget() }, returned);
    const outcome = this.#call("cache-merge", GUEST_EXPORTS["cache-merge"], { changes }, lift);
    if (outcome.tag === "err") throw broken(outcome.val);
  }

  /** Undefined: they are too large to leave the instance. */
  cacheChanges(): Uint8Array | undefined {
    try {
      const lift = (returned: unknown) => liftResult(GUEST_EXPORTS["cache-changes"], { memory: this.#memory, budget: new LiftBudget() }, returned);
      return this.#call("cache-changes", GUEST_EXPORTS["cache-changes"], {}, lift);
    } catch (error) {
      if (error instanceof HostCallError) return undefined;
      throw error;
    }
  }

  #process(context: RunContext, event: GuestEvent): GuestAnswer {
    switch (event.kind) {
      case "writes":
        return this.#entry("process-writes", GUEST_EXPORTS["process-writes"], { context, tables: event.tables });
      case "schedule":
        return this.#entry("process-scheduled-call", GUEST_EXPORTS["process-scheduled-call"], { context, callTimeSeconds: event.callTimeSeconds });
      case "request":
        return this.#entry("process-request", GUEST_EXPORTS["process-request"], { context, request: event.request });
    }
  }

  #entry<P, R>(entry: GuestAnswer["entry"], type: FunctionType<P, R>, values: P): GuestAnswer {
    const core = this.#function(entry);
    return { entry, address: Number(core(...this.#lowered(type, values))) };
  }

  #expectDone<N extends "boot" | "resume">(name: N, values: ParametersOf<N>): void {
    const lift = (returned: unknown) =>
      liftResult(GUEST_EXPORTS[name], { memory: this.#memory, budget: new LiftBudget() }, returned);
    const outcome = this.#call(name, GUEST_EXPORTS[name] as FunctionType<ParametersOf<N>, Result<undefined, string>>, values, lift);
    if (outcome.tag === "err") throw broken(outcome.val);
  }

  #call<P, R, T>(name: string, type: FunctionType<P, R>, values: P, take: (returned: unknown) => T): T {
    const core = this.#function(name);
    const flat = this.#lowered(type, values);
    const returned = core(...flat);
    const taken = take(returned);
    if (typeof returned === "number") this.#optional(`cabi_post_${name}`)?.(returned);
    return taken;
  }

  #lowered<P, R>(type: FunctionType<P, R>, values: P): (number | bigint)[] {
    try {
      return lowerParameters(type, this.#lower, values);
    } catch (error) {
      if (error instanceof WebAssembly.RuntimeError) throw new ParametersTooLarge();
      throw error;
    }
  }

  #function(name: string): CoreFunction {
    const found = this.#optional(name);
    if (found === undefined) throw broken(`The interpreter does not export "${name}"`);
    return found;
  }

  #optional(name: string): CoreFunction | undefined {
    const found = this.#exports[name];
    return typeof found === "function" ? (found as CoreFunction) : undefined;
  }
}

function broken(message: string): DatabaseError {
  return new DatabaseError("server.misconfigured", { message, hint: "install the package again: interpreter and server do not fit" });
}

/** What a throw out of the guest means. */
export function runEndOf(error: unknown): RunEnd {
  if (error instanceof HardStop) return { kind: "hard-stopped" };
  if (error instanceof GuestExit) return { kind: "exited", status: error.status };
  if (error instanceof RangeError) return { kind: "trapped", message: error.message, stackExhausted: true };
  if (error instanceof WebAssembly.RuntimeError) {
    return { kind: "trapped", message: error.message, stackExhausted: /stack/i.test(error.message) };
  }
  return { kind: "failed", message: messageOf(error) };
}

