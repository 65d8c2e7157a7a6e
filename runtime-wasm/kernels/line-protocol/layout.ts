// Where everything lies in the kernel's memory. The host reads the records by these offsets (kernel-layout.ts in the core):
// change both. The memory never grows: views of it stay valid.

/** Rows that a table collects before the host must take them. */
export const STAGE_ROWS: u32 = 512;
/** Bytes of line protocol at once. */
export const WINDOW_BYTES: u32 = 262_144;
/** Readable bytes after the window, so that wide loads need no bounds. */
const WINDOW_PAD: u32 = 128;
const SCRATCH_BYTES: u32 = 65_536;
export const PREFIXES_MAX: u32 = 65_536;
const PREFIX_ARENA_BYTES: u32 = 16_777_216;
const PREFIX_SLOTS: u32 = 131_072;
const KEYS_MAX: u32 = 8_192;
const KEY_SLOTS: u32 = 16_384;
/** Fields of one line; a longer one is left to the host. */
export const LINE_FIELDS_MAX: u32 = 4_096;
const MEMORY_BYTES: u32 = 33_554_432;

/** What `run` reports: u32 position | u32 line number | u32 first table with rows. */
export const REPORT: usize = memory.data(16, 16);

// Everything else is laid out from the end of the static data on.
const START: usize = (__heap_base + 63) & ~63;
export const WINDOW: usize = START;
/** Where the host puts a prefix or key that it makes known. */
export const SCRATCH: usize = WINDOW + WINDOW_BYTES + WINDOW_PAD;
export const ROW_COLUMNS: usize = SCRATCH + SCRATCH_BYTES;
export const PREFIX_SLOTS_AT: usize = ROW_COLUMNS + LINE_FIELDS_MAX * 4;
export const PREFIX_SLOT_MASK: u32 = PREFIX_SLOTS - 1;
/** Records of 32 bytes: offset, size, hash, next index (-1 none), table, host's number. */
export const PREFIXES: usize = PREFIX_SLOTS_AT + PREFIX_SLOTS * 4;
export const PREFIX_ARENA: usize = PREFIXES + PREFIXES_MAX * 32;
export const PREFIX_ARENA_END: usize = PREFIX_ARENA + PREFIX_ARENA_BYTES;
export const KEY_SLOTS_AT: usize = PREFIX_ARENA_END + 64;
export const KEY_SLOT_MASK: u32 = KEY_SLOTS - 1;
export const KEYS_LIMIT: u32 = KEYS_MAX;
export const POOL: usize = KEY_SLOTS_AT + KEY_SLOTS * 4;
export const POOL_END: usize = MEMORY_BYTES;

// Prefix
export const PREFIX_OFFSET: usize = 0;
export const PREFIX_SIZE: usize = 4;
export const PREFIX_HASH: usize = 8;
export const PREFIX_NEXT: usize = 12;
export const PREFIX_TABLE: usize = 16;
export const PREFIX_HOST: usize = 20;

// Table
export const TABLE_ROWS: usize = 0;
export const TABLE_NEXT: usize = 4;
export const TABLE_FIRST_KEY: usize = 8;
export const TABLE_FIRST_COLUMN: usize = 12;
export const TABLE_LAST_COLUMN: usize = 16;
export const TABLE_HOST: usize = 20;
export const TABLE_TIME: usize = 64;
export const TABLE_PREFIXES: usize = TABLE_TIME + STAGE_ROWS * 8;
export const TABLE_LINE_NUMBERS: usize = TABLE_PREFIXES + STAGE_ROWS * 4;
export const TABLE_LINE_STARTS: usize = TABLE_LINE_NUMBERS + STAGE_ROWS * 4;
export const TABLE_BYTES: usize = TABLE_LINE_STARTS + STAGE_ROWS * 4;

// Column of one field and kind
export const COLUMN_COUNT: usize = 0;
export const COLUMN_NEXT: usize = 4;
export const COLUMN_PREVIOUS: usize = 8;
export const COLUMN_FIRST_ROW: usize = 12;
export const COLUMN_HOST: usize = 16;
export const COLUMN_VALID: usize = 64;
export const COLUMN_DATA: usize = COLUMN_VALID + STAGE_ROWS;
export const COLUMN_BYTES: usize = COLUMN_DATA + STAGE_ROWS * 8;

// Field: the line that last used it, then a column for each kind
export const FIELD_LINE: usize = 0;
export const FIELD_COLUMNS: usize = 4;
export const FIELD_BYTES: usize = 32;

// Spelling of a field key, its equals sign included
export const KEY_SIZE: usize = 0;
export const KEY_FIELD: usize = 4;
export const KEY_NEXT: usize = 8;
export const KEY_TABLE: usize = 12;
export const KEY_HASH: usize = 16;
export const KEY_MASK: usize = 32;
export const KEY_TEXT: usize = 48;
