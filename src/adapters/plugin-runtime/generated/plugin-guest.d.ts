// world tidemark:plugin/plugin-guest@1.0.0
export type InstanceSettings = import('./interfaces/tidemark-plugin-types.js').InstanceSettings;
export type RunContext = import('./interfaces/tidemark-plugin-types.js').RunContext;
export type TableRows = import('./interfaces/tidemark-plugin-types.js').TableRows;
export type Request = import('./interfaces/tidemark-plugin-types.js').Request;
export type Response = import('./interfaces/tidemark-plugin-types.js').Response;
export type BufferedWrite = import('./interfaces/tidemark-plugin-types.js').BufferedWrite;
export type Failure = import('./interfaces/tidemark-plugin-types.js').Failure;
export type * as TidemarkPluginHost100 from './interfaces/tidemark-plugin-host.js'; // import tidemark:plugin/host@1.0.0
export type * as TidemarkPluginTypes100 from './interfaces/tidemark-plugin-types.js'; // import tidemark:plugin/types@1.0.0
/**
* Starts the interpreter and warms it up. Once per memory image.
*/
export function boot(): void;
/**
* To be called after a memory image was restored: seeds what must differ between instances.
*/
export function resume(settings: InstanceSettings): void;
export function processWrites(context: RunContext, tables: Array<TableRows>): Array<BufferedWrite>;
export function processScheduledCall(context: RunContext, callTimeSeconds: bigint): Array<BufferedWrite>;
export function processRequest(context: RunContext, request: Request): [Response, Array<BufferedWrite>];
/**
* Number of live keys in the private cache.
*/
export function cacheSize(): number;
export function cacheClear(): void;
/**
* Runs of one trigger may overlap in several instances: what the others put into the private cache since this one ran
* last, in the encoding of runtime-wasm/python/cache_exchange.py. From then on the instance notes its own changes.
*/
export function cacheMerge(changes: Uint8Array): void;
/**
* This instance's changes since it was asked last, in the same encoding.
*/
export function cacheChanges(): Uint8Array;
export type Result<T, E> = { tag: 'ok', val: T } | { tag: 'err', val: E };
