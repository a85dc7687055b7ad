import { readFile } from "node:fs/promises";

export interface PasswdUser {
  readonly user: string;
  readonly uid: number;
  readonly gid: number;
}

/** The user of /etc/passwd with exactly this name, or null. Ids, groups and empty names are never names. */
export async function lookupUser(name: string, passwdPath: string = "/etc/passwd"): Promise<PasswdUser | null> {
  if (!/^[a-z_][a-z0-9_-]{0,31}$/.test(name)) return null;
  let text: string;
  try {
    text = await readFile(passwdPath, "utf8");
  } catch {
    // Without the list nobody is known, and the request is refused.
    return null;
  }
  const fields = text
    .split("\n")
    .map((line) => line.split(":"))
    .find(([user]) => user === name);
  const [uid, gid] = [parseId(fields?.[2]), parseId(fields?.[3])];
  return uid === null || gid === null ? null : { user: name, uid, gid };
}

/** The highest id means "leave as it is" to the kernel, so it is nobody's. */
function parseId(text: string | undefined): number | null {
  if (text === undefined || !/^\d{1,10}$/.test(text)) return null;
  const id = Number(text);
  return id < 0xffff_ffff ? id : null;
}
