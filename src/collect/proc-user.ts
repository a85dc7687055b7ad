import { type ProcFiles } from "./proc-file.ts";

const PASSWD_MAX_BYTES = 4_194_304;

/** Name of a uid from passwd, or the number itself as text: directory services are not asked. */
export type UserName = (uid: number) => string;

/** Names in the content of /etc/passwd; the first entry of a uid counts, as for the C library. */
export function parsePasswd(text: string): Map<number, string> {
  const names = new Map<number, string>();
  for (const line of text.split("\n")) {
    const [name = "", , uidText = ""] = line.split(":");
    if (name === "" || !/^\d{1,10}$/.test(uidText)) continue;
    const uid = Number(uidText);
    if (!names.has(uid)) names.set(uid, name);
  }
  return names;
}

/** Reads passwd on first use: a scan without any known uid needs none. */
export function createUserNames(files: ProcFiles, path: string): UserName {
  let names: Map<number, string> | null = null;
  return (uid) => {
    if (names === null) {
      const text = files.text(path, PASSWD_MAX_BYTES);
      names = typeof text === "string" ? parsePasswd(text) : new Map();
    }
    return names.get(uid) ?? String(uid);
  };
}
