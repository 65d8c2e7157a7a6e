/**
 * Entry of an executor thread: adopts guests that the main thread hands over, restores the image where asked, runs one
 * call at a time and reports how the guest was left. It owns nothing that another executor could miss.
 */
import process from "node:process";
import { parentPort, workerData } from "node:worker_threads";
import { sharedCopy } from "./shared-copy.ts";
import { assert } from "../../core/errors/assert.ts";
import { messageOf } from "../../core/errors/database-error.ts";
import { OPERATION, openControlBlock } from "./control-block.ts";
import type { DoneMessage, ExecutorData, FromExecutor, GuestAnswer, MadeImage, MakeImageHereMessage, PackedFiles, PrepareMessage, RunEnd, ThreadRunMessage, ToExecutor } from "./executor-protocol.ts";
import { Guest, runEndOf } from "./guest.ts";
import { openEvent } from "./invocation-message.ts";
import { SLEEP_HANDOVER_MS, WARM_UP_CALLS_MAX, WARM_UP_MS } from "./limits.ts";
import { GuestMemory } from "./guest-memory.ts";
import { GuestMailbox, HardStop } from "./mailbox.ts";
import { importPackages } from "./make-image.ts";
import { OutputParcel } from "./output-parcel.ts";
import { restoreMemoryImage, takeMemoryImage } from "./memory-image.ts";
import { type DirectoryNode, type TreeFile, buildFileTree } from "./wasi/file-tree.ts";
import { below, diskFolder, shownEntry } from "./wasi/disk-folder.ts";
import { type ParkableWasiLayer, createWasiLayer } from "./wasi/layer.ts";
import { ScratchFolder } from "./wasi/scratch.ts";
import { LineSink } from "./wasi/line-sink.ts";

const data = workerData as ExecutorData;
const port = parentPort;
assert(port !== null, "the executor runs as a worker");
const post = (message: FromExecutor): void => port.postMessage(message);

/** What every plugin finds; variables of the server come on top of it when they were granted. */
const GUEST_ENVIRONMENT: ReadonlyMap<string, string> = new Map([
  ["TZ", "UTC"],
  ["PLUGIN_DIR", "/plugins"],
  ["INFLUXDB3_PLUGIN_DIR", "/plugins"],
  ["VIRTUAL_ENV", "/venv"],
]);

interface Adopted {
  readonly guest: Guest;
  readonly wasi: ParkableWasiLayer;
}

const mailbox = new GuestMailbox(openControlBlock(data.control), () => post({ type: "ring" }));
const parcel = new OutputParcel((lines) => void mailbox.callNow(OPERATION.output, [], lines));
mailbox.beforeRequest = () => parcel.send();
const sink = new LineSink((line) => parcel.add(line));
const stdlib: TreeFile = { path: "lib/python313.zip", bytes: new Uint8Array(data.stdlib) };
/** Installed packages; where `VIRTUAL_ENV` points, as in a virtual environment. */
const packages = below(["lib", "python3.13", "site-packages"], diskFolder(data.packages));
const emptyFolder = buildFileTree([]);
/** The folder that `PLUGIN_DIR` names is there for every plugin. */
const withPackages = (root: DirectoryNode): DirectoryNode => ({ ...root, entries: new Map([["plugins", emptyFolder], ...root.entries, ["venv", packages]]) });
const bareRoot = withPackages(buildFileTree([stdlib]));
const adopted = new Map<number, Adopted>();
/** What guests on this thread have done that an image must not hold. */
const witnessed = { entropyBytes: 0, printed: false };

const realtimeNs = (): bigint => BigInt(Date.now()) * 1_000_000n;

/** Trees are shared between guests: the folder goes into a root of its own. */
function withScratch(root: DirectoryNode, scratch: ScratchFolder | undefined): DirectoryNode {
  return scratch === undefined ? root : { ...root, entries: new Map(root.entries).set("tmp", scratch.root) };
}

