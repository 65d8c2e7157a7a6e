/** A completion script for fish: one line a word, each with the place where it may stand. */
import type { CompletionFlag, CompletionPlace } from "./model.ts";

const quoted = (text: string): string => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;

export function fishCompletion(places: readonly CompletionPlace[], programs: readonly string[]): string {
  const lines = places.flatMap(({ path, commands, flags }) => [
    ...commands.map(({ word, summary }) => `  complete -c $program -f -n ${condition(path)} -a ${quoted(word)} -d ${quoted(summary)}`),
    ...flags.map((flag) => `  complete -c $program -n ${condition(path)} ${flagParts(flag)}`),
  ]);
  return `# fish completion; add to ~/.config/fish/config.fish:  ${programs[0]} completion fish | source
function __tidemark_at
  set -l route ""
  for word in (commandline -opc)[2..-1]
    set -l longer (string trim -- "$route $word")
    contains -- "$longer" ${places.filter(({ path }) => path !== "").map(({ path }) => quoted(path)).join(" ")}; and set route "$longer"
  end
  test "$route" = "$argv"
end
for program in ${programs.join(" ")}
${lines.join("\n")}
end
`;
}

const condition = (path: string): string => quoted(`__tidemark_at ${path}`.trimEnd());

function flagParts({ word, short, summary, takes, choices }: CompletionFlag): string {
  const values = takes === "nothing" ? "" : choices.length > 0 ? ` -x -a ${quoted(choices.join(" "))}` : takes === "file" ? " -r" : " -x";
  return `-l ${word.slice(2)}${short === undefined ? "" : ` -s ${short}`}${values} -d ${quoted(summary)}`;
}
