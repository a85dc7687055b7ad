import type { Function as ShellFunction } from "unbash";
import { bounded, HOLE } from "./marks.ts";

/** A scalar is a list of one. */
export type Value = readonly string[];

export interface Variable {
  /** What it may hold: more than one where only one branch of a condition sets it. */
  readonly values: readonly Value[];
  readonly isExported: boolean;
  /** Name of the variable that a nameref stands for. */
  readonly refersTo: string | null;
}

/** What a shell knows while it runs. A child sees its parent's and changes only its own, as a subshell does. */
export interface Scope {
  readonly parent: Scope | null;
  readonly variables: Map<string, Variable>;
  readonly functions: Map<string, ShellFunction["body"]>;
  readonly aliases: Map<string, string>;
  /** Programs by the name under which the shell was told to find them (`hash -p`). */
  readonly hashed: Map<string, string>;
  /** Open descriptors above 2 that the text feeds. */
  readonly descriptors: Map<number, string>;
  positional: readonly string[];
  cwd: string;
  lastWord: string;
  /** Above zero in code that may be skipped. */
  conditions: number;
}

const MAX_ALTERNATIVES = 8;
const MAX_LIST = 4096;

/** What every shell has at hand. */
const KNOWN_AT_START: Readonly<Record<string, string>> = {
  BASH: "/bin/bash",
  SHELL: "/bin/bash",
  IFS: " \t\n",
  OPTIND: "1",
  PS4: "+ ",
};

export function createScope(home: string | null): Scope {
  const scope = emptyScope(null, [], HOLE);
  for (const [name, value] of Object.entries(KNOWN_AT_START)) {
    scope.variables.set(name, { values: [[value]], isExported: false, refersTo: null });
  }
  if (home !== null) scope.variables.set("HOME", { values: [[home]], isExported: false, refersTo: null });
  return scope;
}

export function subshell(parent: Scope): Scope {
  const scope = emptyScope(parent, parent.positional, parent.cwd);
  scope.lastWord = parent.lastWord;
  return scope;
}

function emptyScope(parent: Scope | null, positional: readonly string[], cwd: string): Scope {
  return {
    parent,
    variables: new Map(),
    functions: new Map(),
    aliases: new Map(),
    hashed: new Map(),
    descriptors: new Map(),
    positional,
    cwd,
    lastWord: HOLE,
    conditions: 0,
  };
}

type Table = "functions" | "aliases" | "hashed" | "descriptors";

export function lookup<K extends Table>(scope: Scope, table: K, key: Parameters<Scope[K]["get"]>[0]): ReturnType<Scope[K]["get"]> {
  for (let at: Scope | null = scope; at !== null; at = at.parent) {
    const found = (at[table] as Map<unknown, unknown>).get(key);
    if (found !== undefined) return found as ReturnType<Scope[K]["get"]>;
  }
  return undefined as ReturnType<Scope[K]["get"]>;
}

export function findVariable(scope: Scope, name: string): Variable | undefined {
  let wanted = name;
  // A nameref may stand for another; a circle of them ends here.
  for (let hops = 0; hops < 8; hops += 1) {
    const found = ownOrInherited(scope, wanted);
    if (found?.refersTo === null || found === undefined) return found;
    wanted = found.refersTo;
  }
  return undefined;
}

function ownOrInherited(scope: Scope, name: string): Variable | undefined {
  for (let at: Scope | null = scope; at !== null; at = at.parent) {
    const found = at.variables.get(name);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** In code that may be skipped, the earlier value stays possible. */
export function assign(scope: Scope, name: string, value: Value): void {
  const before = ownOrInherited(scope, name);
  if (before !== undefined && before.refersTo !== null && before.refersTo !== name) {
    scope.variables.set(before.refersTo, merged(scope, findVariable(scope, name), value));
    return;
  }
  scope.variables.set(name, merged(scope, before, value));
}

function merged(scope: Scope, before: Variable | undefined, value: Value): Variable {
  const kept = value.length > MAX_LIST ? [HOLE] : value.map((each) => bounded(each));
  const isExported = before?.isExported ?? false;
  const earlier = scope.conditions > 0 ? (before?.values ?? []) : [];
  const same = (other: Value): boolean => other.length === kept.length && other.every((each, at) => each === kept[at]);
  if (earlier.some(same)) return { values: earlier, isExported, refersTo: null };
  const values = [kept, ...earlier].slice(0, MAX_ALTERNATIVES);
  return { values, isExported, refersTo: null };
}

/** All of `values` are possible at once, as in a loop over a list. */
export function assignAny(scope: Scope, name: string, values: readonly string[]): void {
  const distinct = [...new Set(values.slice(0, 64))].slice(0, MAX_ALTERNATIVES);
  const isExported = findVariable(scope, name)?.isExported ?? false;
  scope.variables.set(name, { values: distinct.map((each) => [each]), isExported, refersTo: null });
}

export function markExported(scope: Scope, name: string): void {
  const before = findVariable(scope, name);
  if (before !== undefined) scope.variables.set(name, { ...before, isExported: true });
}

/** Variables that the text itself exported, with their values. */
export function exportedValue(scope: Scope, name: string): string | null {
  const found = findVariable(scope, name);
  return found?.isExported === true ? (found.values[0]?.[0] ?? "") : null;
}
