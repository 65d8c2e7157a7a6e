/** What the scripts for bash and zsh have in common: both choose by the path of commands typed so far. */
import type { CompletionFlag, CompletionPlace, CompletionWord } from "./model.ts";

export const pathPattern = (path: string): string => `"${path}"`;

export const wordList = (words: readonly CompletionWord[]): string => words.map(({ word }) => word).join(" ");

/** Branches of a `case "path:flag"` for the flags that take a value. */
export function valueCases(places: readonly CompletionPlace[], ofChoices: (choices: readonly string[]) => string, ofFiles: string, ofAnything: string): string {
  const line = (path: string, flag: CompletionFlag): string => {
    const action = flag.choices.length > 0 ? ofChoices(flag.choices) : flag.takes === "file" ? ofFiles : ofAnything;
    const short = flag.short === undefined ? "" : `|"${path}:-${flag.short}"`;
    return `    "${path}:${flag.word}"${short}) ${action} ;;`;
  };
  return places.flatMap(({ path, flags }) => flags.filter(({ takes }) => takes !== "nothing").map((flag) => line(path, flag))).join("\n");
}

/** Text between single quotes. */
export const singleQuoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
