/**
 * Entry of an executor process. Its main thread only carries messages: between the pipes to the server and the mailbox of
 * one executor thread, which runs the guest and blocks as it does in the server's own process. When the pipe closes, the
 * process ends, whatever the guest does.
 */
import process from "node:process";
import { assert } from "../../core/errors/assert.ts";
import { isDatabaseError, messageOf } from "../../core/errors/database-error.ts";
import { HostCallError } from "../../ports/plugin-runtime.ts";
import { refusal } from "./answers.ts";
import { OPERATION, REPLY } from "./control-block.ts";
import type { DoneMessage, GuestAnswer } from "./executor-protocol.ts";
import { encodeFrame, FrameReader } from "./frames.ts";
import type { GuestLife } from "./guest-life.ts";
import { GuestMemory } from "./guest-memory.ts";
import type { Request } from "./mailbox.ts";
import { createGuestMemory, type MemoryImage } from "./memory-image.ts";
import { type GuestMessage, packHostCall, packResult } from "./message-memory.ts";
import { type ParkedMemory, parkMemory, unparkMemory } from "./parked-memory.ts";
import { type FromProcess, packImage, type ProcessDoneMessage, type ProcessPrepareMessage, type ProcessRunMessage, type StartMessage, type ToProcess, unpackImage } from "./process-protocol.ts";
import { WorkerExecutor } from "./worker-executor.ts";

/** Set by the bundler's output: both entries lie in one folder. */
const WORKER_ENTRY = new URL("executor-worker.js", import.meta.url);

const send = (message: FromProcess): void => {
  for (const part of encodeFrame(message)) process.stdout.write(part);
};

/** As much as the least that a trigger may have. */
const WARM_UP_MEMORY_BYTES = 32 * 1024 * 1024;

/** What cannot be read is sent without an address that means anything: the server says what is wrong with it. */
function packAnswer(answer: GuestAnswer, memory: GuestMemory): Pick<ProcessDoneMessage, "answer" | "result"> {
  try {
    const { slots, bytes } = packResult(answer.entry === "process-request", answer.address, memory);
    return { answer: { ...answer, address: slots[1] ?? -1 }, result: bytes as Uint8Array<ArrayBuffer> };
  } catch (error) {
    if (!(error instanceof HostCallError) && !isDatabaseError(error)) throw error;
    return { answer: { ...answer, address: -1 }, result: new Uint8Array(0) };
  }
}

type HeldLife = GuestLife & { readonly memory: NonNullable<GuestLife["memory"]> };

class Relay {
  readonly #executor: WorkerExecutor;
  readonly #image: MemoryImage;
  /** By id, beside the interpreter's own. */
  readonly #images = new Map<number, MemoryImage>();
  #answer: GuestAnswer | undefined;
  #life: HeldLife | undefined;

  constructor(start: StartMessage, module: WebAssembly.Module) {
    this.#image = unpackImage(start.image);
    this.#executor = new WorkerExecutor(
      WORKER_ENTRY,
      { module, stdlib: start.stdlib, image: this.#image, clockResolutionNs: start.clockResolutionNs, packages: start.packages },
      {
        onReady: () => this.#executor.warm(createGuestMemory(this.#image, WARM_UP_MEMORY_BYTES)),
        onWarm: () => send({ type: "ready" }),
        onImage: (made) => send({ type: "image", made: "image" in made ? { ...made, image: packImage(made.image) } : made }),
        onLost: () => process.exit(1),
      },
    );
    this.#executor.serve({ onRing: () => this.#ring(), onDone: (done) => this.#done(done), onPrepared: (ready) => this.#prepared(ready), onLost: () => process.exit(1) });
  }

