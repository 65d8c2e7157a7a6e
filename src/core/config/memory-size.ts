/** Memory sizes as flags write them: `20%`, `64mb`, `512` (spec: cli §2). 1024 based, any case. */

const UNIT_BYTES: Readonly<Record<string, number>> = { b: 1, kb: 1024, mb: 1024 ** 2, gb: 1024 ** 3, tb: 1024 ** 4 };

export interface MemorySizeContext {
  /** What a percentage is of; undefined: percentages are refused. */
  readonly availableBytes?: number;
  /** Unit of a bare number; the reference's sizes mean megabytes, its byte counts bytes. */
  readonly bareUnit: "b" | "mb";
}

/** Bytes, a safe integer; undefined when the text is no size. */
export function parseMemorySize(text: string, context: MemorySizeContext): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*(%|[a-z]{1,2})?$/.exec(text.trim().toLowerCase());
  if (match === null) return undefined;
  const amount = Number(match[1]);
  const unit = match[2] ?? context.bareUnit;
  const bytes = unit === "%" ? percentage(amount, context.availableBytes) : amount * (UNIT_BYTES[unit] ?? Number.NaN);
  const whole = Math.floor(bytes);
  return Number.isSafeInteger(whole) ? whole : undefined;
}

function percentage(amount: number, availableBytes: number | undefined): number {
  return availableBytes === undefined || amount > 100 ? Number.NaN : (availableBytes * amount) / 100;
}
