/** A completion script for bash 3.2 and newer, without the bash-completion package. */
import type { CompletionPlace } from "./model.ts";
import { pathPattern, valueCases, wordList } from "./shell.ts";

export function bashCompletion(places: readonly CompletionPlace[], programs: readonly string[]): string {
  const cases = places.map(({ path, commands, flags }) => `    ${pathPattern(path)}) words="${wordList([...commands, ...flags])}" ;;`);
  return `# bash completion; add to ~/.bashrc:  eval "$(${programs[0]} completion bash)"
_tidemark_complete() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" path="" word words="" index
  for ((index = 1; index < COMP_CWORD; index++)); do
    word="\${COMP_WORDS[index]}"
    case "$path $word" in
${places.filter(({ path }) => path !== "").map(({ path }) => `      " ${path}"|"${path}") path="${path}" ;;`).join("\n")}
    esac
  done
  case "$path:$previous" in
${valueCases(places, (choices) => `COMPREPLY=($(compgen -W "${choices.join(" ")}" -- "$current")); return`, 'COMPREPLY=($(compgen -f -- "$current")); return', "return")}
  esac
  case "$path" in
${cases.join("\n")}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _tidemark_complete ${programs.join(" ")}
`;
}
