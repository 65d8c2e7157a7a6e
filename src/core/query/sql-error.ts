/** Query errors in the reference's words (spec: http-api §7). The position rides in `details` and, for syntax, in the text. */
import { DatabaseError } from "../errors/database-error.ts";

export interface TextPosition {
  readonly line: number;
  readonly column: number;
}

/** 1-based line and column of a character offset. */
export function positionOf(text: string, offset: number): TextPosition {
  let line = 1;
  let lineStart = 0;
  for (let index = 0; index < offset && index < text.length; index++) {
    if (text.charCodeAt(index) === 10) {
      line++;
      lineStart = index + 1;
    }
  }
  return { line, column: offset - lineStart + 1 };
}

/** Offsets at which lines start. */
export function lineStartsOf(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return starts;
}

/** The text is not SQL that we read: 400. */
export function syntaxError(text: string, offset: number, message: string, hint?: string): DatabaseError {
  const { line, column } = positionOf(text, offset);
  return new DatabaseError("query.invalid", {
    message: `SQL error: ParserError("${message} at Line: ${line}, Column: ${column}")`,
    ...(hint === undefined ? {} : { hint }),
    details: { line, column },
  });
}

/** What a planner error may carry besides its words. */
export interface ErrorContext {
  readonly position?: TextPosition | undefined;
  readonly hint?: string | undefined;
}

function parts(message: string, context: ErrorContext): { message: string; hint?: string; details?: { line: number; column: number } } {
  return {
    message,
    ...(context.hint === undefined ? {} : { hint: context.hint }),
    ...(context.position === undefined ? {} : { details: { line: context.position.line, column: context.position.column } }),
  };
}

/** The statement reads well but cannot be planned: 400. */
export function planError(message: string, context: ErrorContext = {}): DatabaseError {
  return new DatabaseError("query.invalid", parts(`Error during planning: ${message}`, context));
}

/** Unknown or ambiguous column: 400 (the reference's 500 is a defect, spec: http-api §7). */
export function schemaError(message: string, context: ErrorContext = {}): DatabaseError {
  return new DatabaseError("query.invalid", parts(`Schema error: ${message}`, context));
}

/** A statement or construct that this server does not run: 405. */
export function notImplemented(message: string, context: ErrorContext = {}): DatabaseError {
  return new DatabaseError("query.not_implemented", parts(`This feature is not implemented: ${message}`, context));
}

/** Names of `names` closest to `wanted`, for hints; undefined when none is near. */
export function nearest(wanted: string, names: Iterable<string>): string | undefined {
  let best: string | undefined;
  // Of a short name few letters are left after two changes.
  let bestDistance = Math.max(wanted.length < 5 ? 1 : 2, Math.floor(wanted.length / 3)) + 1;
  for (const name of names) {
    if (Math.abs(name.length - wanted.length) >= bestDistance) continue;
    const distance = editDistance(wanted, name);
    if (distance < bestDistance) {
      best = name;
      bestDistance = distance;
    }
  }
  return best;
}

/** Names beyond this length are never suggested: the distance costs their product. */
const SUGGESTED_CHARACTERS_MAX = 64;

function editDistance(left: string, right: string): number {
  if (left.length > SUGGESTED_CHARACTERS_MAX || right.length > SUGGESTED_CHARACTERS_MAX) return Infinity;
  let row = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let i = 1; i <= left.length; i++) {
    const next = [i];
    for (let j = 1; j <= right.length; j++) {
      const replace = (row[j - 1] as number) + (left[i - 1] === right[j - 1] ? 0 : 1);
      next.push(Math.min(replace, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    row = next;
  }
  return row[right.length] as number;
}
