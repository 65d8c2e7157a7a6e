/**
 * Which process owns a node's part of a store that several machines reach. Each process writes its claim at start, the
 * newest one counts; an older process finds that out and refuses writes from then on.
 *
 * Catalog records, manifests and WAL objects are created, never replaced, so two processes meet at the same name. The claim
 * is looked at after each of them and before it counts: whoever takes over later reads the store with the object in it. So
 * what one process acknowledged no other can miss.
 */
import { DatabaseError, messageOf } from "../../core/errors/database-error.ts";
import { parquetFolder } from "../../core/snapshot/manifest.ts";
import type { Clock } from "../../ports/clock.ts";
import type { LogSink } from "../../ports/log-sink.ts";
import type { ObjectStore } from "../../ports/object-store.ts";
import { CLAIM_CHECK_MS } from "./limits.ts";

export interface NodeClaimOptions {
  readonly store: ObjectStore;
  readonly nodeId: string;
  /** Unique to this process. */
  readonly processName: string;
  /** For people: which machine. */
  readonly hostName: string;
  readonly clock: Clock;
  readonly log: LogSink;
}

const encoder = new TextEncoder();

export class NodeClaim {
  readonly #options: NodeClaimOptions;
  readonly #listeners = new Set<(error: DatabaseError) => void>();
  #superseded: DatabaseError | undefined;
  #cancelTimer: (() => void) | undefined;
  #closed = false;

  private constructor(options: NodeClaimOptions) {
    this.#options = options;
  }

  /** Takes the node. Throws `object_store.unavailable`. */
  static async take(options: NodeClaimOptions): Promise<NodeClaim> {
    const { store, nodeId, processName, hostName, clock } = options;
    const started = new Date(Number(clock.nowNs() / 1_000_000n)).toISOString();
    await store.put(pathOf(nodeId), encoder.encode(`${JSON.stringify({ process: processName, host: hostName, started })}\n`));
    const claim = new NodeClaim(options);
    claim.#arm();
    return claim;
  }

  /** Set once another process has taken the node. */
  get superseded(): DatabaseError | undefined {
    return this.#superseded;
  }

  onSuperseded(listener: (error: DatabaseError) => void): void {
    if (this.#superseded === undefined) this.#listeners.add(listener);
    else listener(this.#superseded);
  }

  /** Throws `node.superseded` when the node belongs to another process, `object_store.unavailable` when that cannot be found out. */
  async verify(): Promise<void> {
    if (this.#superseded !== undefined) throw this.#superseded;
    const bytes = await this.#options.store.get(pathOf(this.#options.nodeId));
    const owner = readClaim(bytes);
    if (owner.process !== this.#options.processName) throw this.supersede(owner.host);
  }

  /** Another process was found, here or by what it wrote. Returns the error for all further writes. */
  supersede(host?: string): DatabaseError {
    if (this.#superseded !== undefined) return this.#superseded;
    const { nodeId, log } = this.#options;
    const error = new DatabaseError("node.superseded", {
      message: `another process${host === undefined ? "" : ` (on '${host}')`} has written ahead of this one: it took over node '${nodeId}', so this one refuses writes`,
      hint: "only one server may run with this node id and object store: stop this one, or give it a node id of its own",
    });
    this.#superseded = error;
    log.log("error", error.message, { hint: error.hint });
    for (const listener of this.#listeners) listener(error);
    this.close();
    return error;
  }

  close(): void {
    this.#closed = true;
    this.#cancelTimer?.();
  }

  /** The store, with everything that others rely on tied to the claim. */
  guard(store: ObjectStore): ObjectStore {
    return {
      get: (path) => store.get(path),
      list: (prefix) => store.list(prefix),
      // What looks like an orphan to an older process may be a file of the newer one.
      delete: async (path) => {
        await this.verify();
        await store.delete(path);
      },
      put: async (path, bytes, options) => {
        // Before, so that a process that slept for long leaves nothing behind; after, so that it does not count.
        await this.verify();
        await store.put(path, bytes, options);
        // A Parquet file counts with its manifest.
        if (!path.startsWith(parquetFolder(this.#options.nodeId))) await this.verify();
      },
    };
  }

  #arm(): void {
    if (this.#closed) return;
    this.#cancelTimer = this.#options.clock.after(CLAIM_CHECK_MS, () => {
      // A store that is down is told elsewhere.
      void this.verify().catch(() => undefined).then(() => this.#arm());
    });
  }
}

const pathOf = (nodeId: string): string => `${nodeId}/owner.json`;

/** A claim that is gone or cannot be read is somebody else's. */
function readClaim(bytes: Uint8Array | undefined): { readonly process: string | undefined; readonly host: string | undefined } {
  if (bytes === undefined) return { process: undefined, host: undefined };
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
    const { process, host } = (value ?? {}) as Record<string, unknown>;
    return { process: typeof process === "string" ? process : undefined, host: typeof host === "string" ? host : undefined };
  } catch (error) {
    return { process: undefined, host: messageOf(error) };
  }
}
