/** Limits of the catalog; defaults of the reference (spec: line-protocol-and-write §8). */
export interface CatalogLimits {
  /** Live databases, `_internal` not counted. */
  readonly databasesMax: number;
  /** Live tables of the whole server. */
  readonly tablesMax: number;
  /** Tags and fields of one table; `time` not counted. */
  readonly columnsPerTableMax: number;
  /** Tags of one table. */
  readonly tagColumnsPerTableMax: number;
  /** Triggers of one database: ours, since each costs memory. */
  readonly triggersPerDatabaseMax: number;
}

export const DEFAULT_CATALOG_LIMITS: CatalogLimits = {
  databasesMax: 5,
  tablesMax: 2_000,
  columnsPerTableMax: 500,
  tagColumnsPerTableMax: 4_096,
  triggersPerDatabaseMax: 1_000,
};

/** 255 + `/` + 255 (spec: line-protocol-and-write §8). */
export const DATABASE_NAME_BYTES_MAX = 511;

/** Log records between two checkpoints (spec: storage §6). */
export const RECORDS_PER_CHECKPOINT = 100;

/** Log records read on start before we call the log broken: checkpoints keep it near 100. */
export const LOG_RECORDS_MAX = 1_000_000;

/** One log record or checkpoint: 2,000 tables of 500 columns take about 60 MB. */
export const CATALOG_OBJECT_BYTES_MAX = 268_435_456;

/** Changes waiting for their turn. */
export const CHANGES_WAITING_MAX = 10_000;

/** Plans of one schema change before it is given up: each round means another writer changed the catalog meanwhile. */
export const PLAN_ROUNDS_MAX = 16;

/** `hard_delete_at=default` (spec: storage §9). */
export const HARD_DELETE_AFTER_NS_DEFAULT = 72n * 3_600_000_000_000n;

/** The catalog keeps what was erased so long (spec: storage §9). */
export const DELETE_GRACE_NS_DEFAULT = 24n * 3_600_000_000_000n;

/** Each cache of a table costs time with every write to it. */
export const CACHES_PER_TABLE_MAX = 32;

/** Rows that a last value cache keeps for each key: its ring is copied when it moves. */
export const CACHE_COUNT_MAX = 1_000;
