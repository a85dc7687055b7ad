import type { StateEntry } from "./evidence.ts";

/** "0640". */
export function octal(mode: number): string {
  return (mode & 0o7777).toString(8).padStart(4, "0");
}

/** Whether an account other than the expected one (and root, who may anyway) can change this entry. */
export function othersMayWrite(entry: StateEntry, expectedUid: number): boolean {
  const isForeign = entry.uid !== expectedUid && entry.uid !== 0;
  // The mode of a symbolic link is always 0777 and means nothing.
  return isForeign || (entry.kind !== "symlink" && (entry.mode & 0o022) !== 0);
}

/** Whether everyone can read or enter this entry. */
export function everyoneMayRead(entry: StateEntry): boolean {
  return entry.kind !== "symlink" && (entry.mode & 0o005) !== 0;
}
