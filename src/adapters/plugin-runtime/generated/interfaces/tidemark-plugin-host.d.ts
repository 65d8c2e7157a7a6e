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
 * Refused with `denied` and a sentence for the plugin unless the trigger has the grant; of `net` the subject is
 * `host:port`.
 */
export function checkGrant(grant: Grant, subject: string): void;
/**
 * Always refused, with the sentence for the plugin: the run met this limit.
 */
export function exceeded(limit: OwnLimit): void;
/**
 * JSON with figures of the machine: cpu, memory, disk or network.
 */
export function systemMetrics(group: string): Uint8Array;
/**
 * Called every few thousand steps of the interpreter; true asks it to raise the interruption.
 */
export function poll(): boolean;
export type LogLevel = import('./tidemark-plugin-types.js').LogLevel;
export type HostError = import('./tidemark-plugin-types.js').HostError;
export type NamedText = import('./tidemark-plugin-types.js').NamedText;
export type Grant = import('./tidemark-plugin-types.js').Grant;
export type OwnLimit = import('./tidemark-plugin-types.js').OwnLimit;
