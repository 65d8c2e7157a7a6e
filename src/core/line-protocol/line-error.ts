/** One refused line, and the object that HTTP answers show for it (spec: line-protocol-and-write §5). */
import { utf8Boundary } from "../bytes/utf8.ts";
import { ORIGINAL_LINE_BYTES_MAX } from "./limits.ts";

export interface LineError {
  readonly message: string;
  /** Starts with 1; blank and comment lines are not counted. */
  readonly lineNumber: number;
  readonly originalLine: string;
}

/** The reference's JSON object; the line is cut to 20 bytes. */
export interface LineErrorRecord {
  readonly error_message: string;
  readonly line_number: number;
  readonly original_line: string;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

export function lineErrorRecord(error: LineError): LineErrorRecord {
  return { error_message: error.message, line_number: error.lineNumber, original_line: cutLine(error.originalLine) };
}

function cutLine(text: string): string {
  const bytes = encoder.encode(text.slice(0, ORIGINAL_LINE_BYTES_MAX + 1));
  return decoder.decode(bytes.subarray(0, utf8Boundary(bytes, ORIGINAL_LINE_BYTES_MAX)));
}
