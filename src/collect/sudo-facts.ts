import { lstatSync, readFileSync, statSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { type Evidence, measured, unmeasured } from "../core/evidence.ts";
import type { GatewayProcess } from "../core/host-evidence.ts";
import type { InstalledSudo, SudoSettings } from "../core/posture-facts.ts";
import { type EpochMs, isoFromEpoch } from "../core/time.ts";
import type { RunTool } from "../exec/run-tool.ts";
import { parseSudoList } from "./sudo-rules.ts";

export interface SudoFactsOptions {
  readonly now: () => EpochMs;
  readonly account: Evidence<GatewayProcess>;
  /** The uid that this runs as. */
  readonly currentUid: number;
  readonly runTool: RunTool;
  readonly locateTool: (name: string) => Promise<string | null>;
  /** Stands for "/" in every fixed path; for tests. */
  readonly root?: string;
}

const TIMEOUT_MS = 5_000;
const MAX_BYTES = 1_048_576;
const MAX_CHANGELOG_BYTES = 16_777_216;

/** Which sudo is installed, and which flaws its package's changelog names as fixed. */
export async function collectInstalledSudo(options: SudoFactsOptions): Promise<Evidence<InstalledSudo | null>> {
  const at = isoFromEpoch(options.now());
  const path = await options.locateTool("sudo");
  if (path === null) return measured(null, "system folders", at);
  const answer = await ask(options, path, ["-V"]);
  if (answer.kind === "failed") return unmeasured(answer.code, answer.message, `${path} -V`, at);
  const [head = ""] = answer.stdout.split("\n", 1);
  const version = /^(?:Sudo version|sudo-rs|sudo) (\d[\w.+-]*)$/.exec(head)?.[1] ?? "";
  const flavour = head.startsWith("sudo-rs") ? "sudo-rs" : "sudo";
  const changelog = await readChangelog(options, flavour);
  return measured(
    { path, flavour, version, fixed: changelog.fixed },
    [`${path} -V`, ...(changelog.source === null ? [] : [changelog.source])].join("; "),
    at,
  );
}

interface Changelog {
  readonly fixed: readonly string[];
  readonly source: string | null;
}

/** Debian and its kin ship it as a file, rpm keeps it in its database. Elsewhere only the number counts. */
async function readChangelog(options: SudoFactsOptions, name: string): Promise<Changelog> {
  for (const file of ["changelog.Debian.gz", "changelog.gz"]) {
    const path = `/usr/share/doc/${name}/${file}`;
    const text = gunzip(`${options.root ?? ""}${path}`);
    // Upstream's own list says what a version fixed, which the number says already.
    if (text?.startsWith("rust-") === true || text?.startsWith(name) === true) {
      return { fixed: cvesIn(text), source: path };
    }
  }
  const rpm = await options.locateTool("rpm");
  if (rpm === null) return { fixed: [], source: null };
  const answer = await ask(options, rpm, ["-q", "--changelog", name]);
  return answer.kind === "done" && answer.exitCode === 0
    ? { fixed: cvesIn(answer.stdout), source: `rpm -q --changelog ${name}` }
    : { fixed: [], source: null };
}

function gunzip(path: string): string | null {
  try {
    const found = lstatSync(path);
    // Somebody else's text could call any flaw fixed.
    if (!found.isFile() || found.uid !== 0 || (found.mode & 0o022) !== 0) return null;
    return gunzipSync(readFileSync(path), { maxOutputLength: MAX_CHANGELOG_BYTES }).toString("utf8");
  } catch {
    // Not shipped, or not to be read: then nothing is known to be fixed.
    return null;
  }
}

function cvesIn(text: string): readonly string[] {
  return [...new Set(text.match(/CVE-\d{4}-\d{4,7}/g))].toSorted();
}

/**
 * What sudo's own settings are for the account. Root is shown all of them; an account is shown those
 * that sudoers sets, and only where sudo lists them without a password.
 */
export async function collectSudoSettings(options: SudoFactsOptions): Promise<Evidence<SudoSettings>> {
  const at = isoFromEpoch(options.now());
  const path = await options.locateTool("sudo");
  if (path === null) return unmeasured("not-applicable", "There is no sudo", "system folders", at);
  if (options.account.kind === "unmeasured") return options.account;
  const { uid, user, groups } = options.account.value;
  if (options.currentUid === 0) return await settingsSeenByRoot(options, path, user ?? String(uid), at);
  if (uid !== options.currentUid) {
    return unmeasured("permission-denied", "Only the account itself or root is shown sudo's settings", path, at);
  }
  const answer = await ask(options, path, ["-n", "-l"]);
  if (answer.kind === "failed") return unmeasured(answer.code, answer.message, `${path} -n -l`, at);
  const list = parseSudoList(answer.stdout, answer.stderr, groups);
  const source = `${path} -n -l`;
  switch (list.kind) {
    case "none":
      return measured({ has_rules: false, use_pty: null, log: null, cached: false }, source, at);
    case "unclear":
      return unmeasured("tool-failed", "sudo's answer about its settings was not understood", source, at);
    case "password":
      return measured({ has_rules: null, use_pty: null, log: null, cached: false }, source, at);
    case "rules": {
      const settings = defaultsIn(answer.stdout);
      // Where no rule goes without a password, sudo lists without one only for a password typed before.
      const cached = answer.stdout.includes("NOPASSWD:") ? null : true;
      return measured({ has_rules: true, use_pty: settings.flag("use_pty"), log: settings.log(), cached }, source, at);
    }
  }
}

async function settingsSeenByRoot(
  options: SudoFactsOptions,
  sudo: string,
  user: string,
  at: string,
): Promise<Evidence<SudoSettings>> {
  const source = `${sudo} -V; ${sudo} -l -U`;
  const [general, own] = await Promise.all([ask(options, sudo, ["-V"]), ask(options, sudo, ["-n", "-l", "-U", user])]);
  if (general.kind === "failed") return unmeasured(general.code, general.message, source, at);
  if (own.kind === "failed") return unmeasured(own.code, own.message, source, at);
  const settings = defaultsIn(own.stdout);
  const usesPty = settings.flag("use_pty") ?? /^Always run commands in a pseudo-tty$/m.test(general.stdout);
  const file = /^Path to log file: (.+)$/m.exec(general.stdout)?.[1];
  const syslog = /^Syslog facility if syslog is being used for logging: (.+)$/m.test(general.stdout) ? "syslog" : null;
  const list = parseSudoList(own.stdout, own.stderr).kind;
  return measured(
    {
      has_rules: list === "none" ? false : list === "rules" ? true : null,
      use_pty: usesPty,
      log: settings.log() ?? file ?? syslog,
      cached: hasTicket(options, user),
    },
    source,
    at,
  );
}

/** The record of a typed password, still young enough to serve sudo's longest usual time. */
function hasTicket(options: SudoFactsOptions, user: string): boolean | null {
  const MAX_AGE_MS = 15 * 60_000;
  if (user.includes("/")) return null;
  try {
    const { mtimeMs } = statSync(`${options.root ?? ""}/run/sudo/ts/${user}`);
    return options.now() - mtimeMs < MAX_AGE_MS;
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code === "ENOENT" ? false : null;
  }
}

interface ShownDefaults {
  /** Null: not set in sudoers. */
  flag(name: string): boolean | null;
  log(): string | null;
}

/** The lines `Matching Defaults entries for ...`: names and values between commas. */
function defaultsIn(listing: string): ShownDefaults {
  const block = /^Matching Defaults entries for [^\n]*:\n((?: {4}[^\n]*\n)+)/m.exec(listing)?.[1] ?? "";
  const entries = block.split(/,|\n/).map((entry) => entry.trim().replaceAll(/\\(.)/g, "$1"));
  return {
    flag: (name) => {
      if (entries.includes(name)) return true;
      return entries.includes(`!${name}`) ? false : null;
    },
    log: () => {
      const file = entries.findLast((entry) => entry.startsWith("logfile="))?.slice("logfile=".length);
      if (file !== undefined) return file.replaceAll('"', "");
      if (entries.some((entry) => entry === "syslog" || entry.startsWith("syslog="))) return "syslog";
      return entries.includes("!syslog") ? "" : null;
    },
  };
}

async function ask(options: SudoFactsOptions, file: string, args: readonly string[]): ReturnType<RunTool> {
  return await options.runTool({ file, args, timeoutMs: TIMEOUT_MS, maxBytes: MAX_BYTES });
}
