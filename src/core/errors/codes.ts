/**
 * The closed registry of error codes: who must act, which HTTP status an edge answers with, and whether the same
 * call may succeed later. A snapshot test makes a changed code visible in review.
 */

/** Who must act: the client, the client after a wait, the operator, the plugin's author, or us. */
export type Fault = "caller" | "capacity" | "environment" | "plugin" | "internal";

/** Every code that a `DatabaseError` may carry: its fault, HTTP status, and whether a retry may help. */
export const ERROR_CODES = {
  "line_protocol.invalid": ["caller", 400, false],
  "write.empty": ["caller", 400, false],
  "write.partial": ["caller", 400, false],
  "write.partial_limit": ["caller", 422, false],
  "write.rejected": ["caller", 400, false],
  "database.invalid_name": ["caller", 400, false],
  "database.not_found": ["caller", 404, false],
  "database.deleted": ["caller", 400, false],
  "database.limit": ["caller", 422, false],
  "database.internal": ["caller", 500, false],
  "table.not_found": ["caller", 404, false],
  "table.limit": ["caller", 422, false],
  "column.limit": ["caller", 422, false],
  "column.type_conflict": ["caller", 400, false],
  "column.reserved": ["caller", 400, false],
  "resource.exists": ["caller", 409, false],
  "resource.not_found": ["caller", 404, false],
  "request.invalid": ["caller", 400, false],
  "request.too_large": ["caller", 413, false],
  "request.content_type": ["caller", 415, false],
  "query.invalid": ["caller", 400, false],
  "query.not_allowed": ["caller", 400, false],
  "query.not_implemented": ["caller", 405, false],
  "query.failed": ["caller", 500, false],
  "query.cancelled": ["caller", 500, false],
  "query.memory_limit": ["capacity", 500, true],
  "query.time_limit": ["capacity", 500, true],
  "query.concurrency_limit": ["capacity", 429, true],
  "trigger.invalid_specification": ["caller", 500, false],
  "trigger.not_supported": ["caller", 400, false],
  "trigger.running": ["caller", 500, false],
  "plugin.not_found": ["caller", 500, false],
  "plugin.path_outside": ["caller", 500, false],
  "plugin.no_directory": ["environment", 500, false],
  "plugin.raised": ["plugin", 500, false],
  "plugin.time_limit": ["plugin", 500, false],
  "plugin.memory_limit": ["plugin", 500, false],
  "plugin.message_invalid": ["plugin", 500, false],
  "wal_ring.full": ["capacity", 503, true],
  "wal.record_too_large": ["caller", 413, false],
  "wal.closed": ["environment", 500, false],
  "wal.write_failed": ["environment", 500, false],
  "wal.corrupt": ["environment", 500, false],
  "buffer.full": ["capacity", 503, true],
  "catalog.corrupt": ["environment", 500, false],
  "catalog.foreign": ["environment", 500, false],
  "object_store.unavailable": ["environment", 500, true],
  "object_store.exists": ["environment", 500, false],
  "object_store.not_found": ["environment", 500, false],
  "server.address_in_use": ["environment", 500, false],
  "server.address_not_local": ["environment", 500, false],
  "server.folder_not_writable": ["environment", 500, false],
  "server.misconfigured": ["environment", 500, false],
  "internal.invariant": ["internal", 500, false],
} as const satisfies Record<string, readonly [fault: Fault, status: number, retry: boolean]>;

/** A code of the registry. */
export type ErrorCode = keyof typeof ERROR_CODES;
