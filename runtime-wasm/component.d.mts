/** Bytes of the interop component. */
export function makeComponent(): Promise<Uint8Array>;
