import { interpret } from "./interpret.ts";
import type { FoundElevation } from "./machine.ts";
import { literally, plainText } from "./marks.ts";

export interface Elevation {
  /** The elevator by name: sudo, pkexec, docker, ... */
  readonly program: string;
  /** Its words with the program first; null where a part is known only when it runs. */
  readonly argv: readonly string[] | null;
  /** What leads to it, outermost first: wrappers, shells, interpreters. Empty for a plain command. */
  readonly via: readonly string[];
}

export interface CommandAnalysis {
  /** `opaque`: what it would run cannot be known without running it. Never a `clear` for that. */
  readonly verdict: "elevates" | "clear" | "opaque";
  readonly elevations: readonly Elevation[];
  /** In words: why it elevates or cannot be known; empty when clear. */
  readonly reasons: readonly string[];
}

const MAX_REASONS = 20;
const MAX_ELEVATIONS = 200;

/**
 * What a shell command would do about privilege: whether it would reach a program that gives other rights
 * (sudo, su, pkexec, a container that holds the host, ...), by whatever way its text shows. Total: never throws,
 * whatever it is given, and takes time linear in the length of the text.
 *
 * Reads the text and nothing else. A script on disk (`./build.sh`, `make`, `npm test`) is not opened, so the
 * command that starts it is clear whatever the script does; a script that the text itself writes is followed.
 * Both sides of a condition count, and a use that could not succeed is a use. A variable that the text does not
 * set is taken as any word where it is an argument, and as unknown where it would be the command.
 */
export function analyzeCommand(shellText: string, options: { readonly dialect?: "bash" | "sh" } = {}): CommandAnalysis {
  if (typeof shellText !== "string") return { verdict: "opaque", elevations: [], reasons: ["It is no text."] };
  const reading = interpret(shellText, { dialect: options.dialect === "sh" ? "sh" : "bash" });
  const found = distinct(reading.elevations).slice(0, MAX_ELEVATIONS);
  if (found.length > 0) {
    const reasons = [...new Set(found.map((each) => whyElevates(each)))];
    return { verdict: "elevates", elevations: found.map((each) => asElevation(each)), reasons: reasons.slice(0, MAX_REASONS) };
  }
  const reasons = reading.opaque.map((reason) => `It cannot be known without running it: ${reason}.`);
  return { verdict: reasons.length > 0 ? "opaque" : "clear", elevations: [], reasons: reasons.slice(0, MAX_REASONS) };
}

function distinct(found: readonly FoundElevation[]): FoundElevation[] {
  const seen = new Map<string, FoundElevation>();
  for (const each of found.slice(0, MAX_ELEVATIONS * 4)) seen.set(JSON.stringify([each.words, each.via]), each);
  return [...seen.values()];
}

function asElevation({ program, words, via }: FoundElevation): Elevation {
  const argv = words.map((word) => plainText(word));
  return { program, argv: argv.every((word) => word !== null) ? argv : null, via: via.map((each) => literally(each)) };
}

function whyElevates({ program, via, why }: FoundElevation): string {
  return `${program} ${why}${via.length === 0 ? "" : `; reached through ${via.map((each) => literally(each)).join(", ")}`}.`;
}
