/** One JSON line per metric on stdout. */
export function report(bench: string, metric: string, value: number, unit: string, more: Readonly<Record<string, unknown>> = {}): void {
  process.stdout.write(`${JSON.stringify({ bench, metric, value: Number(value.toPrecision(4)), unit, ...more })}\n`);
}

/** The value that a share of the samples does not pass. */
export function quantile(samples: readonly number[], share: number): number {
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
