import { existsSync, realpathSync, statSync } from "node:fs";
import type { EnrolledApprover } from "../core/approvers.ts";
import { asSecurityError } from "../core/error.ts";
import { type Evidence, measured, type Unmeasured, unmeasured } from "../core/evidence.ts";
import type { GatewayProcess, PrivilegePaths } from "../core/host-evidence.ts";
import { parseStrictJson } from "../core/json.ts";
import type { SocketInventory } from "../core/network.ts";
import type {
  ApproverKind,
  CodeOwnership,
  FolderMode,
  GatewayDebugger,
  GatewayProgram,
  KernelGuards,
  PostureFacts,
  ServiceManager,
} from "../core/posture-facts.ts";
import { type EpochMs, isoFromEpoch } from "../core/time.ts";
import { isRootOnly, walkPath } from "../exec/path-chain.ts";
import type { RunTool } from "../exec/run-tool.ts";
import { parseCgroup } from "../scan/cgroup.ts";
import { parseApprovers } from "../schema/approvers.ts";
import { readOwnedTextFile } from "../state/read-file.ts";
import { createProcFiles, GONE, type ProcFiles, REFUSED } from "./proc-file.ts";
import { collectInstalledSudo, collectSudoSettings } from "./sudo-facts.ts";

export interface PostureFactsOptions {
  readonly now: () => EpochMs;
  readonly procRoot: string;
  readonly account: Evidence<GatewayProcess>;
  readonly privilege: Evidence<PrivilegePaths>;
  readonly sockets: Evidence<SocketInventory>;
  /** The uid that this runs as. */
  readonly currentUid: number;
  readonly runTool: RunTool;
  readonly locateTool: (name: string) => Promise<string | null>;
  readonly stateDir: string;
  readonly securityDir: string;
  /** Files of this package and folders where OpenClaw may be installed; those that are not there are left out. */
  readonly code: { readonly own: readonly string[]; readonly openclaw: readonly string[] };
  /** Stands for "/" in every fixed path; for tests. */
  readonly root?: string;
}

/** Signal 10 in the mask of /proc/<pid>/status. */
const SIGUSR1_BIT = 1n << 9n;
/** Null bytes and options of a command line end long before. */
const MAX_PROC_BYTES = 262_144;
const MAX_APPROVERS_BYTES = 100_000;

/** Everything that decides how far approvals can be relied on. Nothing is tried or changed; only sudo is asked what it lists. */
export async function collectPostureFacts(options: PostureFactsOptions): Promise<PostureFacts> {
  const { account, privilege } = options;
  const look = createLook(options);
  const [sudo, settings, program, code, anchor, approvers] = await Promise.all([
    collectInstalledSudo(options),
    collectSudoSettings(options),
    look.program(),
    look.code(),
    look.anchor(),
    look.approvers(),
  ]);
  return {
    account,
    privilege,
    sudo,
    sudo_settings: settings,
    kernel: look.kernel(),
    memory_open: look.memoryOpen(),
    program,
    debugger: look.debugger(),
    manager: look.manager(),
    code,
    folders: look.folders(),
    anchor,
    approvers,
  };
}

interface Look {
  kernel(): Evidence<KernelGuards>;
  memoryOpen(): Evidence<boolean>;
  program(): Promise<Evidence<GatewayProgram>>;
  debugger(): Evidence<GatewayDebugger>;
  manager(): Evidence<ServiceManager>;
  code(): Promise<Evidence<CodeOwnership>>;
  folders(): Evidence<readonly FolderMode[]>;
  anchor(): Promise<Evidence<"journald" | "syslog" | null>>;
  approvers(): Promise<Evidence<readonly ApproverKind[]>>;
}

