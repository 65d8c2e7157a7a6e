import { ERROR_CODES, type ErrorCode, type Fault } from "./codes.ts";

/** What a `DatabaseError` is made of, and how it crosses threads. */
export interface ErrorRecord {
  readonly code: ErrorCode;
  /** What failed: sentence case, values quoted, no full stop. */
  readonly message: string;
  /** What to do about it. */
  readonly hint?: string;
  /** Facts for programs: JSON values only. */
  readonly details?: Readonly<Record<string, unknown>>;
}

/** The one error class; `code` says whose fault it is (see `codes.ts`). */
export class DatabaseError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly details: Readonly<Record<string, unknown>> | undefined;

  constructor(code: ErrorCode, parts: Omit<ErrorRecord, "code"> & { readonly cause?: unknown }) {
    super(parts.message, parts.cause === undefined ? undefined : { cause: parts.cause });
    this.name = "DatabaseError";
    this.code = code;
    this.hint = parts.hint;
    this.details = parts.details;
  }

  get fault(): Fault {
    return ERROR_CODES[this.code][0];
  }

  get status(): number {
    return ERROR_CODES[this.code][1];
  }

  /** True when the same call may succeed later. */
  get retry(): boolean {
    return ERROR_CODES[this.code][2];
  }

  /** A plain record that survives a thread boundary. */
  toRecord(): ErrorRecord {
    return {
      code: this.code,
      message: this.message,
      ...(this.hint === undefined ? {} : { hint: this.hint }),
      ...(this.details === undefined ? {} : { details: this.details }),
    };
  }

  static fromRecord(record: ErrorRecord): DatabaseError {
    return new DatabaseError(record.code, record);
  }
}

/** Tests by shape, since errors cross workers as records. */
export function isDatabaseError(value: unknown): value is DatabaseError {
  return value instanceof Error && value.name === "DatabaseError" && "code" in value && String(value.code) in ERROR_CODES;
}

/** Text of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