function adopt(memory: WebAssembly.Memory): Adopted {
  const wasi = createWasiLayer({
    root: bareRoot,
    environment: GUEST_ENVIRONMENT,
    clockResolutionNs: data.clockResolutionNs,
    realtimeNs,
    monotonicNs: () => process.hrtime.bigint(),
    random: (into) => {
      crypto.getRandomValues(into);
      witnessed.entropyBytes += into.length;
    },
    output: (_stream, bytes) => {
      witnessed.printed = true;
      sink.write(bytes);
    },
    sleep,
    beforeCall: () => mailbox.checkHardStop(),
  });
  return { guest: new Guest({ module: data.module, memory, wasi, mailbox }), wasi };
}

function sleep(durationMs: number): void {
  if (durationMs < SLEEP_HANDOVER_MS) mailbox.pause(durationMs);
  else mailbox.call(OPERATION.sleep, [durationMs]);
  // A sleep that was cut short is over too early for what follows: the run counts as told, whether it polls again or not.
  mailbox.poll();
}

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1));

/** The engine installs optimised code between calls. */
async function warmUp(guest: Guest): Promise<void> {
  const started = performance.now();
  for (let call = 0; call < WARM_UP_CALLS_MAX && performance.now() - started < WARM_UP_MS; call += 1) {
    if (!guest.warmUp()) return;
    await pause();
  }
}

async function warm(memory: WebAssembly.Memory): Promise<void> {
  try {
    assert(data.image !== undefined, "a warm-up has an image");
    restoreMemoryImage(memory, data.image, false);
    await warmUp(adopt(memory).guest);
  } finally {
    post({ type: "warmed" });
  }
}

/** One round of typical work touches the pages that every run touches, and leaves nothing behind. */
function makeReady({ key, settings, memory, used, image = data.image }: PrepareMessage): void {
  let ready = false;
  try {
    assert(image !== undefined, "a guest is made ready from an image");
    restoreMemoryImage(memory, image, used);
    const target = adopt(memory);
    target.wasi.restore(bareRoot, []);
    target.guest.warmUp();
    target.guest.resume(settings);
    adopted.set(key, target);
    ready = true;
  } catch {
    // Then the next run does it, and says what is wrong.
    adopted.delete(key);
  }
  post({ type: "prepared", ready });
}

async function boot(memory: WebAssembly.Memory): Promise<void> {
  try {
    const { guest } = adopt(memory);
    guest.boot();
    await warmUp(guest);
    sink.flush();
    parcel.send();
    post({ type: "booted", image: takeMemoryImage(memory) });
  } catch (error) {
    post({ type: "boot-failed", message: messageOf(error) });
  }
}

/** Nothing else runs on this thread, before or after. */
function makeImage({ id, imports, memory }: MakeImageHereMessage): void {
  let made: MadeImage;
  try {
    assert(data.image !== undefined, "packages are imported into a booted interpreter");
    restoreMemoryImage(memory, data.image, false);
    const { guest, wasi } = adopt(memory);
    // Whatever the guest asks of the host ends it.
    mailbox.beforeRequest = () => {
      throw new HardStop();
    };
    const witness = { entropyBytes: () => witnessed.entropyBytes, printed: () => witnessed.printed, openFiles: () => wasi.save().length };
    const imported = importPackages(guest, new GuestMemory(memory), { imports, witness });
    made = typeof imported === "string" ? { refusal: imported } : { image: takeMemoryImage(memory, id), environment: imported.environment };
  } catch (error) {
    made = { refusal: messageOf(error) };
  }
  post({ type: "image", made });
}

function treeOf({ files, shown }: Pick<ThreadRunMessage, "files" | "shown">): DirectoryNode {
  if (files === undefined && shown.length === 0) return bareRoot;
  return withPackages(buildFileTree([stdlib, ...shown.map(shownEntry), ...(files === undefined ? [] : unpack(files))]));
}

