import type { BigIntStats } from "node:fs";
import { realpath, stat } from "node:fs/promises";
import type { OperandIdentity } from "../core/elevation.ts";
import { type Refusal, refuse } from "../core/refusal.ts";
import { clip } from "../core/text.ts";
import { type FileReading, type HashCache, identifyFile } from "./file-identity.ts";
import { isInterpreter, isLauncher, loadsFromFolder } from "./known-programs.ts";
import { errnoOf, isRootOnly, walkPath } from "./path-chain.ts";

/** Longest path the kernel takes. */
const MAX_PATH = 4096;
const MAX_PARTS = 48;
/** What a child finds there is its own standard input, which is the approved bytes or nothing. */
const OWN_STDIN: readonly string[] = ["/dev/stdin", "/dev/fd/0", "/proc/self/fd/0", "/dev/null"];

export interface OperandQuestion {
  readonly argv: readonly string[];
  readonly cwd: string;
  /** Every name under which the program is known: as called, its links, the real file. */
  readonly names: readonly string[];
  readonly hashes: HashCache;
  readonly maxBytes: number;
}

/**
 * The files named in argv that somebody other than root can change, hashed. Refused when the
 * program would run what such a file, pipe or folder holds, be it there already or not.
 */
export async function resolveOperands(question: OperandQuestion): Promise<readonly OperandIdentity[] | Refusal> {
  const { argv, cwd, names } = question;
  const interprets = names.some(isInterpreter);
  const launches = names.some(isLauncher);
  if (loadsFromFolder(names, argv) && (await lookAt(cwd)) !== "fixed") {
    return mutable(cwd, "the working folder, from which this program loads files by itself,");
  }
  const found: OperandIdentity[] = [];
  for (const [index, word] of argv.entries()) {
    if (index === 0) continue;
    const seen = new Set<string>(OWN_STDIN);
    for (const part of partsOf(word, interprets)) {
      const path = part.text.startsWith("/") ? part.text : `${cwd === "/" ? "" : cwd}/${part.text}`;
      if (seen.has(path)) continue;
      seen.add(path);
      const what = await lookAt(path);
      if (what === "fixed") continue;
      if (interprets && part.isOperand && (what !== "absent" || isProgramText(argv, index, part.text))) {
        return mutable(part.text, "what this program would run");
      }
      if (launches && part.isOperand && what === "file") return mutable(part.text, "what this program would run");
      if (what !== "file") continue;
      const reading = await readOperand(path, question);
      if (reading.kind !== "read") return unreadable(part.text, reading, question.maxBytes);
      found.push({ ...reading.identity, path, index });
    }
  }
  return found;
}

interface WordPart {
  readonly text: string;
  /** False for a piece of program text: what becomes of it cannot be told, so it is only bound. */
  readonly isOperand: boolean;
}

/** Every part of a word that programs commonly take for a file name: `x`, `--opt=x`, `@x`, `-fx`, `a:x`. */
function partsOf(word: string, interprets: boolean): readonly WordPart[] {
  const operands = new Set<string>([word]);
  for (const match of word.matchAll(/[=@,:]/g)) {
    if (operands.size >= MAX_PARTS) break;
    const rest = word.slice(match.index + 1);
    operands.add(rest).add(rest.split(/[=@,:]/, 1)[0] ?? "");
  }
  operands.add(word.split(/[=@,:]/, 1)[0] ?? "");
  if (/^-[^-]./.test(word)) operands.add(word.slice(2));
  const slash = word.indexOf("/");
  if (slash > 0 && word.startsWith("-")) operands.add(word.slice(slash));
  const pieces = interprets ? word.split(/[\s;|&<>()`$"'=]+/, MAX_PARTS).filter((piece) => !operands.has(piece)) : [];
  return [
    ...[...operands].map((text) => ({ text, isOperand: true })),
    ...pieces.map((text) => ({ text, isOperand: false })),
  ].filter(({ text }) => text !== "" && text.length <= MAX_PATH);
}

/** A name that an interpreter would open once it exists, such as a script yet to be written. */
function isProgramText(argv: readonly string[], index: number, text: string): boolean {
  if (/^(?:\.{0,2}\/)/.test(text)) return true;
  if (text !== argv[index]) return false;
  const isFirst = argv.slice(1, index).every((word) => word.startsWith("-"));
  // After `-c` and its like comes text or a module, no file.
  const isText = index > 1 && /[cCeEmMrp]$/.test(argv[index - 1] ?? "");
  return isFirst && !isText && /^[\w.+][\w.+-]*$/.test(text);
}

/** "fixed": only root can change what is there, or that nothing is there. Else what there is to be changed. */
type Look = "fixed" | "file" | "folder" | "other" | "absent";

async function lookAt(path: string): Promise<Look> {
  const trimmed = path.replace(/(?:\/\.?)+$/, "");
  if (trimmed === "") return "fixed";
  const walk = await walkPath(trimmed);
  if (walk.kind === "walked") return isRootOnly(walk.stats) ? "fixed" : kindOf(walk.stats);
  // Every folder up to where it ended is root's.
  if (walk.code === "command-not-found") return "fixed";
  try {
    const kind = kindOf(await stat(trimmed, { bigint: true }));
    return walk.code === "command-special-path" && kind === "file" ? "other" : kind;
  } catch {
    // Not there, or not for us to see: others can put something there.
    return "absent";
  }
}

function kindOf(stats: BigIntStats): Look {
  if (stats.isFile()) return "file";
  return stats.isDirectory() ? "folder" : "other";
}

async function readOperand(path: string, question: OperandQuestion): Promise<FileReading> {
  try {
    return await identifyFile(await realpath(path), question.hashes, question.maxBytes);
  } catch (cause) {
    return { kind: "unreadable", errno: errnoOf(cause) };
  }
}

function mutable(text: string, what: string): Refusal {
  return refuse("mutable-operand", `others than root can change ${what}: ${clip(text, 200)}`);
}

function unreadable(text: string, reading: Exclude<FileReading, { kind: "read" }>, maxBytes: number): Refusal {
  const shown = clip(text, 200);
  switch (reading.kind) {
    case "too-large":
      return refuse(
        "mutable-operand",
        `${shown} is larger than ${maxBytes} bytes, too large to be bound to the request`,
      );
    case "unsteady":
      return refuse("request-changed", `${shown} changes while it is being read`);
    case "not-regular":
      return refuse("request-changed", `${shown} was replaced while it was being read`);
    case "unreadable":
      return refuse("mutable-operand", `${shown} cannot be bound to the request: ${reading.errno}`);
  }
}
