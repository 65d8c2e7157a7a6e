/** Colours, only on a terminal and never with `NO_COLOR` (https://no-color.org). */

export interface Style {
  bold(text: string): string;
  dim(text: string): string;
  red(text: string): string;
  yellow(text: string): string;
}

const wrap = (open: number, close: number) => (text: string): string => `\u001b[${open}m${text}\u001b[${close}m`;
const plain = (text: string): string => text;

export function styleFor(isTerminal: boolean, env: (name: string) => string | undefined): Style {
  const isColoured = isTerminal && (env("NO_COLOR") ?? "") === "" && env("TERM") !== "dumb";
  if (!isColoured) return { bold: plain, dim: plain, red: plain, yellow: plain };
  return { bold: wrap(1, 22), dim: wrap(2, 22), red: wrap(31, 39), yellow: wrap(33, 39) };
}
