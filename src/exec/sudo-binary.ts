import { stat } from "node:fs/promises";
import type { BinaryIdentity, UsableSudo } from "../core/elevation.ts";
import { type Refusal, refuse } from "../core/refusal.ts";
import { clip } from "../core/text.ts";
import { type HashCache, identifyFile, identityOf } from "./file-identity.ts";
import { walkPath } from "./path-chain.ts";
import { resolveBinary } from "./resolve-binary.ts";
import { checkInspector, checkNoNewPrivs, checkUserNamespace } from "./proc-facts.ts";
import type { RunTool } from "./run-tool.ts";
import { parseScriptHead } from "./script-interpreter.ts";

const MAX_SUDO_BYTES = 64 * 1024 * 1024;
const VERSION_TIMEOUT_MS = 5_000;
const MAX_VERSIONS = 8;

export interface SudoDeps {
  /** Where the owner says that sudo is; /usr/bin/sudo unless said otherwise. */
  readonly sudoPath: string;
  readonly hashes: HashCache;
  readonly runTool: RunTool;
  /** Kept by the caller: what each sudo said of itself. Without it sudo is asked every time. */
  readonly versions?: Map<string, string>;
  /** For tests; default /proc. */
  readonly procRoot?: string;
}

/**
 * Whether this process can use sudo at all: a root-owned setuid program that only root can replace
 * and that says it is sudo or sudo-rs, in a process that may gain privileges and is not open to a
 * debugger. Runs nothing but `sudo -V`.
 */
export async function checkSudo(deps: SudoDeps): Promise<UsableSudo | Refusal> {
  const wrong = checkInspector() ?? (await checkUserNamespace(deps.procRoot)) ?? (await checkNoNewPrivs(deps.procRoot));
  if (wrong !== null) return wrong;
  const identity = await identifySudo(deps);
  if ("code" in identity) return identity;
  const text = await askVersion(identity, deps);
  const version = /^(?:Sudo version|sudo-rs|sudo) (\d[\w.+-]*)$/m.exec(text.split("\n", 1)[0] ?? "")?.[1];
  if (version === undefined) return refuse("sudo-unusable", `${clip(identity.path, 200)} does not say that it is sudo`);
  return { kind: "usable", identity, flavour: text.startsWith("sudo-rs") ? "sudo-rs" : "sudo", version };
}

/** What this very file said once, it says again: only root can change it, and then its times differ. */
async function askVersion(identity: BinaryIdentity, { versions, runTool }: SudoDeps): Promise<string> {
  const key = JSON.stringify(identity);
  const known = versions?.get(key);
  if (known !== undefined) return known;
  const answer = await runTool({
    file: identity.path,
    args: ["-V"],
    timeoutMs: VERSION_TIMEOUT_MS,
    maxBytes: 64 * 1024,
  });
  const text = answer.kind === "done" && answer.exitCode === 0 ? answer.stdout : "";
  // A failure is asked anew; there is one sudo, and few before it was replaced.
  if (text !== "" && versions !== undefined && versions.size < MAX_VERSIONS) versions.set(key, text);
  return text;
}

/**
 * Pins down the program that asks for a password, named by the owner (never by a request). Only
 * root may be able to change it: it sees the password. It is started with no display; a program
 * that needs one must find it itself.
 */
export async function checkAskpass(path: string, hashes: HashCache): Promise<BinaryIdentity | Refusal> {
  const found = await resolveBinary(path, hashes);
  return "code" in found ? refuse("askpass-unusable", `${found.message} (${found.code})`) : found.binary;
}

/** True while the file at the path is the very one that was checked. To be asked directly before it is started. */
export async function isUnchanged(identity: BinaryIdentity): Promise<boolean> {
  try {
    const now = identityOf(identity.realPath, await stat(identity.path, { bigint: true }), identity.sha256);
    const { path: _path, realPath: _realPath, hops: _hops, ...known } = identity;
    return Object.entries(known).every(([key, value]) => now[key as keyof typeof known] === value);
  } catch {
    // Gone, or out of sight: not the one that was checked.
    return false;
  }
}

async function identifySudo({ sudoPath, hashes }: SudoDeps): Promise<BinaryIdentity | Refusal> {
  const shown = clip(sudoPath, 200);
  const walk = await walkPath(sudoPath);
  if (walk.kind === "refused") {
    const code = walk.code === "command-not-found" ? "sudo-missing" : "sudo-unusable";
    return refuse(code, walk.message);
  }
  const { stats, realPath } = walk;
  const mode = Number(stats.mode);
  if (!stats.isFile() || stats.uid !== 0n) return refuse("sudo-unusable", `${shown} is not a regular file of root`);
  if ((mode & 0o4000) === 0) return refuse("sudo-unusable", `${shown} has no setuid bit`);
  if ((mode & 0o022) !== 0) return refuse("sudo-unusable", `${shown} can be changed by others than root`);
  const reading = await identifyFile(realPath, hashes, MAX_SUDO_BYTES);
  // Some systems let nobody read it. Only root can change it, and then its times show it.
  const hidden = reading.kind === "unreadable" && reading.errno === "EACCES";
  if (reading.kind !== "read" && !hidden) return refuse("sudo-unusable", `${shown} cannot be read: ${reading.kind}`);
  if (reading.kind === "read" && parseScriptHead(reading.head).kind !== "program") {
    return refuse("sudo-unusable", `${shown} is no program but a script around one`);
  }
  const identity = reading.kind === "read" ? reading.identity : identityOf(realPath, stats, "");
  return { ...identity, path: walk.canonical, realPath, hops: walk.hops };
}
