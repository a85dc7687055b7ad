import type { Function as ShellFunction, Word } from "unbash";
import type { Budget } from "./budget.ts";
import type { Scope } from "./scope.ts";

/** Where a command runs. Words and texts in it carry the marks of marks.ts. */
export interface Frame {
  readonly scope: Scope;
  /** What the text feeds to it; null where stdin is whatever it was before, which the text does not know. */
  readonly stdin: string | null;
  /** What led here: wrappers, shells, interpreters; outermost first. */
  readonly via: readonly string[];
  readonly depth: number;
  /** How often the loops around it are walked for it. */
  readonly rounds: number;
  /** A name that is not looked up among functions and aliases: after `command`, and in an alias of that name. */
  readonly bypassed: string | null;
}

export interface FoundRedirect {
  readonly op: string;
  readonly target: string;
}

/** One simple command, as far as it is known. */
export interface FoundCommand {
  readonly words: readonly string[];
  readonly assignments: readonly (readonly [string, string])[];
  readonly redirects: readonly FoundRedirect[];
  readonly via: readonly string[];
  /** The folder it runs in; begins with HOLE as long as no absolute `cd` was seen. */
  readonly cwd: string;
  readonly stdin: string | null;
}

export interface FoundElevation {
  readonly program: string;
  readonly words: readonly string[];
  readonly via: readonly string[];
  readonly why: string;
}

/** Inline code of another language, such as the text after `python3 -c`. */
export interface FoundCode {
  readonly language: string;
  readonly code: string;
  readonly via: readonly string[];
  /** How many commands were found before it. */
  readonly at: number;
}

/**
 * One reading of one text. `run...` follow what a command would do and give back what it would print, HOLE
 * where that is not known. Handlers get the machine, so that none of them has to import the walker.
 */
export interface Machine {
  readonly budget: Budget;
  readonly dialect: "bash" | "sh";
  readonly commands: FoundCommand[];
  readonly elevations: FoundElevation[];
  readonly codes: FoundCode[];
  /** Why something cannot be known without running it. */
  readonly opaque: Set<string>;
  /** Files and links that the text itself made, by path. */
  readonly files: Map<string, MadeFile>;
  /** Code or commands that the text wrote to a file and that name an elevator; `at` counts the commands before. */
  readonly written: WrittenFile[];
  /** Names of the functions that the text defines anywhere. */
  readonly functions: Set<string>;
  /** What `git config` set earlier in the text. */
  readonly gitConfig: [string, string][];
  /** Variables that were put in the environment and that some program runs or reads code from. */
  readonly riskyVariables: Set<string>;
  /** Variables that were read and that the text never set. */
  readonly outsideVariables: Set<string>;
  readonly parse: (text: string) => readonly Word[];
  readonly runText: (text: string, frame: Frame) => string;
  /** For a command that another command starts: it is put on record, then followed. */
  readonly runWords: (words: readonly string[], frame: Frame) => string;
  /** For a command that is on record already. */
  readonly execute: (words: readonly string[], frame: Frame) => string;
  readonly runFunction: (body: ShellFunction["body"], frame: Frame) => string;
}

export interface WrittenFile {
  readonly path: string;
  readonly at: number;
}

export type MadeFile =
  | { readonly kind: "text"; readonly text: string }
  /** A link to, or a copy of, another program. */
  | { readonly kind: "program"; readonly target: string };

/** A command that a handler is asked to follow. */
export interface Call {
  readonly machine: Machine;
  readonly frame: Frame;
  /** Its base name. */
  readonly name: string;
  readonly args: readonly string[];
}

/** Follows a command; gives back what it would print. */
export type Handler = (call: Call) => string;

/** The frame of something that a command starts. */
export function within(
  frame: Frame,
  name: string,
  change: Partial<Pick<Frame, "stdin" | "scope" | "bypassed">> = {},
): Frame {
  return { ...frame, ...change, via: [...frame.via, name], depth: frame.depth + 1 };
}
