/** `completion bash|zsh|fish`: prints the script; what it offers comes from the command tree. */
import { bashCompletion } from "../completion/bash.ts";
import { fishCompletion } from "../completion/fish.ts";
import { completionPlaces, type CompletionPlace } from "../completion/model.ts";
import { zshCompletion } from "../completion/zsh.ts";
import type { Command } from "../command.ts";

const PROGRAMS: readonly string[] = ["influxdb3", "tidemark"];

const SHELLS = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion } as const;
export type Shell = keyof typeof SHELLS;

const LINES: Readonly<Record<Shell, string>> = {
  bash: 'eval "$(influxdb3 completion bash)"      # in ~/.bashrc',
  zsh: 'eval "$(influxdb3 completion zsh)"      # in ~/.zshrc, after compinit',
  fish: "influxdb3 completion fish | source      # in ~/.config/fish/config.fish",
};

export function completionCommand(shell: Shell): Command {
  return {
    summary: `Print the completion script for ${shell}`,
    flags: [],
    examples: [{ note: "Switch it on for every new shell", line: LINES[shell] }],
    async run({ terminal }) {
      // Imported here: the tree itself loads this command.
      const { PROGRAM } = await import("../program.ts");
      const places: readonly CompletionPlace[] = await completionPlaces(PROGRAM);
      await terminal.stdout(SHELLS[shell](places, PROGRAMS));
    },
  };
}
