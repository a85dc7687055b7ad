import { interpret, type ReadOptions } from "./interpret.ts";
import { plainText } from "./marks.ts";

/** One simple command that a text would run; a word is null where it is known only when it runs. */
export interface ReadCommand {
  /** Program first; empty for assignments or redirects alone. */
  readonly words: readonly (string | null)[];
  readonly assignments: readonly { readonly name: string; readonly value: string | null }[];
  /** `target` is the file, or the text of a here-document or here-string. */
  readonly redirects: readonly { readonly op: string; readonly target: string | null }[];
  /** Wrappers, shells and interpreters that lead to it, outermost first. */
  readonly via: readonly string[];
}

export interface CommandReading {
  readonly commands: readonly ReadCommand[];
  /** Why some of it cannot be known without running it; empty when all of it is read. */
  readonly opaque: readonly string[];
}

/**
 * Every simple command that a text would run, through each wrapper that is understood, with its constants
 * folded. Total, like `analyzeCommand`, which looks at the same reading.
 */
export function readCommands(text: string, options: ReadOptions = {}): CommandReading {
  const { commands, opaque } = interpret(text, options);
  return {
    commands: commands.map(({ words, assignments, redirects, via }) => ({
      words: words.map((word) => plainText(word)),
      assignments: assignments.map(([name, value]) => ({ name, value: plainText(value) })),
      redirects: redirects.map(({ op, target }) => ({ op, target: plainText(target) })),
      via,
    })),
    opaque,
  };
}