function createLook(options: PostureFactsOptions): Look {
  const { procRoot, account, sockets, stateDir, securityDir } = options;
  const root = options.root ?? "";
  const at = isoFromEpoch(options.now());
  const files = createProcFiles(procRoot);
  const running = account.kind === "measured" && account.value.pid !== null ? account.value : null;
  const pid = running?.pid ?? null;
  const noGateway = (): Unmeasured =>
    account.kind === "unmeasured" ? account : unmeasured("not-applicable", "No gateway is running", procRoot, at);

  return {
    kernel: () => {
      if (files.list("sys/fs") === GONE) {
        return unmeasured("proc-unusable", "The kernel's settings could not be read", `${procRoot}/sys`, at);
      }
      return measured(
        {
          ptrace_scope: numberIn(files, "sys/kernel/yama/ptrace_scope"),
          protected_symlinks: numberIn(files, "sys/fs/protected_symlinks"),
          protected_hardlinks: numberIn(files, "sys/fs/protected_hardlinks"),
        },
        `${procRoot}/sys`,
        at,
      );
    },

    memoryOpen: () => {
      if (running === null || pid === null) return noGateway();
      const source = `${procRoot}/${pid}/environ`;
      if (running.uid === 0) return unmeasured("not-applicable", "The gateway runs as root", source, at);
      try {
        // The kernel gives these files to root when a process may not be read by its own account.
        return measured(statSync(source).uid !== 0, `owner of ${source}`, at);
      } catch {
        return unmeasured("proc-unusable", `The gateway (pid ${pid}) could not be looked at`, source, at);
      }
    },

    program: async () => {
      if (pid === null) return noGateway();
      const source = `${procRoot}/${pid}/exe`;
      const path = files.link(`${pid}/exe`);
      if (path === REFUSED) {
        return unmeasured("permission-denied", "Only root may see which program the gateway runs", source, at);
      }
      if (typeof path !== "string")
        return unmeasured("proc-unusable", "The gateway's program is not to be seen", source, at);
      const walk = await walkPath(path);
      try {
        const { uid, mode } = statSync(path);
        const isRoots = walk.kind === "walked" && isRootOnly(walk.stats);
        return measured({ path, uid, mode: mode & 0o7777, is_root_only: isRoots }, source, at);
      } catch {
        return unmeasured("file-unreadable", `The gateway's program ${path} cannot be looked at`, source, at);
      }
    },

    debugger: () => {
      if (pid === null) return noGateway();
      const source = `${procRoot}/${pid}/status, ${procRoot}/${pid}/cmdline`;
      const status = files.text(`${pid}/status`);
      const mask = typeof status === "string" ? /^SigCgt:\s*([0-9a-f]{1,16})$/m.exec(status)?.[1] : undefined;
      const cmdline = files.text(`${pid}/cmdline`, MAX_PROC_BYTES);
      if (mask === undefined || typeof cmdline !== "string") {
        return unmeasured("proc-unusable", `The gateway (pid ${pid}) could not be looked at`, source, at);
      }
      const handles = (BigInt(`0x${mask}`) & SIGUSR1_BIT) !== 0n;
      return measured(
        { handles_sigusr1: handles, inspect_flag: inspectFlag(cmdline), ports: portsOf(pid, sockets) },
        source,
        at,
      );
    },

    manager: () => {
      if (pid === null) return noGateway();
      const source = `${procRoot}/${pid}/cgroup`;
      const text = files.text(`${pid}/cgroup`);
      if (typeof text !== "string")
        return unmeasured("proc-unusable", "The gateway's unit could not be read", source, at);
      const { unit } = parseCgroup(text);
      const isUsers = unit?.startsWith("user@") === true;
      const isService = unit?.endsWith(".service") === true;
      return measured({ unit, manager: isUsers && isService ? "user" : isService ? "system" : "none" }, source, at);
    },

    code: async () => {
      const { own, openclaw } = options.code;
      const [mine, theirs] = [own.filter(isThere), openclaw.filter(isThere)];
      if (mine.length === 0 || theirs.length === 0) {
        const what = mine.length === 0 ? "This package's files" : "OpenClaw's files";
        return unmeasured(
          "file-missing",
          `${what} were not found, so who can change them is not known`,
          "installed packages",
          at,
        );
      }
      const seen = [...mine, ...theirs];
      const changeable: string[] = [];
      for (const path of seen) if (!(await isFixed(path))) changeable.push(path);
      return measured({ looked_at: seen, changeable }, "owners and modes of the packages' entries", at);
    },

    folders: () => {
      const found: FolderMode[] = [];
      for (const path of [stateDir, securityDir]) {
        try {
          const { uid, mode } = statSync(path);
          found.push({ path, uid, mode: mode & 0o7777 });
        } catch (cause) {
          const { code } = cause as NodeJS.ErrnoException;
          if (code === "ENOENT" && path === securityDir) continue;
          return code === "ENOENT"
            ? unmeasured("file-missing", "There is no state folder yet", path, at)
            : unmeasured("permission-denied", `The folder ${path} cannot be looked at`, path, at);
        }
      }
      return measured(found, stateDir, at);
    },

    anchor: async () => {
      const socket = `${root}/dev/log`;
      const tool = await options.locateTool("logger");
      const place = tool === null ? null : logBehind(socket);
      return measured(place, `logger, ${socket}`, at);
    },

    approvers: async () => await collectApproverKinds(securityDir, at),
  };
}

