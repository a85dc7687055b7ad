import type { PrivilegePath } from "../core/host-evidence.ts";

export type SudoList =
  | { readonly kind: "rules"; readonly paths: readonly PrivilegePath[]; readonly timestampMinutes: number | null }
  /** sudo says that the account may run nothing. */
  | { readonly kind: "none" }
  /** sudo wants a password before it says anything. */
  | { readonly kind: "password" }
  | { readonly kind: "unclear" };

/**
 * Reads what `sudo -n -l` (with `-U user` or without) prints in the C locale.
 * @param groups of the account, for a group that is exempt from passwords
 */
export function parseSudoList(stdout: string, stderr: string, groups: readonly string[] = []): SudoList {
  const start = /^User \S+ may run the following commands on .*:$/m.exec(stdout);
  if (start === null) {
    const said = `${stdout}\n${stderr}`;
    if (/^User \S+ is not allowed to run sudo on |may not run sudo on /m.test(said)) return { kind: "none" };
    if (/a password is required|a terminal is required/.test(said)) return { kind: "password" };
    return { kind: "unclear" };
  }
  const rules = unfold(stdout.slice(start.index + start[0].length));
  // What holds for single commands sudo has worked into their rules already.
  const defaults = stdout.slice(0, start.index).replace(/^Runas and Command-specific defaults for [\s\S]*/m, "");
  const isExempt = groups.includes(/\bexempt_group\s*=\s*"?([^\s",]+)/.exec(defaults)?.[1] ?? "");
  const asksNobody = /!authenticate\b/.test(defaults);
  const paths = rules.flatMap((rule) => readRule(rule, asksNobody, isExempt));
  // A listing without one rule that could be read is not the same as no rules.
  if (rules.length === 0) return { kind: "unclear" };
  return { kind: "rules", paths, timestampMinutes: listedTimeout(stdout.slice(0, start.index)) };
}

/** A rule starts at four spaces; what is indented deeper goes on with it. */
function unfold(text: string): readonly string[] {
  const rules: string[] = [];
  for (const line of text.split("\n")) {
    if (/^ {4}\S/.test(line)) rules.push(line.trim());
    else if (line.trim() !== "" && rules.length > 0) rules.push(`${rules.pop() ?? ""} ${line.trim()}`);
  }
  return rules;
}

/**
 * One line `(runas : group) TAG: TAG: command, command`. Tags hold for what follows until they are taken back.
 * @param asksNobody what holds without a tag
 * @param isExempt no tag makes sudo ask this account
 */
function readRule(rule: string, asksNobody: boolean, isExempt: boolean): readonly PrivilegePath[] {
  const match = /^\(([^)]*)\)\s*(.*)$/.exec(rule);
  const target = match?.[1] ?? "root";
  const users = target.split(":")[0] ?? "";
  const isRoot = users.trim() === "" || users.split(",").some((user) => ["ALL", "root", "#0"].includes(user.trim()));
  const paths: PrivilegePath[] = [];
  let hasNoPassword = asksNobody;
  for (const part of splitCommands(match?.[2] ?? rule)) {
    let command = part.trim();
    for (;;) {
      // Tags, and settings such as CWD=/tmp that stand among them.
      const tag = /^(?:([A-Z_]+):|[A-Z_]+=\S+)\s*/.exec(command);
      if (tag === null) break;
      if (tag[1] === "NOPASSWD") hasNoPassword = true;
      if (tag[1] === "PASSWD") hasNoPassword = false;
      command = command.slice(tag[0].length);
    }
    // "!command" takes something away; "list" shows rules and runs nothing.
    if (command === "" || command.startsWith("!") || command === "list") continue;
    const isPasswordless = hasNoPassword || isExempt;
    if (isRoot) {
      paths.push({ via: "sudo", what: command, strength: isPasswordless ? reachOf(command) : "password" });
    } else if (isPasswordless) {
      // That account's own ways to root were not looked at.
      paths.push({ via: "sudo", what: `${command}, as ${target.trim()}`, strength: "unknown" });
    }
  }
  return paths;
}

/** Programs that run what they are told to, or open a shell on the way: one of them as root is root. */
const RUNS_ANYTHING =
  /^(?:(?:ba|da|z|k|c|tc|fi)?sh|busybox|python[\d.]*|perl[\d.]*|ruby[\d.]*|node|php[\d.]*|lua[\d.]*|[gm]?awk|env|find|xargs|tar|zip|cp|mv|dd|tee|sed|install|chmod|chown|rsync|scp|ssh|git|make|gdb|strace|nmap|docker|podman|su|sudo|apt|apt-get|dpkg|yum|dnf|rpm|pip3?|npm|systemctl|systemd-run|crontab|mount|visudo)$/;
const OPENS_SHELL = /^(?:vim?|nvim|view|ex|ed|emacs|nano|pico|less|more|man|su)$/;

/**
 * What one command as root gives to whoever may start it unasked: everything, when it runs what it
 * is told to and is not held to fixed arguments; of any other only a human can tell.
 */
