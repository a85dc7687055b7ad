import { type Evidence, measured, unmeasured } from "../core/evidence.ts";
import type { BrokerSocket, GatewayProcess } from "../core/host-evidence.ts";
import { type EpochMs, isoFromEpoch } from "../core/time.ts";
import { createProcFiles } from "./proc-file.ts";

export interface BrokerSocketOptions {
  readonly now: () => EpochMs;
  readonly procRoot: string;
  readonly gateway: Evidence<GatewayProcess>;
  readonly path: string;
}

const MAX_TABLE_BYTES = 8_388_608;
/** In the flags of /proc/net/unix: it listens. */
const ACCEPTS = 0x10000;

/**
 * Whether the running gateway itself listens at the broker's socket. An answer there would not do:
 * any program of the account can listen, and a file stays behind when its process has gone.
 */
export function collectBrokerSocket(options: BrokerSocketOptions): Evidence<BrokerSocket> {
  const { now, procRoot, gateway, path } = options;
  const at = isoFromEpoch(now());
  if (gateway.kind === "unmeasured") return gateway;
  const { pid, running } = gateway.value;
  if (!running || pid === null) {
    return unmeasured("file-missing", "No running gateway was found that could have the plugin loaded", path, at);
  }
  const files = createProcFiles(procRoot);
  // The gateway's own table: it may live in another network namespace.
  const table = files.text(`${pid}/net/unix`, MAX_TABLE_BYTES);
  if (typeof table !== "string") {
    return unmeasured("permission-denied", `The sockets of the gateway (pid ${pid}) cannot be looked at`, path, at);
  }
  const inodes = listenersAt(table, path);
  if (inodes.size === 0) return measured({ path, held_by: "none" }, path, at);
  const names = files.list(`${pid}/fd`);
  if (typeof names === "symbol") {
    return unmeasured("permission-denied", `What the gateway (pid ${pid}) has open cannot be looked at`, path, at);
  }
  const isHeld = names.some((name) => {
    const link = files.link(`${pid}/fd/${name}`);
    return typeof link === "string" && inodes.has(link);
  });
  return measured({ path, held_by: isHeld ? "gateway" : "other" }, path, at);
}

/** Links of the sockets that listen at a path, as a process' descriptors show them. */
function listenersAt(table: string, path: string): ReadonlySet<string> {
  const found = new Set<string>();
  for (const row of table.split("\n").slice(1)) {
    // Num RefCount Protocol Flags Type St Inode Path
    const match = /^\S+ \S+ \S+ ([0-9A-Fa-f]+) \S+ \S+ +(\d+) (.+)$/.exec(row);
    const [, flags = "0", inode = "", place = ""] = match ?? [];
    if (place === path && (Number.parseInt(flags, 16) & ACCEPTS) !== 0) found.add(`socket:[${inode}]`);
  }
  return found;
}
