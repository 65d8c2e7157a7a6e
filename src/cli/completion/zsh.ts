/** A completion script for zsh, with the summaries beside the words. */
import type { CompletionPlace, CompletionWord } from "./model.ts";
import { pathPattern, singleQuoted, valueCases } from "./shell.ts";

export function zshCompletion(places: readonly CompletionPlace[], programs: readonly string[]): string {
  const described = (words: readonly CompletionWord[]): string => words.map(({ word, summary }) => singleQuoted(`${word}:${summary.replaceAll(":", "\\:")}`)).join(" ");
  return `#compdef ${programs.join(" ")}
# zsh completion; add to ~/.zshrc after compinit:  eval "$(${programs[0]} completion zsh)"
_tidemark_complete() {
  local current="\${words[CURRENT]}" previous="\${words[CURRENT-1]}" route="" word index
  local -a found
  for ((index = 2; index < CURRENT; index++)); do
    word="\${words[index]}"
    case "$route $word" in
${places.filter(({ path }) => path !== "").map(({ path }) => `      " ${path}"|"${path}") route="${path}" ;;`).join("\n")}
    esac
  done
  case "$route:$previous" in
${valueCases(places, (choices) => `compadd -- ${choices.join(" ")}; return`, "_files; return", "return")}
  esac
  case "$route" in
${places.map(({ path, commands, flags }) => `    ${pathPattern(path)}) found=(${described(commands.length > 0 && path !== "" ? commands : [...commands, ...flags])}) ;;`).join("\n")}
  esac
  _describe 'command' found || _files
}
compdef _tidemark_complete ${programs.join(" ")}
`;
}
