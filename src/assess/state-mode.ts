import type { StateEntry } from "./evidence.ts";

/** "0640". */
export function octal(mode: number): string {
  return (mode & 0o7777).toString(8).padStart(4, "0");
}

/** Whether an account other than the expected one (and root, who may anyway) can change this entry. */
export function othersMayWrite(entry: StateEntry, expectedUid: number): boolean {
  const isForeign = entry.uid !== expectedUid && entry.uid !== 0;
  return isForeign || (takesEffect(entry) && (entry.mode & (entry.group_only === true ? 0o020 : 0o022)) !== 0);
}

/** Whether everyone can read or enter this entry. */
export function everyoneMayRead(entry: StateEntry): boolean {
  return takesEffect(entry) && entry.group_only !== true && (entry.mode & 0o005) !== 0;
}

/** The mode of a symbolic link is always 0777 and means nothing; a closed folder above makes a mode idle. */
function takesEffect(entry: StateEntry): boolean {
  return entry.kind !== "symlink" && entry.shielded !== true;
}
