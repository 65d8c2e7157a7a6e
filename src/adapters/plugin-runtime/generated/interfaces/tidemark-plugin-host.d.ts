/** @module Interface tidemark:plugin/host@1.0.0 **/
export function log(level: LogLevel, text: string): void;
/**
 * Answers one table batch.
 */
export function query(sql: string, arguments: Array<NamedText>, database: string | undefined): Uint8Array;
export function writeSync(database: string | undefined, lines: string, noSync: boolean): void;
/**
 * Values use the data-only encoding of runtime-wasm/python/data_codec.py; ttl in seconds.
 */
export function globalCachePut(key: string, value: Uint8Array, ttl: number | undefined): void;
export function globalCacheGet(key: string): Uint8Array | undefined;
export function globalCacheDelete(key: string): boolean;
/**
 * Called every few thousand steps of the interpreter; true asks it to raise the interruption.
 */
export function poll(): boolean;
export type LogLevel = import('./tidemark-plugin-types.js').LogLevel;
export type HostError = import('./tidemark-plugin-types.js').HostError;
export type NamedText = import('./tidemark-plugin-types.js').NamedText;
