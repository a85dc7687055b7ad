import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { url as inspectorUrl } from "node:inspector";
import { join } from "node:path";
import { type Refusal, refuse } from "../core/refusal.ts";
import { parseLimits, type ResourceLimit } from "../core/resource-limits.ts";

const PROC = "/proc";

/**
 * Null when user ids mean what they say. Inside a user namespace the caller's own files look
 * root-owned, so no check of ownership would be worth anything.
 * @param procRoot for tests
 */
export async function checkUserNamespace(procRoot: string = PROC): Promise<Refusal | null> {
  const map = await readText(join(procRoot, "self/uid_map"));
  if (map === null) return refuse("user-namespace", "the map of user ids cannot be read");
  const isIdentity = map.trim().split(/\s+/).join(" ") === "0 0 4294967295";
  return isIdentity ? null : refuse("user-namespace", "user ids are mapped in this process");
}

/** Null when this process may gain privileges through a setuid file. */
export async function checkNoNewPrivs(procRoot: string = PROC): Promise<Refusal | null> {
  const status = await readText(join(procRoot, "self/status"));
  const flag = status === null ? null : /^NoNewPrivs:\s*(\d+)$/m.exec(status)?.[1];
  if (flag === "0") return null;
  return flag === "1"
    ? refuse("no-new-privs", "the no_new_privs flag of this process is set")
    : refuse("no-new-privs", "whether the no_new_privs flag is set cannot be read");
}

/** Null when no debugger can connect to this process and change what it holds in memory. */
export function checkInspector(): Refusal | null {
  return inspectorUrl() === undefined ? null : refuse("inspector-open", "a debugger can connect to this process");
}

/** The resource limits of this process; null when they cannot be told. */
export async function readLimits(procRoot: string = PROC): Promise<readonly ResourceLimit[] | null> {
  return parseLimits((await readText(join(procRoot, "self/limits"))) ?? "");
}

/** The same at once, for the moment of a spawn: another process of this account can change them at any time. */
export function readLimitsNow(): readonly ResourceLimit[] | null {
  try {
    return parseLimits(readFileSync(join(PROC, "self/limits"), "utf8"));
  } catch {
    // Who asks refuses.
    return null;
  }
}

/** Start time of a process in clock ticks since boot, or null: with the pid it names one process for good. */
export async function readStartTime(pid: number, procRoot: string = PROC): Promise<string | null> {
  const stat = await readText(join(procRoot, String(pid), "stat"));
  // The name before it may hold spaces and brackets of its own.
  return stat?.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? null;
}

async function readText(path: string): Promise<string | null> {
  try {
    return await readFile(path, "utf8");
  } catch {
    // Every caller refuses, or says that it is not known.
    return null;
  }
}
