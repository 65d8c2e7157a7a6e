/** By code points: the order of UTF-8 bytes, in which the query engine sorts. */
export function compareTexts(left: string, right: string): number {
  for (let at = 0; at < left.length && at < right.length; at++) {
    const [a, b] = [left.charCodeAt(at), right.charCodeAt(at)];
    if (a === b) continue;
    // Surrogates stand for what comes after all other characters.
    const [highA, highB] = [a >= 0xd800 && a < 0xe000, b >= 0xd800 && b < 0xe000];
    return highA === highB ? a - b : highA ? 1 : -1;
  }
  return left.length - right.length;
}
