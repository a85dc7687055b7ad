import { baseName } from "../core/path.ts";
import { programNames, runsOperands } from "./root-equivalent.ts";

/** One command as rules see it: the command itself, or one that a launcher in it would start. */
export interface CommandView {
  /** Canonical paths under which a rule may name it; empty where only a name is known. */
  readonly paths: readonly string[];
  /** Base names under which a deny rule may name it. */
  readonly names: readonly string[];
  readonly args: readonly string[];
}

/** On systems with a merged /usr these are links; a rule for one side must hold for the other. */
const MERGED: readonly string[] = ["bin", "sbin", "lib", "lib32", "lib64", "libx32"];

/**
 * The one spelling of an absolute path: without `//`, `.` and `..`, and with /bin and its like under
 * /usr. By its text only: other links are for whoever can look at the disk.
 */
export function canonicalCommandPath(path: string): string {
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue;
    if (part === "..") {
      parts.pop();
      continue;
    }
    parts.push(part);
    // Before the next part, so that /bin/.. is /usr, as the kernel sees it.
    if (parts.length === 1 && MERGED.includes(part)) parts.unshift("usr");
  }
  return `/${parts.join("/")}`;
}

/** The same path without /usr, where older rules may have it; null where there is no such spelling. */
export function unmergedPath(canonical: string): string | null {
  const [, usr, folder] = canonical.split("/", 3);
  return usr === "usr" && folder !== undefined && MERGED.includes(folder) ? canonical.slice("/usr".length) : null;
}

/** `realPath` is the file after all links, when somebody has looked. */
export function viewOf(argv: readonly [string, ...string[]], realPath: string | null): CommandView {
  const [program, ...args] = argv;
  const canonical = canonicalCommandPath(program);
  const paths = realPath === null ? [canonical] : [canonical, canonicalCommandPath(realPath)];
  return { paths: [...new Set(paths)], names: namesOf([program, ...paths]), args };
}

/**
 * What a launcher's operands might start: each operand in turn taken for the program. More than it
 * would start, which is right for deny rules and for nothing else.
 */
export function innerViews(argv: readonly [string, ...string[]], realPath: string | null): CommandView[] {
  const [program, ...words] = argv;
  if (!runsOperands(program) && (realPath === null || !runsOperands(realPath))) return [];
  return words.flatMap((word, index) => {
    if (word === "" || word.startsWith("-")) return [];
    const args = words.slice(index + 1);
    const paths = word.startsWith("/") ? [canonicalCommandPath(word)] : [];
    return [{ paths, names: namesOf([word]), args }];
  });
}

/** Also without version and flavour: a rule about python is about python3.11, one about mkfs about mkfs.ext4. */
function namesOf(programs: readonly string[]): string[] {
  return [...new Set(programs.flatMap((program) => [baseName(program), ...programNames(program)]))];
}
