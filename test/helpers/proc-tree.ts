import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

export const PROC_HEADER =
  "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";

/** One row of a table under /proc/net; addresses as the kernel of a little-endian machine prints them. */
export function procRow(row: {
  local: string;
  remote?: string;
  state?: string;
  uid?: number;
  inode: number;
  slot?: number;
}): string {
  const { local, state = "0A", uid = 0, inode, slot = 0 } = row;
  const remote = row.remote ?? `${"0".repeat(local.indexOf(":"))}:0000`;
  return `${String(slot).padStart(4)}: ${local} ${remote} ${state} 00000000:00000000 00:00000000 00000000 ${String(uid).padStart(5)}        0 ${inode} 1 0000000000000000 100 0 0 10 0\n`;
}

export interface TreeProcess {
  readonly comm?: string;
  readonly exe?: string;
  readonly uid?: number;
  readonly parent?: number;
  readonly start?: number;
  readonly cgroup?: string;
  /** Inodes of sockets, from fd 3 on. */
  readonly sockets?: readonly number[];
  /** Number of its user namespace; `self` has 1. */
  readonly userNamespace?: number;
  /** Inodes of sockets of a thread with a table of its own, by thread id. */
  readonly threads?: Readonly<Record<number, readonly number[]>>;
}

/** A fresh folder that stands for /proc; `files` are further files by path. */
export function makeProcTree(
  tables: Partial<Record<"tcp" | "tcp6" | "udp" | "udp6", string>>,
  processes: Readonly<Record<number, TreeProcess>> = {},
  files: Readonly<Record<string, string>> = {},
): string {
  const root = mkdtempSync(join(tmpdir(), "cse-proc-"));
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  for (const [name, rows] of Object.entries(tables)) write(`self/net/${name}`, PROC_HEADER + rows);
  for (const [path, text] of Object.entries(files)) write(path, text);
  for (const [pid, facts] of Object.entries(processes)) {
    const { comm = "server", uid = 0, parent = 1, start = 100 } = facts;
    write(`${pid}/comm`, `${comm}\n`);
    write(`${pid}/stat`, `${pid} (${comm}) S ${parent} ${pid} ${pid} 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 ${start} 0 0\n`);
    write(`${pid}/status`, `Name:\tx\nUid:\t0\t${uid}\t0\t0\n`);
    if (facts.cgroup !== undefined) write(`${pid}/cgroup`, facts.cgroup);
    if (facts.exe !== undefined) symlinkSync(facts.exe, join(root, pid, "exe"));
    makeDescriptors(join(root, pid), facts.sockets ?? []);
    for (const [thread, sockets] of Object.entries(facts.threads ?? {})) {
      makeDescriptors(join(root, pid, "task", thread), sockets);
    }
    if (facts.threads !== undefined) mkdirSync(join(root, pid, "task", pid), { recursive: true });
    if (facts.userNamespace !== undefined) linkNamespace(join(root, pid), facts.userNamespace);
  }
  if (Object.values(processes).some((facts) => facts.userNamespace !== undefined)) linkNamespace(join(root, "self"), 1);
  return root;
}

function makeDescriptors(folder: string, sockets: readonly number[]): void {
  mkdirSync(join(folder, "fd"), { recursive: true });
  symlinkSync("/dev/null", join(folder, "fd", "0"));
  for (const [index, inode] of sockets.entries()) {
    symlinkSync(`socket:[${inode}]`, join(folder, "fd", String(index + 3)));
  }
}

function linkNamespace(folder: string, number: number): void {
  mkdirSync(join(folder, "ns"), { recursive: true });
  symlinkSync(`user:[${number}]`, join(folder, "ns/user"));
}
