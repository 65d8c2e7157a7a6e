/** True when both hold the same bytes. Words are compared where both lie on words. */
export function sameBytes(left: Uint8Array, right: Uint8Array): boolean {
  if (left.length !== right.length) return false;
  const words = left.byteOffset % 4 === 0 && right.byteOffset % 4 === 0 ? left.length >> 2 : 0;
  if (!sameWords(new Int32Array(left.buffer, left.byteOffset & ~3, words), new Int32Array(right.buffer, right.byteOffset & ~3, words))) return false;
  for (let at = words * 4; at < left.length; at++) if (left[at] !== right[at]) return false;
  return true;
}

/** Four at a time, without a branch for each. */
function sameWords(left: Int32Array, right: Int32Array): boolean {
  const size = left.length;
  let at = 0;
  for (; at + 4 <= size; at += 4) {
    const first = ((left[at] as number) ^ (right[at] as number)) | ((left[at + 1] as number) ^ (right[at + 1] as number));
    if ((first | ((left[at + 2] as number) ^ (right[at + 2] as number)) | ((left[at + 3] as number) ^ (right[at + 3] as number))) !== 0) return false;
  }
  for (; at < size; at++) if (left[at] !== right[at]) return false;
  return true;
}