  handle(message: Exclude<ToProcess, StartMessage>): void {
    switch (message.type) {
      case "run":
        return this.#run(message);
      case "prepare":
        return this.#prepare(message);
      case "make-image":
        return this.#executor.makeImage(message.id, message.imports);
      case "keep-image":
        return void this.#images.set(message.image.id, unpackImage(message.image));
      case "drop-image":
        return void this.#images.delete(message.id);
      case "reply":
        if (this.#executor.mailbox.open) this.#executor.mailbox.reply(message.kind, message.bytes);
        return;
      case "stop":
        return this.#executor.mailbox.setStop(message.level);
      case "forget":
        return this.#drop();
      case "park": {
        const life = this.#life;
        send({ type: "parked", ...(life === undefined || life.reset !== "none" ? {} : { parked: { ...parkMemory(life.memory.wasm, life.image), answer: this.#answer } }) });
        return this.#drop();
      }
    }
  }

  #run({ run, memoryBytesMax, reset, imageId, parked }: ProcessRunMessage): void {
    const image = this.#imageOf(imageId);
    if (this.#life?.key !== run.key || this.#life.image !== image) this.#begin({ key: run.key, memoryBytesMax, image }, parked);
    else if (reset !== "none") this.#life.reset = "used";
    const life = this.#life;
    assert(life !== undefined, "a run has a guest");
    // The server knows the address in its own copy only.
    this.#executor.run({ ...run, read: run.read === undefined ? undefined : this.#answer }, life);
    // From now on the memory holds anything until the run has ended well.
    life.reset = "used";
  }

  #prepare({ key, settings, memoryBytesMax, imageId }: ProcessPrepareMessage): void {
    const life = this.#begin({ key, memoryBytesMax, image: this.#imageOf(imageId) }, undefined);
    this.#executor.prepare(settings, life);
    life.reset = "used";
  }

  #prepared(ready: boolean): void {
    if (this.#life !== undefined && ready) this.#life.reset = "none";
    send({ type: "prepared", ready });
  }

  #imageOf(id: number): MemoryImage {
    const image = id === this.#image.id ? this.#image : this.#images.get(id);
    assert(image !== undefined, "a guest begins with an image that was sent");
    return image;
  }

  /** Another guest takes the place of the one that was here. */
  #begin({ key, memoryBytesMax, image }: Pick<GuestLife, "key" | "memoryBytesMax" | "image">, parked: ParkedMemory | undefined): HeldLife {
    this.#drop();
    const wasm = createGuestMemory(image, memoryBytesMax, parked?.memoryBytes);
    if (parked !== undefined) unparkMemory(wasm, image, parked);
    this.#answer = parked?.answer;
    this.#life = {
      key, memoryBytesMax, image, memory: { wasm, access: new GuestMemory(wasm) }, parked: undefined, holder: undefined, lost: false,
      reset: parked === undefined ? "fresh" : "none",
    };
    return this.#life;
  }

  #done(done: DoneMessage): void {
    if (this.#life !== undefined) this.#life.reset = done.end.kind === "returned" ? "none" : "used";
    if (done.end.kind !== "returned" && this.#life !== undefined) this.#executor.disown(this.#life.key);
    this.#answer = done.answer;
    send(done.answer === undefined || this.#life === undefined ? done : { ...done, ...packAnswer(done.answer, this.#life.memory.access) });
  }

  #ring(): void {
    const request = this.#executor.mailbox.take();
    if (request === undefined) return;
    const answered = this.#answerHere(request);
    if (answered) return;
    const { operation, slots, payload } = request;
    send({ type: "request", operation, slots, payload });
  }

  /** Whatever has to do with the guest's memory. True: nothing is left to be sent as it is. */
  #answerHere(request: Request): boolean {
    const { mailbox } = this.#executor;
    const memory = this.#life?.memory.access;
    assert(memory !== undefined, "a request comes from a guest");
    try {
      if (request.operation === OPERATION.fill) {
        memory.write(request.slots[0] ?? -1, mailbox.takeBulk());
        mailbox.reply(REPLY.none);
        return true;
      }
      if (request.operation < OPERATION.firstInternal) this.#forward(request, packHostCall(request.operation, request.slots, memory));
      else return false;
    } catch (error) {
      if (!(error instanceof HostCallError) && !isDatabaseError(error)) throw error;
      const { kind, bytes } = refusal(error instanceof HostCallError ? error.kind : "internal", messageOf(error));
      mailbox.reply(kind, bytes);
    }
    return true;
  }

  #forward({ operation, payload }: Request, { slots, bytes }: GuestMessage): void {
    send({ type: "request", operation, slots, payload, memory: bytes as Uint8Array<ArrayBuffer> });
  }

  #drop(): void {
    if (this.#life !== undefined) this.#executor.forget([this.#life.key]);
    this.#life = undefined;
    this.#answer = undefined;
  }
}

const reader = new FrameReader();
let relay: Promise<Relay> | undefined;
let order: Promise<unknown> = Promise.resolve();

process.stdin.on("data", (chunk: Uint8Array) => {
  for (const value of reader.push(chunk)) {
    const message = value as ToProcess;
    if (message.type === "start") {
      relay = WebAssembly.compile(message.module).then((module) => new Relay(message, module));
    } else if (relay !== undefined) {
      const started = relay;
      order = order.then(async () => (await started).handle(message));
      order.catch(() => process.exit(1));
    }
  }
});
process.stdin.on("end", () => process.exit(0));
process.stdin.on("close", () => process.exit(0));