function reachOf(command: string): PrivilegePath["strength"] {
  const words = command.replace(/^(?:sha\d+:\S+[,\s]+)+/, "").split(/\s+/);
  const [path = "", ...args] = words;
  if (path === "ALL" || path.endsWith("/")) return "passwordless";
  const name = path.slice(path.lastIndexOf("/") + 1);
  const isSuToAnother = name === "su" && args.some((arg) => !arg.startsWith("-") && arg !== "root");
  if (OPENS_SHELL.test(name) && !isSuToAnother) return "passwordless";
  const isFree = args.length === 0 || args.some((arg) => /[*?[^]/.test(arg));
  const isShellAlone = args.join("") === '""' && name.endsWith("sh");
  const isAnyName = /[*?[]/.test(name);
  return isAnyName || isShellAlone || (isFree && RUNS_ANYTHING.test(name)) ? "passwordless" : "unknown";
}

/** Splits at commas that are not escaped; arguments may contain `\,`. */
function splitCommands(text: string): readonly string[] {
  return text.split(/(?<!\\),/);
}

/** `Defaults!command`, `Defaults>user` and `Defaults@host` hold for a part only. */
const SCOPED = /^\s*Defaults[!>@]/;

/** What holds for single commands or target users can only make it worse: it says nothing about the others. */
function listedTimeout(head: string): number | null {
  const [general = "", special = ""] = head.split(/^Runas and Command-specific defaults for /m, 2);
  const [minutes, other] = [parseTimestampTimeout(general), parseTimestampTimeout(special, "any")];
  if (minutes === null || other === null || minutes < 0) return minutes;
  return other < 0 ? other : Math.max(minutes, other);
}

/**
 * The last `timestamp_timeout` in a Defaults list or in sudoers, in minutes; null when there is none.
 * @param counts in sudoers, whose settings count: those for other users, targets or commands do not;
 *   in a list of sudo's, `general` leaves out what holds for a part only
 */
export function parseTimestampTimeout(
  text: string,
  counts: RuleAccount | "general" | "any" = "general",
): number | null {
  let minutes: number | null = null;
  for (const line of text.replaceAll("\\\n", " ").split("\n")) {
    if (line.trimStart().startsWith("#")) continue;
    if (counts === "general" && SCOPED.test(line)) continue;
    if (typeof counts === "object" && !isForAccount(line, counts)) continue;
    for (const match of line.matchAll(/(!?)\btimestamp_timeout(?:\s*=\s*(-?\d+(?:\.\d+)?))?/g)) {
      if (match[1] === "!") minutes = 0;
      else if (match[2] !== undefined) minutes = Number(match[2]);
    }
  }
  return minutes;
}

/** `Defaults:alice,%ops ...` is for them alone, `Defaults>` and `Defaults!` for some targets and commands; others are for all. */
function isForAccount(line: string, { user, uid, groups }: RuleAccount): boolean {
  const match = /^\s*Defaults([:>!])\s*(\S+)/.exec(line);
  if (match === null) return true;
  const names = (match[2] ?? "").split(",");
  return (
    match[1] === ":" &&
    names.some((name) => ["ALL", user, `#${uid}`, ...groups.map((group) => `%${group}`)].includes(name))
  );
}

/** The account that a rule may name. */
export interface RuleAccount {
  readonly user: string;
  readonly uid: number;
  readonly groups: readonly string[];
}

/** What doas.conf permits to the account. The last rule that matches a command wins there; every permit counts here. */
export function parseDoas(text: string, { user, uid, groups }: RuleAccount): readonly PrivilegePath[] {
  const paths: PrivilegePath[] = [];
  for (const raw of text.split("\n")) {
    const words = raw.replace(/#.*$/, "").trim().split(/\s+/);
    if (words[0] !== "permit") continue;
    const rest = words
      .slice(1)
      .join(" ")
      .replace(/\b(?:setenv|keepenv)\s*\{[^}]*\}/g, " ")
      .trim()
      .split(/\s+/);
    const options = new Set<string>();
    while (rest[0] !== undefined && ["nopass", "nolog", "persist", "keepenv"].includes(rest[0])) {
      options.add(rest.shift() ?? "");
    }
    const identity = rest[0] ?? "";
    const isOurs = identity.startsWith(":")
      ? groups.includes(identity.slice(1))
      : [user, String(uid)].includes(identity);
    if (!isOurs) continue;
    const target = rest.indexOf("as");
    const isRoot = target === -1 || ["root", "0"].includes(rest[target + 1] ?? "");
    const hasNoPassword = options.has("nopass");
    if (!isRoot && !hasNoPassword) continue;
    const command = rest.indexOf("cmd");
    const given =
      command === -1
        ? "ALL"
        : rest
            .slice(command + 1)
            .join(" ")
            .replace(/ args$/, ' ""')
            .replace(" args ", " ");
    const reach = isRoot ? reachOf(given) : "unknown";
    paths.push({ via: "doas", what: raw.trim(), strength: hasNoPassword ? reach : "password" });
  }
  return paths;
}
