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
 * Network. A connection belongs to the run that opened it and ends with it. `wait` is in seconds: none waits as long as
 * the run may, 0 not at all.
 * Addresses of a name, as a JSON list. Refused with `denied` unless the trigger may reach `host:port` (0: any port).
 */
export function netResolve(host: string, port: number): Uint8Array;
/**
 * Begins to connect to an address.
 */
export function netOpen(address: string, port: number): number;
/**
 * One end of TLS whose encrypted bytes the guest carries; settings as for `net-start-tls`.
 */
export function netOpenTls(settings: Uint8Array): number;
/**
 * Begins TLS on a connection that is connected; `settings` is `TlsSettings` (src/ports/plugin-network.ts) as JSON.
 */
export function netStartTls(connection: number, settings: Uint8Array): void;
/**
 * Number of bytes that were taken over; 0: there was no room in that time.
 */
export function netSend(connection: number, data: Uint8Array, wait: number | undefined): number;
/**
 * No bytes: the peer has ended; none: nothing came in that time.
 */
export function netReceive(connection: number, bytesMax: number, wait: number | undefined): Uint8Array | undefined;
/**
 * Waits until one connection is ready. `interests`: for each a little-endian u32 connection and u32 of bits (1 readable,
 * 2 writable); the answer has one byte of bits for each (4: it failed or is not open).
 */
export function netWait(interests: Uint8Array, wait: number | undefined): Uint8Array;
/**
 * Addresses, what TLS agreed on, and why it broke, as JSON.
 */
export function netDescribe(connection: number): Uint8Array;
export function netClose(connection: number, direction: NetDirection): void;
/**
 * Encrypted bytes of the peer for an end of TLS; none: the peer has ended.
 */
export function netFeed(connection: number, data: Uint8Array): void;
/**
 * Encrypted bytes for the peer.
 */
export function netDrain(connection: number): Uint8Array;
/**
 * Called every few thousand steps of the interpreter; true asks it to raise the interruption.
 */
export function poll(): boolean;
export type LogLevel = import('./tidemark-plugin-types.js').LogLevel;
export type HostError = import('./tidemark-plugin-types.js').HostError;
export type NamedText = import('./tidemark-plugin-types.js').NamedText;
export type Grant = import('./tidemark-plugin-types.js').Grant;
export type OwnLimit = import('./tidemark-plugin-types.js').OwnLimit;
export type NetDirection = import('./tidemark-plugin-types.js').NetDirection;
