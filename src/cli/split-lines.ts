/** Cutting large input into requests at newlines (spec: cli §12). A line longer than the limit goes alone. */

const NEWLINE = 10;

/** Views into `bytes`, in order; at least one. */
export function splitLines(bytes: Uint8Array, sizeMax: number): readonly Uint8Array[] {
  const parts: Uint8Array[] = [];
  let start = 0;
  while (bytes.length - start > sizeMax) {
    const within = bytes.lastIndexOf(NEWLINE, start + sizeMax - 1);
    const cut = within >= start ? within : bytes.indexOf(NEWLINE, start + sizeMax);
    if (cut < 0) break;
    parts.push(bytes.subarray(start, cut + 1));
    start = cut + 1;
  }
  if (start < bytes.length || parts.length === 0) parts.push(bytes.subarray(start));
  return parts;
}

/** Lines as people count them: the last one needs no newline. */
export function countLines(bytes: Uint8Array): number {
  let count = bytes.length > 0 && bytes.at(-1) !== NEWLINE ? 1 : 0;
  for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) count++;
  return count;
}
