/**
 * Plugins of a repository, `gh:<path>` (spec: processing-engine §14.4). One file per name. What was fetched is kept with
 * its hash: a running trigger never changes its code, and a restart needs no network. Creating a trigger asks anew.
 */
import { DatabaseError, messageOf } from "../../core/errors/database-error.ts";
import type { LogSink } from "../../ports/log-sink.ts";
import type { PluginCode } from "../../ports/plugin-runtime.ts";
import type { PluginRepository } from "../../ports/plugin-repository.ts";
import { outside } from "./errors.ts";
import { PLUGIN_BYTES_MAX, REPOSITORY_PATH_LENGTH_MAX, REPOSITORY_TIME_MS_MAX } from "./limits.ts";
import { MOVED_PATHS, OFFICIAL_REPOSITORY } from "./moved-paths.ts";
import type { Pins } from "./pins.ts";
import { singleFile } from "./read-plugin.ts";

export const REPOSITORY_PREFIX = "gh:";

export interface RepositoryOptions {
  /** `--plugin-repo`; default: the official one. */
  readonly base: string | undefined;
  readonly http: PluginRepository;
  readonly pins: Pins;
  readonly log: LogSink;
  /** A bundled plugin, for paths whose plugin we carry ourselves. */
  readonly bundled: (name: string) => Promise<PluginCode>;
}

type Answer = { readonly kind: "found"; readonly body: Uint8Array } | { readonly kind: "missing" | "unanswered"; readonly error: DatabaseError };

export class RepositoryPlugins {
  readonly #options: RepositoryOptions;
  readonly #base: string;
  /** By content, so that an unchanged file keeps its object. */
  readonly #codes = new WeakMap<Uint8Array, PluginCode>();

  constructor(options: RepositoryOptions) {
    this.#options = options;
    this.#base = (options.base ?? OFFICIAL_REPOSITORY).replace(/\/*$/, "/");
  }

  /** What was fetched last, without network; asks the repository only when nothing was. */
  async load(name: string): Promise<PluginCode> {
    const path = repositoryPath(name);
    if (this.#carries(path)) return this.#bundled(name, path);
    const kept = await this.#options.pins.get(this.#url(path));
    return kept === undefined ? this.newest(name, { pin: true }) : this.#code(name, kept);
  }

  async newest(name: string, { pin }: { readonly pin: boolean }): Promise<PluginCode> {
    const path = repositoryPath(name);
    if (this.#carries(path)) return this.#bundled(name, path);
    const url = this.#url(path);
    const answer = await this.#find(path, (found) => found);
    if (answer.kind === "found") {
      // Decoded first: a file that is no text is not kept.
      const code = this.#code(name, answer.body);
      if (pin) await this.#options.pins.set(url, answer.body);
      return code;
    }
    if (answer.kind === "unanswered") {
      const kept = await this.#options.pins.get(url);
      if (kept !== undefined) {
        this.#options.log.log("warn", `The plugin '${name}' cannot be fetched, the copy of the last time is used: ${answer.error.message}`);
        return this.#code(name, kept);
      }
    }
    if (MOVED_PATHS.get(path)?.bundled !== undefined) return this.#bundled(name, path);
    throw answer.error;
  }

  /** The bundled plugin that stands for the name without asking; undefined: the repository is asked. */
  bundledName(name: string): string | undefined {
    const path = repositoryPath(name);
    return this.#carries(path) ? MOVED_PATHS.get(path)?.bundled : undefined;
  }

  /** The official repository lacks the path; another one may still have it. */
  #carries(path: string): boolean {
    return this.#base === OFFICIAL_REPOSITORY && MOVED_PATHS.get(path)?.bundled !== undefined;
  }

  /** A file in the folder of the named one; undefined: there is none, or nobody answers. */
  async beside(name: string, file: string): Promise<Uint8Array | undefined> {
    const answer = await this.#find(repositoryPath(name), (path) => path.slice(0, path.lastIndexOf("/") + 1) + file);
    return answer.kind === "found" ? answer.body : undefined;
  }

  /** What `of` makes of the path, or of the place that it has moved to. */
  async #find(path: string, of: (path: string) => string): Promise<Answer> {
    const answer = await this.#ask(of(path));
    const moved = MOVED_PATHS.get(path)?.path;
    if (answer.kind !== "missing" || moved === undefined) return answer;
    this.#options.log.log("info", `The plugin '${path}' of the repository is now '${moved}'`);
    return this.#ask(of(moved));
  }

  async #ask(path: string): Promise<Answer> {
    const url = this.#url(path);
    const failed = (text: string, hint: string): DatabaseError =>
      new DatabaseError("plugin.repository", { message: `Plugin error: error fetching plugin from repository: ${text} ${url}`, hint });
    try {
      const { status, statusText, body } = await this.#options.http.get(url, { bytesMax: PLUGIN_BYTES_MAX, timeMsMax: REPOSITORY_TIME_MS_MAX });
      if (status >= 200 && status <= 299) return { kind: "found", body };
      const text = `${status} ${statusText === "" && status === 404 ? "Not Found" : statusText}`.trim();
      const hint = "name the path of one Python file in the repository, as in gh:influxdata/downsampler/downsampler.py; folders cannot be fetched";
      return { kind: status >= 500 || status === 429 ? "unanswered" : "missing", error: failed(text, hint) };
    } catch (error) {
      return { kind: "unanswered", error: failed(messageOf(error), "check the network and --plugin-repo; a plugin that was fetched once needs neither") };
    }
  }

  async #bundled(name: string, path: string): Promise<PluginCode> {
    return this.#options.bundled(MOVED_PATHS.get(path)?.bundled ?? name);
  }

  #url(path: string): string {
    return this.#base + path.split("/").map(encodeURIComponent).join("/");
  }

  #code(name: string, body: Uint8Array): PluginCode {
    const known = this.#codes.get(body);
    if (known?.fileName === name) return known;
    const code = singleFile(name, body, name);
    this.#codes.set(body, code);
    return code;
  }
}

/** Throws `plugin.path_outside` for what could leave the repository's folder. */
function repositoryPath(name: string): string {
  const path = name.slice(REPOSITORY_PREFIX.length).replace(/^\/+/, "");
  const parts = path.split("/");
  const isBad = path === "" || path.length > REPOSITORY_PATH_LENGTH_MAX || parts.some((part) => part === "" || part === "." || part === "..");
  if (isBad || /[\u0000-\u001f\u007f\\?#%]/.test(path)) throw outside(name);
  return path;
}
