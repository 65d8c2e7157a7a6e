/**
 * What was fetched from plugin repositories, by URL: the content's SHA-256 in a list, the contents in files named by
 * it. A file that does not match its hash is treated as absent. Without a folder everything stays in memory.
 */
import { createHash } from "node:crypto";
import { mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { messageOf } from "../../core/errors/database-error.ts";
import type { LogSink } from "../../ports/log-sink.ts";
import { Kept } from "./kept.ts";
import { PLUGIN_BYTES_KEPT_MAX, PLUGIN_KEPT_BYTES, REPOSITORY_PINS_MAX } from "./limits.ts";
import { replaceFile } from "./write-plugin.ts";

interface Pin {
  readonly url: string;
  readonly sha256: string;
}

export interface PinsOptions {
  readonly folder: string | undefined;
  readonly randomName: () => string;
  readonly log: LogSink;
}

export const sha256Of = (content: Uint8Array): string => createHash("sha256").update(content).digest("hex");

export class Pins {
  readonly #options: PinsOptions;
  readonly #contents = new Kept<Uint8Array>(PLUGIN_BYTES_KEPT_MAX);
  #pins: Promise<Map<string, string>> | undefined;
  #lastSave: Promise<void> = Promise.resolve();

  constructor(options: PinsOptions) {
    this.#options = options;
  }

  async get(url: string): Promise<Uint8Array | undefined> {
    const sha256 = (await this.#list()).get(url);
    if (sha256 === undefined) return undefined;
    const held = this.#contents.get(sha256);
    if (held !== undefined) return held;
    const { folder, log } = this.#options;
    const content = folder === undefined ? undefined : await readFile(join(folder, sha256)).catch(() => undefined);
    if (content === undefined) return undefined;
    if (sha256Of(content) !== sha256) {
      log.log("warn", `The kept copy of '${url}' does not match its hash and is not used`, { sha256 });
      return undefined;
    }
    this.#contents.set(sha256, content, content.length + PLUGIN_KEPT_BYTES);
    return content;
  }

  /** Resolves once it is on disk. */
  async set(url: string, content: Uint8Array): Promise<void> {
    const pins = await this.#list();
    const sha256 = sha256Of(content);
    const before = pins.get(url);
    this.#contents.set(sha256, content, content.length + PLUGIN_KEPT_BYTES);
    pins.delete(url);
    pins.set(url, sha256);
    const dropped = before === undefined || before === sha256 ? [] : [before];
    for (const [oldest, hash] of pins) {
      if (pins.size <= REPOSITORY_PINS_MAX) break;
      pins.delete(oldest);
      dropped.push(hash);
    }
    const { log } = this.#options;
    if (before === undefined) log.log("info", `Fetched the plugin '${url}'`, { sha256 });
    else if (before !== sha256) log.log("warn", `The plugin '${url}' has changed since it was fetched last: triggers run the new code from now on`, { before, sha256 });
    this.#lastSave = this.#lastSave.then(() => this.#save(pins, { sha256, content, dropped }));
    await this.#lastSave;
  }

  #list(): Promise<Map<string, string>> {
    this.#pins ??= this.#read();
    return this.#pins;
  }

  async #read(): Promise<Map<string, string>> {
    const { folder, log } = this.#options;
    if (folder === undefined) return new Map();
    const text = await readFile(join(folder, "pins.json"), "utf8").catch(() => "[]");
    try {
      return new Map((JSON.parse(text) as Pin[]).filter(({ sha256 }) => /^[0-9a-f]{64}$/.test(sha256)).map(({ url, sha256 }) => [url, sha256]));
    } catch (error) {
      log.log("warn", `The list of fetched plugins in '${folder}' cannot be read; they are fetched again: ${messageOf(error)}`);
      return new Map();
    }
  }

  /** A folder that cannot be written costs the offline copy, not the plugin. */
  async #save(pins: ReadonlyMap<string, string>, { sha256, content, dropped }: { sha256: string; content: Uint8Array; dropped: readonly string[] }): Promise<void> {
    const live = new Set(pins.values());
    const dead = dropped.filter((known) => !live.has(known));
    for (const known of dead) this.#contents.delete(known);
    const { folder, log, randomName } = this.#options;
    if (folder === undefined) return;
    const temporary = (): string => join(folder, `${randomName()}.tmp`);
    try {
      await mkdir(folder, { recursive: true });
      await replaceFile(join(folder, sha256), content, temporary());
      const list = [...pins].map(([url, hash]): Pin => ({ url, sha256: hash }));
      await replaceFile(join(folder, "pins.json"), new TextEncoder().encode(`${JSON.stringify(list, undefined, 2)}\n`), temporary());
      for (const known of dead) await rm(join(folder, known), { force: true });
    } catch (error) {
      log.log("warn", `A fetched plugin cannot be kept in '${folder}': ${messageOf(error)}`);
    }
  }
}