/** Who may approve, and by what proof. */
export async function collectApproverKinds(
  securityDir: string,
  at: string,
): Promise<Evidence<readonly ApproverKind[]>> {
  const path = `${securityDir}/approvers.json`;
  try {
    // Only described here, also to root; the gateway itself refuses a list that others may write.
    const what = { maxBytes: MAX_APPROVERS_BYTES, trust: "untrusted", what: "list of approvers" } as const;
    const { text, isSealed } = await readOwnedTextFile(path, what);
    const enrolled = parseApprovers(parseStrictJson(text, path), isSealed);
    return measured([...new Set(enrolled.map(kindOf))], path, at);
  } catch (thrown) {
    const { code, message } = asSecurityError(thrown);
    if (code === "file-missing") return measured(["terminal"], "no approver is enrolled", at);
    return unmeasured(code, message, path, at);
  }
}

function kindOf({ kind, proof }: EnrolledApprover): ApproverKind {
  return kind === "device" && proof === "none" ? "device without proof" : kind;
}

function numberIn(files: ProcFiles, path: string): number | null {
  const text = files.text(path, 64);
  return typeof text === "string" && /^-?\d+\s*$/.test(text) ? Number(text) : null;
}

/** Null when the process shows a title instead of how it was started. */
function inspectFlag(cmdline: string): boolean | null {
  const words = cmdline.split("\0").filter((word) => word !== "");
  if (words.some((word) => /^--(?:inspect|debug)/.test(word))) return true;
  return words.length < 2 ? null : false;
}

function portsOf(pid: number, sockets: Evidence<SocketInventory>): readonly number[] | null {
  if (sockets.kind === "unmeasured" || !sockets.value.complete) return null;
  const own = sockets.value.listeners.filter((each) => each.pid === pid && each.protocol === "tcp");
  return [...new Set(own.map(({ port }) => port))].toSorted((a, b) => a - b);
}

function isThere(path: string): boolean {
  return existsSync(path);
}

async function isFixed(path: string): Promise<boolean> {
  const walk = await walkPath(path);
  return walk.kind === "walked" && isRootOnly(walk.stats);
}

/** Who listens at the system's log socket; null when there is none. */
function logBehind(socket: string): "journald" | "syslog" | null {
  try {
    if (!statSync(socket).isSocket()) return null;
    return realpathSync(socket).includes("/systemd/journal/") ? "journald" : "syslog";
  } catch {
    // Not there, or out of reach: nothing can be told to it.
    return null;
  }
}
