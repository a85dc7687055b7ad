import { hostname, release, userInfo } from "node:os";

/** What identifies this machine and account in a report. */
export interface HostIdentity {
  readonly hostname: string;
  readonly platform: string;
  readonly kernel: string;
  readonly user: string;
  /** Null where accounts have no numbers. */
  readonly uid: number | null;
}

export function collectHostFacts(): HostIdentity {
  const uid = process.getuid?.() ?? null;
  return { hostname: hostname(), platform: process.platform, kernel: release(), user: userName(uid), uid };
}

function userName(uid: number | null): string {
  try {
    return userInfo().username;
  } catch {
    // An account without an entry in passwd, as in many containers.
    return uid === null ? "unknown" : String(uid);
  }
}
