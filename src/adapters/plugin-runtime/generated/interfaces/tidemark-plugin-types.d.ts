/** @module Interface tidemark:plugin/types@1.0.0 **/
/**
 * # Variants
 * 
 * ## `"info"`
 * 
 * ## `"warn"`
 * 
 * ## `"error"`
 */
export type LogLevel = 'info' | 'warn' | 'error';
/**
 * Which Python exception a failed host call becomes (spec: processing-engine §11).
 * # Variants
 * 
 * ## `"query-error"`
 * 
 * `QueryError`
 * ## `"write-error"`
 * 
 * `Exception` with the message as it stands
 * ## `"type-error"`
 * 
 * ## `"value-error"`
 * 
 * ## `"denied"`
 * 
 * `PermissionError`: the trigger was not granted this
 * ## `"limit"`
 * 
 * `ResourceLimitError`: a named limit of the trigger was met
 * ## `"interrupted"`
 * 
 * `KeyboardInterrupt`: the run was cancelled
 * ## `"internal"`
 * 
 * `RuntimeError`: a fault of the server
 * ## `"network-error"`
 * 
 * `OSError`, `socket.gaierror` or `ssl.SSLError`: the message begins with its name (`ECONNREFUSED`, `EAI_NONAME`,
 * `CERTIFICATE_VERIFY_FAILED`) and a space
 */
export type ErrorKind = 'query-error' | 'write-error' | 'type-error' | 'value-error' | 'denied' | 'limit' | 'interrupted' | 'internal' | 'network-error';
/**
 * What a trigger must have been granted (docs/security.md).
 * # Variants
 * 
 * ## `"net"`
 * 
 * ## `"env"`
 * 
 * ## `"scratch"`
 * 
 * ## `"sys"`
 * 
 * ## `"db"`
 */
export type Grant = 'net' | 'env' | 'scratch' | 'sys' | 'db';
/**
 * What of a connection is to end.
 * # Variants
 * 
 * ## `"write"`
 * 
 * ## `"all"`
 */
export type NetDirection = 'write' | 'all';
/**
 * Limits of the trigger that the guest counts itself.
 * # Variants
 * 
 * ## `"write-bytes"`
 * 
 * ## `"response-bytes"`
 * 
 * ## `"cache-bytes"`
 */
export type OwnLimit = 'write-bytes' | 'response-bytes' | 'cache-bytes';
export interface HostError {
  kind: ErrorKind,
  message: string,
}
/**
 * One named text value: a trigger argument, a query parameter, a header.
 */
export interface NamedText {
  name: string,
  value: string,
}
/**
 * What holds for an instance as long as it lives.
 */
export interface InstanceSettings {
  /**
   * granted variables of the server's environment
   */
  environment: Array<NamedText>,
  /**
   * line protocol that one run may buffer
   */
  writeBytes: number,
  responseBytes: number,
  /**
   * values in the private cache
   */
  cacheBytes: number,
}
/**
 * The plugin's code. `source` is the text of a single-file plugin; none means that `module` is a package below
 * `/plugins`. `revision` changes whenever a file of the plugin changed: the guest then compiles or imports it again.
 */
export interface PluginCode {
  fileName: string,
  source?: string,
  module: string,
  revision: bigint,
}
export interface RunContext {
  plugin: PluginCode,
  /**
   * none: the trigger was created without arguments
   */
  arguments?: Array<NamedText>,
  /**
   * leave out absent columns instead of giving None
   */
  sparseRows: boolean,
}
/**
 * Rows of one table. `columns` names every column of the table in creation order, `time` last; `batches` are
 * table batches (docs/ARCHITECTURE.md) in WAL order, each with some of those columns.
 */
export interface TableRows {
  tableName: string,
  columns: Array<string>,
  batches: Array<Uint8Array>,
}
export interface Request {
  query: Array<NamedText>,
  headers: Array<NamedText>,
  body: Uint8Array,
}
export interface Response {
  status: number,
  headers: Array<NamedText>,
  body: Uint8Array,
}
/**
 * Line protocol that `write`/`write_to_db` collected; none: the trigger's own database.
 */
export interface BufferedWrite {
  database?: string,
  lines: string,
}
/**
 * An exception that left the plugin: `type-name` is the qualified name without module, `traceback` Python's text.
 * An empty `type-name`: the sentence in `message` is the interpreter's own (a missing function, a failed import) and
 * stands alone. `in-entry-point`: the function itself raised, not the code that loads it.
 */
export interface Failure {
  typeName: string,
  message: string,
  traceback: string,
  outOfMemory: boolean,
  interrupted: boolean,
  inEntryPoint: boolean,
}
