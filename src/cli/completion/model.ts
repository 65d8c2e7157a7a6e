/** What can stand where on the command line, read from the command tree: the completion scripts are made from this. */
import type { CommandNode, FlagSpec } from "../command.ts";

export interface CompletionPlace {
  /** The words after the program's name, such as `create token`. */
  readonly path: string;
  readonly commands: readonly CompletionWord[];
  readonly flags: readonly CompletionFlag[];
}

export interface CompletionWord {
  readonly word: string;
  readonly summary: string;
}

export interface CompletionFlag extends CompletionWord {
  /** One letter, without its dash. */
  readonly short?: string;
  readonly takes: "nothing" | "value" | "file";
  /** Empty: anything. */
  readonly choices: readonly string[];
}

const HELP: readonly CompletionFlag[] = [
  { word: "--help", summary: "Print help", takes: "nothing", choices: [] },
  { word: "--help-all", summary: "Print help with every option", takes: "nothing", choices: [] },
];
const FILE_VALUES: ReadonlySet<string> = new Set(["FILE", "DIR", "PATH", "LOCAL PATH"]);

/** Every place in the tree, the program itself first; hidden commands and flags are left out. */
export async function completionPlaces(program: CommandNode): Promise<readonly CompletionPlace[]> {
  const places: CompletionPlace[] = [];
  const visit = async (node: CommandNode, words: readonly string[]): Promise<void> => {
    const children = (node.children ?? []).filter((child) => child.hidden !== true);
    const command = await node.load?.();
    places.push({
      path: words.join(" "),
      commands: children.map(({ name, summary }) => ({ word: name, summary })),
      flags: [...(command?.flags ?? []).filter((flag) => flag.hidden !== true).map(flagOf), ...HELP],
    });
    for (const child of children) await visit(child, [...words, child.name]);
  };
  await visit(program, []);
  return places;
}

function flagOf(flag: FlagSpec): CompletionFlag {
  const takes = flag.value === undefined ? "nothing" : FILE_VALUES.has(flag.value) ? "file" : "value";
  const short = flag.short === undefined ? {} : { short: flag.short };
  return { word: `--${flag.name}`, ...short, summary: flag.summary, takes, choices: flag.hasUnavailableChoices === true ? [] : (flag.choices ?? []) };
}
