/**
 * Finds where a line ends before it is parsed, as the reference does: a newline ends a line unless it is escaped or
 * lies inside what counts as a quoted field value. Only lines that the fast path declines need it.
 */
import { BACKSLASH, COMMA, EQUALS, NEWLINE, QUOTE, SPACE } from "./characters.ts";

/** Position of the newline that ends the line at `start`, or `end`. */
export function lineEnd(bytes: Uint8Array, start: number, end: number): number {
  let inFields = false;
  let quoted = false;
  let balance = 0; // equals signs minus commas since the first blank
  for (let at = start; at < end; at++) {
    const byte = bytes[at];
    if (byte === BACKSLASH) at++;
    else if (byte === SPACE) inFields = true;
    else if (byte === NEWLINE && !quoted) return at;
    else if (!inFields) continue;
    else if (byte === EQUALS && !quoted) balance++;
    else if (byte === COMMA && !quoted) balance--;
    else if (byte === QUOTE && balance > 0) quoted = !quoted;
  }
  return end;
}
