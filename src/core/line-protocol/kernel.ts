/**
 * The line protocol kernel as the parser sees it: an instance of `runtime-wasm/kernels/line-protocol`, whose memory never
 * grows. Offsets and codes are those of the kernel's `layout.ts`; change both.
 */

/** The kernel's exports; addresses are byte positions in `memory`. `add…` give 0 when there is no room. */
export interface LineProtocolKernel {
  readonly memory: ArrayBuffer;
  windowAddress(): number;
  scratchAddress(): number;
  reportAddress(): number;
  /** Forgets all that `add…` made known; needed once before anything else. */
  forget(): void;
  begin(precision: number, missingTimeNs: bigint): void;
  /** 1 when the window's first `size` bytes are ASCII. */
  isAscii(size: number): number;
  /** Parses the window from `from` to `size`; `start` is its position in the body. A `RUN_…` code; details in the report. */
  run(from: number, size: number, start: number, lineNumber: number): number;
  /** Empties all stages. */
  clear(): void;
  addTable(host: number): number;
  addField(): number;
  addColumn(field: number, kind: number, host: number): number;
  /** The key's bytes are in the scratch area. */
  addKey(table: number, field: number, size: number): number;
  /** The prefix's bytes are in the scratch area. */
  addPrefix(size: number, table: number, host: number): number;
}

/** The line at the reported position is not for the kernel. */
export const RUN_DECLINED = 2;
/** Some table's stage must be taken before the run goes on. */
export const RUN_STAGE_FULL = 1;

export const KERNEL_WINDOW_BYTES = 262_144;
/** Zeros after the window's last newline. */
export const KERNEL_WINDOW_ZEROS = 64;
export const KERNEL_SCRATCH_BYTES = 65_536;
export const KERNEL_STAGE_ROWS = 512;
/** All of the kernel's memory. Address space: only what is used becomes resident. */
export const KERNEL_MEMORY_BYTES = 33_554_432;

/** Word offsets in the report. */
export const REPORT = { position: 0, lineNumber: 1, firstTable: 2 } as const;

/** Word offsets in a table's record; then columns of `KERNEL_STAGE_ROWS` rows. */
export const TABLE = {
  rows: 0, next: 1, firstColumn: 3, host: 5,
  time: 16, prefixes: 16 + 2 * KERNEL_STAGE_ROWS, lineNumbers: 16 + 3 * KERNEL_STAGE_ROWS, lineStarts: 16 + 4 * KERNEL_STAGE_ROWS,
} as const;

/** Word offsets in a column's record: validity bytes, then two words a row. */
export const COLUMN = { count: 0, next: 1, firstRow: 3, host: 4, valid: 16, data: 16 + KERNEL_STAGE_ROWS / 4 } as const;