function unpack({ buffer, entries, modifiedNs }: PackedFiles): TreeFile[] {
  return entries.map(([path, offset, byteLength]) => ({ path: `plugins/${path}`, bytes: new Uint8Array(buffer, offset, byteLength), modifiedNs }));
}

interface Preparation {
  readonly target: Adopted;
  readonly adoptMs: number | undefined;
  readonly restoreMs: number | undefined;
  readonly scratch: ScratchFolder | undefined;
}

function prepare(message: ThreadRunMessage): Preparation {
  let restoreMs: number | undefined;
  if (message.reset !== "none") {
    const image = message.image ?? data.image;
    assert(image !== undefined && message.memory !== undefined, "a reset comes with image and memory");
    const started = performance.now();
    restoreMemoryImage(message.memory, image, message.reset === "used");
    restoreMs = performance.now() - started;
    adopted.delete(message.key);
  }
  let target = adopted.get(message.key);
  let adoptMs: number | undefined;
  if (target === undefined) {
    assert(message.memory !== undefined, "a guest that is not adopted comes with its memory");
    const started = performance.now();
    target = adopt(message.memory);
    adoptMs = performance.now() - started;
    adopted.set(message.key, target);
  }
  // What an image restored does not know must not stay open.
  const scratch = message.scratch === undefined ? undefined : new ScratchFolder(message.scratch.bytesMax, realtimeNs, message.scratch.saved);
  target.wasi.restore(withScratch(treeOf(message), scratch), message.reset === "none" ? message.descriptors : []);
  if (message.reset !== "none") target.guest.resume(message.settings);
  else if (message.read !== undefined) target.guest.free(message.read);
  if (message.cacheUpdates !== undefined) target.guest.mergeCache(new Uint8Array(message.cacheUpdates));
  return { target, adoptMs, restoreMs, scratch };
}

function run(message: ThreadRunMessage): void {
  mailbox.stopSeen = false;
  let preparation: Preparation | undefined;
  let end: RunEnd;
  let answer: GuestAnswer | undefined;
  try {
    preparation = prepare(message);
    ({ end, answer } = preparation.target.guest.run(message.context, openEvent(message.event)));
  } catch (error) {
    const reason = runEndOf(error);
    end = reason.kind === "hard-stopped" ? reason : { kind: "failed", message: messageOf(error) };
  }
  let cacheKeys: number | undefined;
  let cacheChanges: SharedArrayBuffer | undefined;
  try {
    sink.flush();
    parcel.send();
    if (end.kind === "returned") cacheKeys = preparation?.target.guest.cacheSize();
    if (end.kind === "returned" && message.cacheUpdates !== undefined) {
      const changes = preparation?.target.guest.cacheChanges();
      cacheChanges = changes && sharedCopy(changes);
    }
  } catch (error) {
    end = runEndOf(error);
  }
  if (end.kind !== "returned") adopted.delete(message.key);
  const done: DoneMessage = {
    type: "done",
    end,
    answer,
    cacheChanges,
    stopSeen: mailbox.stopSeen,
    cacheKeys,
    descriptors: end.kind === "returned" && preparation !== undefined ? preparation.target.wasi.save() : [],
    memoryBytes: preparation?.target.guest.memoryBytes,
    scratch: preparation?.scratch?.save(),
    adoptMs: preparation?.adoptMs,
    restoreMs: preparation?.restoreMs,
  };
  post(done);
}

port.on("message", (message: ToExecutor) => {
  switch (message.type) {
    case "boot":
      void boot(message.memory);
      return;
    case "warm":
      void warm(message.memory);
      return;
    case "prepare":
      return makeReady(message);
    case "make-image":
      makeImage(message);
      return;
    case "forget":
      for (const key of message.keys) adopted.delete(key);
      return;
    case "run":
      run(message);
  }
});
post({ type: "ready" });
