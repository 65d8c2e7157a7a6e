/** docs/errors.md out of the codes, their meanings and the texts of the sources. */
import { ERROR_CODES, type ErrorCode, type Fault } from "../../src/core/errors/codes.ts";
import type { ErrorText } from "./error-texts.ts";
import { CHAPTERS, MEANINGS } from "./meanings.ts";

const WHO: Readonly<Record<Fault, string>> = {
  caller: "change the request",
  capacity: "wait, then send it again",
  environment: "look at the machine or the settings",
  plugin: "change the plugin",
  internal: "report it",
};

const INTRODUCTION = `# Errors

Every error has a code of a closed list. Over HTTP it is in the header \`tidemark-code\`, what to do is in \`tidemark-hint\`, and bodies that
are JSON hold both as \`code\` and \`hint\`; status and text are InfluxDB 3's wherever it has the error. A \`retry-after\` says when a
repeat makes sense. The command line prints the text and, below it, \`hint: …\`; a program that uses the [library](library.md) reads
\`error.code\`.

This page lists every text that the program can say. What stands in \`<brackets>\` is filled in; where several hints are given, one fits.
It is generated from the sources by \`npx vitest run test/errors -u\`.
`;

export function renderErrors({ texts, lines }: { readonly texts: readonly ErrorText[]; readonly lines: readonly string[] }): string {
  const codes = Object.keys(ERROR_CODES) as ErrorCode[];
  const chapters = Object.entries(CHAPTERS).map(([title, families]) => {
    const sections = families.flatMap((family) => codes.filter((code) => code.startsWith(`${family}.`)).map((code) => section(code, texts.filter((text) => text.code === code))));
    return [`## ${title}`, ...sections, ...(title === LINES_CHAPTER ? [lineSection(lines)] : [])].join("\n\n");
  });
  return `${[INTRODUCTION.trimEnd(), ...chapters].join("\n\n")}\n`;
}

const LINES_CHAPTER = "Writes";

function lineSection(lines: readonly string[]): string {
  return `### What can be wrong with a line\n\nThese stand in \`error_message\` of the answer's \`data\`, beside \`line_number\` (which counts lines that are neither blank nor comments) and\nthe first 20 bytes of the line.\n\n| Text |\n| --- |\n${lines.map((text) => `| ${codeSpan(text)} |`).join("\n")}`;
}

function section(code: ErrorCode, texts: readonly ErrorText[]): string {
  const [fault, status, retry] = ERROR_CODES[code];
  const who = fault === "capacity" && !retry ? "ask for less, or give the server more" : WHO[fault];
  const facts = code.startsWith("cli.") ? "" : `Status ${status}: ${who}${retry ? "; the same call may succeed later" : ""}. `;
  const head = `### \`${code}\`\n\n${facts}${MEANINGS[code]}`;
  // A text that is all placeholder is another error's, handed on.
  const rows = texts.filter(({ message }) => !/^<[^<>]*>$/.test(message)).map(({ message, hints }) => `| ${codeSpan(message)} | ${hints.map(plain).join("<br>")} |`);
  return rows.length === 0 ? head : `${head}\n\n| Text | Hint |\n| --- | --- |\n${rows.join("\n")}`;
}

/** A table's cell ends at a bar, and a line at its end. */
const cell = (text: string): string => text.trimEnd().replaceAll("\n", " ⏎ ").replaceAll("|", "\\|");
const codeSpan = (text: string): string => (text.includes("`") ? `\`\` ${cell(text)} \`\`` : `\`${cell(text)}\``);
const plain = (text: string): string => cell(text).replaceAll(/[<*_]/g, "\\$&");
