import type { TableOwner } from "./socket-table.ts";

/**
 * The process part of an ss row: users:(("name",pid=1,fd=3),("name",pid=2,fd=3)).
 *
 * INVARIANT: no pid is believed that the text does not force. ss prints a process's comm as it is,
 * and a process may put anything into those 15 bytes: quotes, commas, parentheses, `",pid=1,x`, a
 * newline. So every way to read the part is followed, with the kernel's limit on the name and the
 * rest of the row checked, and only a single possible reading counts.
 */
export type SsUsers =
  /** The row names no process. */
  | { readonly kind: "absent"; readonly end: number; readonly rest: string }
  | { readonly kind: "read"; readonly end: number; readonly rest: string; readonly owners: readonly TableOwner[] }
  /** Several readings: which process it is cannot be told. */
  | { readonly kind: "ambiguous"; readonly end: number; readonly rest: string }
  /** No reading. */
  | { readonly kind: "unreadable" };

/** TASK_COMM_LEN without its NUL. Bytes; a decoded name has at most as many characters. */
const MAX_COMM = 15;
const OPEN = "users:(";
const MAX_PID = 4_194_304;

interface Step {
  /** Where the next `("` must be. */
  readonly at: number;
  readonly owner: TableOwner | null;
  readonly previous: Step | null;
}

/**
 * Reads the process part and the rest of its line.
 * @param at index after the peer address. `end` of the result is the index of the row's line end.
 */
export function readSsUsers(text: string, at: number): SsUsers {
  let start = at;
  while (text[start] === " ") start += 1;
  if (!text.startsWith(OPEN, start)) {
    const tail = readTail(text, at);
    return tail === null ? { kind: "unreadable" } : { kind: "absent", ...tail };
  }
  const entryEnd = /",pid=(\d{1,10}),fd=\d{1,10}\)/y;
  const pending: Step[] = [{ at: start + OPEN.length, owner: null, previous: null }];
  let complete: { readonly step: Step; readonly end: number; readonly rest: string } | null = null;
  let isAmbiguous = false;
  for (;;) {
    const step = takeFirst(pending);
    if (step === null) break;
    if (!text.startsWith('("', step.at)) continue;
    for (let length = 0; length <= MAX_COMM; length += 1) {
      const nameEnd = step.at + 2 + length;
      if (text[nameEnd] !== '"') continue;
      entryEnd.lastIndex = nameEnd;
      const match = entryEnd.exec(text);
      const pid = Number(match?.[1] ?? 0);
      if (match === null || pid < 1 || pid > MAX_PID) continue;
      const owner: TableOwner = { pid, name: text.slice(step.at + 2, nameEnd) };
      const next: Step = { at: entryEnd.lastIndex + 1, owner, previous: step };
      const separator = text[entryEnd.lastIndex];
      if (separator === ",") {
        if (pending.some((other) => other.at === next.at)) isAmbiguous = true;
        else pending.push(next);
      } else if (separator === ")") {
        const tail = readTail(text, next.at);
        if (tail === null) continue;
        if (complete !== null) isAmbiguous = true;
        // The longer reading ends the row: what follows the shorter one is then no row of its own.
        if (complete === null || tail.end > complete.end) complete = { step: next, ...tail };
      }
    }
  }
  if (complete === null) return { kind: "unreadable" };
  const { end, rest } = complete;
  return isAmbiguous ? { kind: "ambiguous", end, rest } : { kind: "read", end, rest, owners: ownersOf(complete.step) };
}

/** Steps in the order of the text, so that two readings that meet are seen to meet. */
function takeFirst(pending: Step[]): Step | null {
  let first = 0;
  for (let index = 1; index < pending.length; index += 1) {
    if ((pending[index]?.at ?? 0) < (pending[first]?.at ?? 0)) first = index;
  }
  return pending.splice(first, 1)[0] ?? null;
}

/** Each pid once: ss repeats a process for every descriptor it holds. */
function ownersOf(last: Step): readonly TableOwner[] {
  const owners: TableOwner[] = [];
  for (let step: Step | null = last; step !== null; step = step.previous) {
    if (step.owner !== null) owners.push(step.owner);
  }
  const seen = new Set<number>();
  return owners.toReversed().filter((owner) => !seen.has(owner.pid) && seen.add(owner.pid));
}

/**
 * What follows the process part up to the line's end: details ss makes itself, which never hold a
 * quote, then perhaps a cgroup path, which may hold anything but a newline. Null for anything else:
 * then `at` lies inside a name.
 */
function readTail(text: string, at: number): { readonly end: number; readonly rest: string } | null {
  const first = text[at];
  if (first !== undefined && first !== " " && first !== "\n" && first !== "\r") return null;
  // Only as far as the next quote or newline, so that a line full of hostile names stays linear.
  const plain = /[^"\n]*/y;
  plain.lastIndex = at;
  const details = plain.exec(text)?.[0] ?? "";
  let end = at + details.length;
  if (text[end] === '"') {
    if (!details.includes(" cgroup:")) return null;
    const newline = text.indexOf("\n", end);
    end = newline === -1 ? text.length : newline;
  }
  return { end, rest: text.slice(at, end) };
}
