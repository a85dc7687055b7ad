import { spawn, spawnSync } from "node:child_process";
import { chmod, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { firstLine, programForUser, stopper } from "./cli.ts";
import { itUnless, toolPath } from "./requires.ts";
import { collect, copyPackageForUser, ordinaryUser, type RunResult } from "./unprivileged.ts";

/** A public address that, in here, is a process of the test: no packet leaves the two namespaces. */
export const REMOTE = "93.184.215.14";
export const REMOTE_NAME = "api.example.test";

export interface TwoNetworks {
  /** Runs the built command as the ordinary user on the near side. */
  cse(args: readonly string[], home: string): Promise<RunResult>;
  /** Holds a connection of the ordinary user's Node from the near side to the far side, until the test is over. */
  dial(port: number, options?: { readonly exe?: string; readonly from?: number }): Promise<void>;
  /** Listens on all addresses of the near side, as the ordinary user, until the test is over. */
  listen(port: number): Promise<void>;
}

/**
 * Two network namespaces joined by a cable: on the far one REMOTE listens on the given ports, on the
 * near one its own /etc/hosts knows REMOTE_NAME. Everything ends with the test.
 */
export async function makeTwoNetworks(ports: readonly number[]): Promise<TwoNetworks> {
  const { node, folder } = await copyPackageForUser();
  const user = await ordinaryUser();
  const hosts = join(await mkdtemp(join(tmpdir(), "cse-hosts-")), "hosts");
  await writeFile(hosts, `127.0.0.1 localhost\n${REMOTE} ${REMOTE_NAME}\n`);
  await chmod(join(hosts, ".."), 0o755);
  const script = 'mount --bind "$1" /etc/hosts && ip link set lo up && echo ready && exec cat';
  const near = spawn("unshare", ["--net", "--mount", "sh", "-c", script, "sh", hosts], { stdio: "pipe" });
  stopper(near);
  await firstLine(near);

  const inside = (pid: number | undefined): string[] => ["-t", String(pid), "-n", "-m", "--"];
  const configure = (pid: number | undefined, ...command: string[]): void => {
    const { status, stderr } = spawnSync("nsenter", [...inside(pid), ...command], { encoding: "utf8" });
    if (status !== 0) throw new Error(`${command.join(" ")}: ${stderr}`);
  };
  const listen = await programForUser("listen.mjs");
  const [first = 443, ...others] = ports;
  const far = spawn("unshare", ["--net", node, listen, JSON.stringify({ host: "0.0.0.0", port: first })]);
  stopper(far);
  await firstLine(far);
  for (const port of others) {
    const more = spawn("nsenter", [
      "-t",
      String(far.pid),
      "-n",
      "--",
      node,
      listen,
      JSON.stringify({ host: "0.0.0.0", port }),
    ]);
    stopper(more);
    await firstLine(more);
  }
  configure(near.pid, "ip", "link", "add", "near", "type", "veth", "peer", "name", "far", "netns", String(far.pid));
  for (const [pid, device, address] of [
    [near.pid, "near", "93.184.215.1/24"],
    [far.pid, "far", `${REMOTE}/24`],
  ] as const) {
    configure(pid, "ip", "address", "add", address, "dev", device);
    configure(pid, "ip", "link", "set", device, "up");
  }

  const asUser = (command: readonly string[], home: string) =>
    spawn("nsenter", ["-S", String(user.uid), "-G", String(user.gid), ...inside(near.pid), ...command], {
      cwd: "/",
      env: { PATH: "/usr/bin:/bin", HOME: home, LANG: "C.UTF-8" },
      stdio: "pipe",
    });
  const dialer = await programForUser("dial.mjs");
  return {
    cse: async (args, home) => await collect(asUser([node, join(folder, "dist/cli.js"), ...args], home)),
    listen: async (port) => {
      const child = asUser([node, listen, JSON.stringify({ host: "0.0.0.0", port })], "/");
      stopper(child);
      await firstLine(child);
    },
    dial: async (port, { exe = node, from } = {}) => {
      const local = from === undefined ? [] : [String(from)];
      const child = asUser([exe, dialer, REMOTE, String(port), ...local], "/");
      stopper(child);
      const answer = await firstLine(child);
      if (answer !== "connected") throw new Error(`could not connect to ${REMOTE}:${port}: ${answer}`);
    },
  };
}

/** Why two networks cannot be made here, or null. */
function obstacle(): string | null {
  const missing = ["ip", "nsenter", "unshare"].filter((tool) => toolPath(tool) === null);
  if (missing.length > 0) return `${missing.join(", ")} not installed`;
  if (process.getuid?.() !== 0) return "network namespaces need root";
  const { status } = spawnSync("unshare", ["--net", "--mount", "ip", "link", "add", "near", "type", "veth"]);
  return status === 0 ? null : "network namespaces are not permitted here";
}

/** Like `it`, for a test that makes network namespaces; skipped by name where that is not possible. */
export function itWithNetworks(title: string, run: () => Promise<void>): void {
  itUnless(obstacle(), title, run);
}
