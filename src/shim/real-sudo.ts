import * as fs from "node:fs";
import { fail, FAILED } from "./fail.ts";

const SHOWING = ["-h", "--help", "-V", "--version"];
const FORGETTING = ["-k", "--reset-timestamp", "-K", "--remove-timestamp"];
const LISTING = ["-l", "--list", "-ll"];
const ENV = { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", LANG: "C.UTF-8", TERM: "dumb" };

/**
 * Whether real sudo answers these words by itself: exactly one, which shows or forgets something
 * and runs no command. `-k` beside anything else would run it.
 */
export function isForRealSudo(words: readonly string[]): boolean {
  const [word = ""] = words;
  return words.length === 1 && [...SHOWING, ...FORGETTING, ...LISTING].includes(word);
}

/** Becomes real sudo with one of those words: same process, since what it forgets depends on its parent. */
export function becomeRealSudo(path: string, word: string): never {
  if (!path.startsWith("/") || !isSetuidRoot(path) || process.execve === undefined) {
    fail(FAILED, "sudo-unusable", `${path} is no usable sudo`, "Install sudo, then install the shim again.");
  }
  fs.closeSync(0);
  // Gets the lowest free number, which is 0 again.
  fs.openSync("/dev/null", "r");
  return process.execve(path, LISTING.includes(word) ? ["sudo", "-n", word] : ["sudo", word], ENV);
}

function isSetuidRoot(path: string): boolean {
  try {
    const { uid, mode } = fs.statSync(path);
    return uid === 0 && (mode & 0o4000) !== 0 && (mode & 0o022) === 0;
  } catch {
    return false;
  }
}
