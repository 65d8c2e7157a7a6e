/** Reads a validity bit; without bits every row has a value. */
export function isValid(validity: Uint8Array | undefined, row: number): boolean {
  return validity === undefined || (((validity[row >> 3] as number) >> (row & 7)) & 1) === 1;
}
