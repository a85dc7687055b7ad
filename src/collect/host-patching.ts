import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { compareDebianVersions } from "../core/debian-version.ts";
import { type Evidence, measured, unmeasured } from "../core/evidence.ts";
import type { HostPatching } from "../core/setup-evidence.ts";
import { type EpochMs, isoFromEpoch } from "../core/time.ts";
import type { RunTool } from "../exec/run-tool.ts";

export interface PatchingOptions {
  readonly now: () => EpochMs;
  /** Stands for "/". */
  readonly root: string;
  readonly runTool: RunTool;
  /** Reads lists that apt keeps compressed; null when there is none. */
  readonly aptHelper: string | null;
}

const MAX_LIST_BYTES = 268_435_456;
/** Lists and what came of them, as apt names them for a source of security fixes. */
const SECURITY_LIST = /(?:security|Debian-Security|-security)[^/]*_Packages(?:\.(?:lz4|gz|xz|bz2|zst))?$/i;

/** Security fixes that wait, by apt's own lists: nothing is fetched, and apt itself is not run. */
export async function collectHostPatching(options: PatchingOptions): Promise<Evidence<HostPatching>> {
  const { now, root } = options;
  const at = isoFromEpoch(now());
  const lists = join(root, "var/lib/apt/lists");
  const status = join(root, "var/lib/dpkg/status");
  const source = `${status}; security lists in ${lists}`;
  if (!existsSync(status)) {
    return unmeasured("platform-unsupported", "Only systems with dpkg and apt can be looked at", status, at);
  }
  let names: readonly string[];
  let installed: ReadonlyMap<string, Package>;
  try {
    installed = new Map(
      packagesOf(readFileSync(status, "utf8")).map((found) => [`${found.name}:${found.arch}`, found]),
    );
    names = readdirSync(lists).filter((name) => SECURITY_LIST.test(name));
  } catch (cause) {
    return unmeasured("file-unreadable", `What is installed cannot be read: ${(cause as Error).message}`, source, at);
  }
  if (names.length === 0) {
    return unmeasured("file-missing", "apt has no list of a source of security fixes", lists, at);
  }
  const waiting = new Map<string, string>();
  for (const name of names) {
    const text = await readList(join(lists, name), options);
    if (text === null) {
      return unmeasured("file-unreadable", `The list ${name} could not be read`, join(lists, name), at);
    }
    for (const { name: fixed, arch, version } of packagesOf(text)) {
      const found = installed.get(`${fixed}:${arch}`) ?? installed.get(`${fixed}:all`);
      const known = waiting.get(fixed);
      if (found === undefined || compareDebianVersions(found.version, version) >= 0) continue;
      if (known === undefined || compareDebianVersions(known, version) < 0) waiting.set(fixed, version);
    }
  }
  return measured(
    {
      manager: "apt",
      security: [...waiting].map(([name, version]) => `${name} ${version}`).toSorted(),
      lists_at: listsAt(lists, root),
      automatic: automatic(root),
      reboot_required: existsSync(join(root, "run/reboot-required")),
    },
    source,
    at,
  );
}

interface Package {
  readonly name: string;
  readonly arch: string;
  readonly version: string;
}

/** Installed or offered packages of a file in Debian's control format. */
function packagesOf(text: string): readonly Package[] {
  const found: Package[] = [];
  for (const block of text.split("\n\n")) {
    const name = /^Package: (\S+)$/m.exec(block)?.[1];
    const version = /^Version: (\S+)$/m.exec(block)?.[1];
    const status = /^Status: (.*)$/m.exec(block)?.[1];
    if (name === undefined || version === undefined || (status !== undefined && !status.endsWith(" installed")))
      continue;
    found.push({ name, arch: /^Architecture: (\S+)$/m.exec(block)?.[1] ?? "all", version });
  }
  return found;
}

async function readList(path: string, { runTool, aptHelper }: PatchingOptions): Promise<string | null> {
  try {
    if (path.endsWith("_Packages")) return statSync(path).size > MAX_LIST_BYTES ? null : readFileSync(path, "utf8");
  } catch {
    return null;
  }
  if (aptHelper === null) return null;
  const result = await runTool({
    file: aptHelper,
    args: ["cat-file", path],
    timeoutMs: 5_000,
    maxBytes: MAX_LIST_BYTES,
  });
  return result.kind === "done" && result.exitCode === 0 ? result.stdout : null;
}

/** apt writes down when it last fetched its lists; without that, the newest list is as good a sign. */
function listsAt(lists: string, root: string): string | null {
  try {
    const stamp = join(root, "var/lib/apt/periodic/update-success-stamp");
    const files = readdirSync(lists).filter((name) => name.endsWith("InRelease") || name.endsWith("Release"));
    const times = [stamp, ...files.map((name) => join(lists, name))].flatMap((path) => {
      const stat = statSync(path, { throwIfNoEntry: false });
      return stat === undefined ? [] : [stat.mtimeMs];
    });
    // A list of an old release has its release's date until it is fetched again.
    return times.length === 0 ? null : isoFromEpoch(Math.floor(Math.max(...times)));
  } catch {
    return null;
  }
}

/** Whether apt is told to install fixes by itself, and has what does it. */
function automatic(root: string): boolean | null {
  const folder = join(root, "etc/apt/apt.conf.d");
  try {
    if (!existsSync(join(root, "usr/bin/unattended-upgrade"))) return false;
    const text = readdirSync(folder)
      .toSorted()
      .map((name) => readFileSync(join(folder, name), "utf8"))
      .join("\n")
      .replaceAll(/^\s*(?:\/\/|#).*$/gm, "");
    const settings = [...text.matchAll(/APT::Periodic::Unattended-Upgrade\s+"(\d+)"/g)].map((match) => match[1]);
    return settings.length > 0 && settings.at(-1) !== "0";
  } catch {
    return null;
  }
}
