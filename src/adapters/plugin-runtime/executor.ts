/** The main thread's side of one executor, a thread or a process: runs one guest's call at a time. */
import type { ImportStatement } from "../../core/packages/plugin-imports.ts";
import type { InstanceSettings } from "./contract.ts";
import type { DoneMessage, MadeImage, RunMessage } from "./executor-protocol.ts";
import type { GuestLife } from "./guest-life.ts";
import type { Request } from "./mailbox.ts";
import type { ReplyKind, StopLevel } from "./control-block.ts";
import type { MemoryImage } from "./memory-image.ts";

/** How the host hears of a guest's requests and answers them; never waits. */
export interface HostLink {
  setStop(level: StopLevel): void;
  /** The next request, at most once. */
  take(): Request | undefined;
  /** Answers the request that was taken. */
  reply(kind: ReplyKind, bytes?: Uint8Array): void;
  /** The bytes of the last reply that did not fit; once. */
  takeBulk(): Uint8Array;
}

/** Who is served by the executor at the moment. */
export interface ExecutorClient {
  onRing(): void;
  onDone(message: DoneMessage): void;
  /** The guest that was to be prepared is ready, or could not be made so. */
  onPrepared?(ready: boolean): void;
  /** The executor ended or broke; no more messages will come. */
  onLost(reason: string): void;
}

export interface ExecutorEvents {
  onReady(): void;
  onLost(reason: string): void;
}

export interface ImageEvents {
  onImage(made: MadeImage): void;
}

export interface BootEvents {
  onBooted(image: MemoryImage): void;
  onBootFailed(message: string): void;
  onWarm(): void;
}

export interface Executor {
  readonly mailbox: HostLink;
  /** From now on the client hears of requests and of the end. */
  serve(client: ExecutorClient | undefined): void;
  run(message: RunMessage, life: GuestLife): void;
  /** Restores and resumes a guest, so that its next run has nothing to wait for; the client hears of the end. */
  prepare(settings: InstanceSettings, life: GuestLife): void;
  /** On an executor that nothing else uses; `onImage` of its events tells the end. */
  makeImage(id: number, imports: readonly ImportStatement[]): void;
  /** Drops what it holds of these guests, so that their memory can be freed. */
  forget(keys: readonly number[]): void;
  /** The adoption is void already (the guest was left by a throw). */
  disown(key: number): void;
  /** Whether a run of this guest needs nothing moved. */
  holds(key: number): boolean;
  /** Whether an open executor keeps the process alive. */
  hold(held: boolean): void;
  /** Ends an idle executor; the guests that it holds live on. */
  retire(): Promise<unknown>;
  /** Ends it at once, whatever it does; the client hears nothing more. */
  terminate(): Promise<unknown>;
}
