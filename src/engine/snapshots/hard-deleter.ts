/**
 * Makes deletion real: once its time has come, the files of a deleted table or database leave the manifests, then their
 * objects are deleted, then the catalog notes it, and after a grace period the catalog forgets it. Every step can be
 * repeated, so a crash between two of them only means that the next check goes on.
 */
import type { CatalogOp } from "../../core/catalog/ops.ts";
import { dueErasures, type Erasure, planForget } from "../../core/catalog/plan-deletion.ts";
import type { CatalogState } from "../../core/catalog/state.ts";
import { messageOf } from "../../core/errors/database-error.ts";
import { parquetFolder, tableFolder } from "../../core/snapshot/manifest.ts";
import type { Clock } from "../../ports/clock.ts";
import type { LogSink } from "../../ports/log-sink.ts";
import { FILES_PER_REMOVAL_MAX, HARD_DELETE_CHECK_MS } from "../storage-limits.ts";
import type { ManifestLog } from "./manifest-log.ts";
import type { ParquetObjects } from "./parquet-objects.ts";

export interface HardDeleterCatalog {
  readonly state: CatalogState;
  change(plan: (state: CatalogState) => readonly CatalogOp[]): Promise<unknown>;
  onChange(listener: (op: CatalogOp) => void): () => void;
}

export interface HardDeleterOptions {
  readonly catalog: HardDeleterCatalog;
  readonly manifests: ManifestLog;
  readonly objects: ParquetObjects;
  readonly nodeId: string;
  readonly clock: Clock;
  readonly log: LogSink;
  /** How long the catalog keeps what was erased. */
  readonly graceNs: bigint;
}

export class HardDeleter {
  readonly #options: HardDeleterOptions;
  readonly #stopListening: () => void;
  #running: Promise<void> | undefined;
  #cancelTimer: (() => void) | undefined;
  #closed = false;

  constructor(options: HardDeleterOptions) {
    this.#options = options;
    this.#stopListening = options.catalog.onChange(({ kind }) => {
      if (kind === "delete-database" || kind === "delete-table" || kind === "schedule-erase") this.#arm(0);
    });
    this.#arm(HARD_DELETE_CHECK_MS);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#stopListening();
    this.#cancelTimer?.();
    await this.#running;
  }

  #arm(delayMs: number): void {
    if (this.#closed) return;
    this.#cancelTimer?.();
    this.#cancelTimer = this.#options.clock.after(delayMs, () => void this.checkNow().finally(() => this.#arm(HARD_DELETE_CHECK_MS)));
  }

  /** A failure is logged; the next check goes on. */
  async checkNow(): Promise<void> {
    await this.#running;
    this.#running = this.#check().finally(() => (this.#running = undefined));
    await this.#running;
  }

  async #check(): Promise<void> {
    const { catalog, clock, log, graceNs } = this.#options;
    try {
      for (const erasure of dueErasures(catalog.state, clock.nowNs())) if (!this.#closed) await this.#erase(erasure);
      await this.#removeStrays();
      const forget = (state: CatalogState): readonly CatalogOp[] => planForget(state, clock.nowNs(), graceNs);
      if (forget(catalog.state).length > 0) await catalog.change(forget);
    } catch (error) {
      log.log("warn", `Deleted data cannot be removed now; the next check tries again: ${messageOf(error)}`);
    }
  }

  async #erase(erasure: Erasure): Promise<void> {
    const { catalog, objects, nodeId, clock, log } = this.#options;
    const { databaseId, tableId, tableIds } = erasure;
    if (!(await this.#takeOut(tableIds))) return;
    const folder = tableId === undefined ? `${parquetFolder(nodeId)}${databaseId}/` : tableFolder(nodeId, databaseId, tableId);
    // Objects that a query may still read are left: the next check comes back for them.
    if ((await objects.deleteOrphans(folder)) > 0) return;
    const isStillDue = (state: CatalogState): boolean => dueErasures(state, clock.nowNs()).some((due) => due.databaseId === databaseId && due.tableId === tableId);
    await catalog.change((state) => (isStillDue(state) ? [{ kind: "mark-erased", databaseId, ...(tableId === undefined ? {} : { tableId }), erasedAtNs: clock.nowNs() }] : []));
    log.log("info", `The data of the deleted ${tableId === undefined ? "database" : "table"} '${erasure.name}' are gone`);
  }

  /** True when no file of these tables counts any more. */
  async #takeOut(tableIds: Iterable<number>): Promise<boolean> {
    const { manifests } = this.#options;
    const paths = [...tableIds].flatMap((tableId) => manifests.files.ofTable(tableId).map(({ path }) => path));
    for (let from = 0; from < paths.length && !this.#closed; from += FILES_PER_REMOVAL_MAX) {
      const removed = paths.slice(from, from + FILES_PER_REMOVAL_MAX);
      await manifests.append((files) => ({ added: [], removed: removed.filter((path) => files.has(path)) }));
    }
    return !this.#closed;
  }

  /** Files of tables that are erased or forgotten: a snapshot that was under way had still written them. */
  async #removeStrays(): Promise<void> {
    const { catalog, manifests } = this.#options;
    const { tablesById, databasesById } = catalog.state;
    const isStray = (tableId: number): boolean => {
      const table = tablesById.get(tableId);
      return table === undefined || table.deletion?.erasedAtNs !== undefined || databasesById.get(table.databaseId)?.deletion?.erasedAtNs !== undefined;
    };
    const strays = [...manifests.files.tables()].map(([tableId]) => tableId).filter(isStray);
    if (strays.length > 0) await this.#takeOut(strays);
  }
}
