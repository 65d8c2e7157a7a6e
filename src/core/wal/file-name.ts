/** `00000000042.wal`: 11 digits, zero padded, as the reference names them (spec: storage §2). */
export const walFileName = (file: number): string => `${String(file).padStart(11, "0")}.wal`;

/** The sequence number of a WAL file's name; undefined for any other file. */
export function walFileNumber(name: string): number | undefined {
  return /^\d{11}\.wal$/.test(name) ? Number(name.slice(0, 11)) : undefined;
}
