/** Chrono format strings (DataFusion's) to strftime ones (the engine's). */
import { planError, type TextPosition } from "./sql-error.ts";

const SAME = new Set([..."YCymbBhdeajwuUWHIMSpZfn%AxXcgGVkl"]);
const MAPPED: Readonly<Record<string, string>> = {
  F: "%Y-%m-%d", T: "%H:%M:%S", R: "%H:%M", D: "%m/%d/%y", e: "%-d", k: "%-H", l: "%-I", h: "%b", z: "%z", ".f": ".%n", ".3f": ".%g", ".6f": ".%f", ".9f": ".%n", "3f": "%g", "6f": "%f", "9f": "%n",
};
const SPECIFIER = /%(\.?[369]?f|[-_0]?.)/gu;

/** Throws `query.invalid` for a specifier that the engine has no equal for. */
export function chronoToStrftime(format: string, position: TextPosition): string {
  return format.replace(SPECIFIER, (whole, specifier: string) => {
    const mapped = MAPPED[specifier];
    if (mapped !== undefined) return mapped;
    if (SAME.has(specifier.slice(-1)) && specifier.length <= 2) return whole;
    throw planError(`Unsupported format specifier ${whole}`, { position });
  });
}
