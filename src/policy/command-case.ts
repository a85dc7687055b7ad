import { isCanonicalPath } from "../core/path.ts";
import { clip } from "../core/text.ts";
import type { EpochMs } from "../core/time.ts";
import { canonicalCommandPath, type CommandView, innerViews, viewOf } from "./command-identity.ts";

/** What is known about a command beside its words. */
export interface CommandContext {
  /** The command's file after all links. Without it, links on the disk are not seen. */
  readonly realPath?: string;
  /** "root" unless given. */
  readonly runAs?: string;
  /** Without it, a rule about a folder never allows and always denies. */
  readonly cwd?: string;
  /** Without it, an allow rule that expires does not hold. */
  readonly now?: EpochMs;
}

/** A command and its surroundings, in the forms that rules compare. */
export interface CommandCase {
  readonly argv: readonly [string, ...string[]];
  /** Under which an allow rule may name it; one spelling. */
  readonly path: string;
  readonly view: CommandView;
  /** What a launcher would start; for deny rules only. */
  readonly inner: readonly CommandView[];
  readonly runAs: string;
  readonly cwd: string | null;
  readonly now: EpochMs | null;
}

/** Words that are no command which could be judged. */
export interface UnreadableCase {
  readonly code: "invalid-request" | "command-not-absolute";
  readonly reason: string;
}

/** A rule that met a case: its id and the words to show. */
export interface RuleHit {
  readonly id: string;
  readonly reason: string;
}

/** The same whatever the order of the rules. */
export function firstOf(hits: readonly (RuleHit | null)[]): RuleHit | null {
  return hits.reduce((first, hit) => (hit === null || (first !== null && first.id <= hit.id) ? first : hit), null);
}

/** The rules of one form, ready to be asked. */
export interface PreparedRules {
  /** The first by id of the deny rules that meet the case, whatever their order; null is the only way past. */
  readonly denied: (command: CommandCase) => RuleHit | null;
  readonly allowed: (command: CommandCase) => RuleHit | null;
  readonly unmatched: "ask" | "deny";
  readonly runAs: readonly string[];
}

/** More cannot be reviewed, and deciding must stay quick. */
const MAX_WORDS = 256;
const MAX_CHARS = 128 * 1024;
/** Each operand of a launcher is judged as a command of its own. */
const MAX_LAUNCHED_CHARS = 8 * 1024;

/** Reads each word once: argv is agent-controlled. */
export function readCase(argv: unknown, context: CommandContext): CommandCase | UnreadableCase {
  const words: unknown[] = Array.isArray(argv) ? argv.slice(0, MAX_WORDS + 1) : [];
  const [program, ...args] = words.filter((word) => typeof word === "string");
  if (program === undefined || args.length + 1 !== words.length || program.includes("\0")) {
    return { code: "invalid-request", reason: "This is no command line" };
  }
  const chars = args.reduce((sum, word) => sum + word.length, program.length);
  if (words.length > MAX_WORDS || chars > MAX_CHARS) {
    return { code: "invalid-request", reason: "The command line is too long" };
  }
  if (!program.startsWith("/") || !isCanonicalPath(canonicalCommandPath(program))) {
    return { code: "command-not-absolute", reason: `${clip(program, 120)} is no absolute path of a program` };
  }
  const realPath = context.realPath ?? null;
  const inner = innerViews([program, ...args], realPath);
  if (inner.length > 0 && chars > MAX_LAUNCHED_CHARS) {
    return { code: "invalid-request", reason: "The command line is too long to see what it would start" };
  }
  // Where ".." follows a link, the text of the path says nothing; then only the real file counts.
  const path = realPath !== null && program.split("/").includes("..") ? realPath : program;
  return {
    argv: [program, ...args],
    path: canonicalCommandPath(path),
    view: viewOf([program, ...args], realPath),
    inner,
    runAs: context.runAs ?? "root",
    cwd: context.cwd ?? null,
    now: context.now ?? null,
  };
}
