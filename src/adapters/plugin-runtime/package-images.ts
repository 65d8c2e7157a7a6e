/**
 * Memory images in which packages are imported already, so that a plugin which needs `requests` starts as fast as one that needs
 * nothing. One for each set of imports that plugins begin with: a plugin gets the image with exactly what it imports itself, so
 * what a package changes while it is imported reaches no other plugin. An image is made on an executor of its own, without
 * grants, while the plugin that wants it first imports by itself.
 */
import { readdirSync } from "node:fs";
import { type ImportStatement, pluginImports } from "../../core/packages/plugin-imports.ts";
import type { Clock } from "../../ports/clock.ts";
import type { LogSink } from "../../ports/log-sink.ts";
import type { PluginCode } from "../../ports/plugin-runtime.ts";
import type { MadeImage } from "./executor-protocol.ts";
import { MAKING_WAIT_MS_MAX, PACKAGE_IMAGES_BYTES_MAX, PACKAGE_IMAGES_MAX, UNIMAGED_SETS_MAX } from "./limits.ts";
import type { MemoryImage } from "./memory-image.ts";

export interface PackageImagesOptions {
  readonly clock: Clock;
  readonly log: LogSink;
  /** Folder of the installed packages; undefined: none are. */
  readonly packages: () => string | undefined;
  /** Makes one, with an executor that ends afterwards. Never rejects. */
  readonly make: (imports: readonly ImportStatement[]) => Promise<MadeImage>;
  /** Whether so many bytes more may be held. */
  readonly hasRoom: (bytes: number) => boolean;
}

type Entry = { readonly kind: "making"; readonly done: Promise<unknown> } | { readonly kind: "made"; readonly image: MemoryImage; readonly environment: readonly string[] } | { readonly kind: "none" };

export interface Wanted {
  readonly code: PluginCode;
  /** Names of the variables that the trigger was granted. */
  readonly environment: readonly string[];
  readonly memoryBytesMax: number;
}

export class PackageImages {
  readonly #options: PackageImagesOptions;
  /** By set of imports, least recently used first. */
  readonly #entries = new Map<string, Entry>();
  readonly #imports = new WeakMap<PluginCode, readonly ImportStatement[]>();
  #installed: ReadonlySet<string> | undefined;
  /** Raised when the packages change: what is being made is for the old ones. */
  #generation = 0;

  constructor(options: PackageImagesOptions) {
    this.#options = options;
  }

  get count(): number {
    return this.#made().length;
  }

  get bytes(): number {
    return this.#made().reduce((sum, [, { image }]) => sum + image.data.byteLength, 0);
  }

  /** The packages have changed. Guests that run keep what they have imported. */
  clear(): void {
    this.#generation += 1;
    this.#installed = undefined;
    this.#entries.clear();
  }

  /** Gives memory back that is needed for guests. */
  shrink(): void {
    for (const [key] of this.#made()) this.#entries.delete(key);
  }

  /** For a guest that starts; undefined: with the bare interpreter. Waits a little for one that is being made. */
  async imageFor(wanted: Wanted): Promise<MemoryImage | undefined> {
    const imports = this.#importsOf(wanted.code);
    if (imports.length === 0) return undefined;
    const key = JSON.stringify(imports);
    const entry = this.#entries.get(key);
    if (entry === undefined) this.#begin(key, imports);
    else if (entry.kind === "making") await this.#atMost(entry.done);
    return this.#ready(key, wanted);
  }

  /** Without waiting, for a guest that is reset. */
  imageNow(wanted: Wanted): MemoryImage | undefined {
    return this.#ready(JSON.stringify(this.#importsOf(wanted.code)), wanted);
  }

  #ready(key: string, { environment, memoryBytesMax }: Wanted): MemoryImage | undefined {
    const entry = this.#entries.get(key);
    if (entry?.kind !== "made" || entry.image.memoryBytes > memoryBytesMax) return undefined;
    // What an import has read of the environment it would read differently here.
    if (environment.length > 0 && (entry.environment.includes("*") || entry.environment.some((name) => environment.includes(name)))) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry.image;
  }

  /** Of installed packages only. */
  #importsOf(code: PluginCode): readonly ImportStatement[] {
    const folder = this.#options.packages();
    if (folder === undefined) return [];
    let imports = this.#imports.get(code);
    if (imports === undefined) this.#imports.set(code, (imports = pluginImports(code)));
    const installed = (this.#installed ??= topLevelNames(folder));
    return imports.filter(({ module }) => installed.has(module.split(".")[0] as string));
  }

  #begin(key: string, imports: readonly ImportStatement[]): void {
    const generation = this.#generation;
    const done = this.#options.make(imports).then((made) => {
      if (generation === this.#generation) this.#keep(key, made);
    });
    this.#entries.set(key, { kind: "making", done });
  }

  #keep(key: string, made: MadeImage): void {
    const names = (JSON.parse(key) as readonly ImportStatement[]).map(({ module }) => module).join(", ");
    this.#entries.delete(key);
    if ("refusal" in made) {
      this.#options.log.log("info", `Plugins that import ${names} start without a memory image of it: ${made.refusal}`);
      this.#entries.set(key, { kind: "none" });
      const none = [...this.#entries].filter(([, { kind }]) => kind === "none");
      for (const [surplus] of none.slice(0, Math.max(0, none.length - UNIMAGED_SETS_MAX))) this.#entries.delete(surplus);
      return;
    }
    const bytes = made.image.data.byteLength;
    if (bytes > PACKAGE_IMAGES_BYTES_MAX) {
      this.#entries.set(key, { kind: "none" });
      return;
    }
    for (const [oldest] of this.#made()) {
      if (this.count < PACKAGE_IMAGES_MAX && this.bytes + bytes <= PACKAGE_IMAGES_BYTES_MAX) break;
      this.#entries.delete(oldest);
    }
    this.#entries.set(key, this.#options.hasRoom(bytes) ? { kind: "made", ...made } : { kind: "none" });
  }

  #made(): readonly (readonly [key: string, entry: Entry & { readonly kind: "made" }])[] {
    return [...this.#entries].flatMap(([key, entry]) => (entry.kind === "made" ? [[key, entry] as const] : []));
  }

  #atMost(done: Promise<unknown>): Promise<unknown> {
    return new Promise<unknown>((resolve) => {
      const cancel = this.#options.clock.after(MAKING_WAIT_MS_MAX, () => resolve(undefined));
      void done.then(() => {
        cancel();
        resolve(undefined);
      });
    });
  }
}

function topLevelNames(folder: string): ReadonlySet<string> {
  try {
    return new Set(readdirSync(folder, { withFileTypes: true }).map((entry) => (entry.isDirectory() ? entry.name : entry.name.replace(/\.py$/, ""))));
  } catch {
    return new Set();
  }
}
