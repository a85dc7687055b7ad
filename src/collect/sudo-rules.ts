import type { PrivilegePath } from "../core/host-evidence.ts";

export type SudoList =
  | { readonly kind: "rules"; readonly paths: readonly PrivilegePath[]; readonly timestampMinutes: number | null }
  /** sudo says that the account may run nothing. */
  | { readonly kind: "none" }
  /** sudo wants a password before it says anything. */
  | { readonly kind: "password" }
  | { readonly kind: "unclear" };

/** Reads what `sudo -n -l` (with `-U user` or without) prints in the C locale. */
export function parseSudoList(stdout: string, stderr: string): SudoList {
  const start = /^User \S+ may run the following commands on .*:$/m.exec(stdout);
  if (start === null) {
    const said = `${stdout}\n${stderr}`;
    if (/^User \S+ is not allowed to run sudo on |may not run sudo on /m.test(said)) return { kind: "none" };
    if (/a password is required|a terminal is required/.test(said)) return { kind: "password" };
    return { kind: "unclear" };
  }
  const rules = unfold(stdout.slice(start.index + start[0].length));
  const paths = rules.flatMap(readRule);
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

/** One line `(runas : group) TAG: TAG: command, command`. Tags hold for what follows until they are taken back. */
function readRule(rule: string): readonly PrivilegePath[] {
  const match = /^\(([^)]*)\)\s*(.*)$/.exec(rule);
  const users = (match?.[1] ?? "root").split(":")[0] ?? "";
  const isRoot = users.trim() === "" || users.split(",").some((user) => ["ALL", "root", "#0"].includes(user.trim()));
  if (!isRoot) return [];
  const paths: PrivilegePath[] = [];
  let isPasswordless = false;
  for (const part of splitCommands(match?.[2] ?? rule)) {
    let command = part.trim();
    for (;;) {
      // Tags, and settings such as CWD=/tmp that stand among them.
      const tag = /^(?:([A-Z_]+):|[A-Z_]+=\S+)\s*/.exec(command);
      if (tag === null) break;
      if (tag[1] === "NOPASSWD") isPasswordless = true;
      if (tag[1] === "PASSWD") isPasswordless = false;
      command = command.slice(tag[0].length);
    }
    // "!command" takes something away; "list" shows rules and runs nothing.
    if (command === "" || command.startsWith("!") || command === "list") continue;
    paths.push({ via: "sudo", what: command, strength: isPasswordless ? "passwordless" : "password" });
  }
  return paths;
}

/** Splits at commas that are not escaped; arguments may contain `\,`. */
function splitCommands(text: string): readonly string[] {
  return text.split(/(?<!\\),/);
}

/** What holds for single commands or target users can only make it worse: it says nothing about the others. */
function listedTimeout(head: string): number | null {
  const [general = "", special = ""] = head.split(/^Runas and Command-specific defaults for /m, 2);
  const [minutes, other] = [parseTimestampTimeout(general), parseTimestampTimeout(special, "any")];
  if (minutes === null || other === null || minutes < 0) return minutes;
  return other < 0 ? other : Math.max(minutes, other);
}

/** `Defaults!command`, `Defaults>user` and `Defaults@host` hold for a part only. */
const SCOPED = /^\s*Defaults[!>@]/;

/** The last `timestamp_timeout` in a Defaults list or in sudoers, in minutes; null when there is none. */
export function parseTimestampTimeout(text: string, scope: "general" | "any" = "general"): number | null {
  let minutes: number | null = null;
  for (const line of text.replaceAll("\\\n", " ").split("\n")) {
    if (line.trimStart().startsWith("#") || (scope === "general" && SCOPED.test(line))) continue;
    for (const match of line.matchAll(/(!?)\btimestamp_timeout(?:\s*=\s*(-?\d+(?:\.\d+)?))?/g)) {
      if (match[1] === "!") minutes = 0;
      else if (match[2] !== undefined) minutes = Number(match[2]);
    }
  }
  return minutes;
}

/** What doas.conf permits to the account, as root. The last rule that matches a command wins there; every permit counts here. */
export function parseDoas(text: string, user: string, groups: readonly string[]): readonly PrivilegePath[] {
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
    const isOurs = identity.startsWith(":") ? groups.includes(identity.slice(1)) : identity === user;
    const target = rest.indexOf("as");
    if (!isOurs || (target !== -1 && !["root", "0"].includes(rest[target + 1] ?? ""))) continue;
    paths.push({ via: "doas", what: raw.trim(), strength: options.has("nopass") ? "passwordless" : "password" });
  }
  return paths;
}
