/**
 * Least-privilege sudoers lines for the exact commands of a policy. A command that sudoers cannot
 * say exactly is refused, never widened. Source: sudoers(5), and sudo itself in the tests.
 */
import { escapeControl } from "../core/text.ts";
import { type EpochMs, isoDateFromEpoch, isoFromEpoch } from "../core/time.ts";
import type { CommandPolicy, CommandRule, ExactCommand } from "../schema/command-policy.ts";

/** One allowed command, word for word. */
export interface ExactRule {
  /** Rule id, or the list with the position: "allow_exact[0]". */
  readonly id: string;
  readonly argv: readonly [string, ...string[]];
  readonly runAs: string;
  /** The folder it must run in; null: the caller's. */
  readonly cwd: string | null;
  /** First moment at which it no longer holds; null: no end. */
  readonly expiresAt: EpochMs | null;
}

export interface RefusedRule {
  readonly id: string;
  readonly code:
    | "not-exact"
    | "expired"
    | "inexpressible"
    | "denied-by-policy"
    | "binary-unusable"
    | "mutable-operand"
    | "root-equivalent";
  readonly message: string;
}

export interface ExactRules {
  readonly rules: readonly ExactRule[];
  readonly refused: readonly RefusedRule[];
}

/** The commands that a policy allows word for word. What deny rules take away is for the caller to ask. */
export function exactRulesOf(policy: CommandPolicy, now: EpochMs): ExactRules {
  const found =
    policy.form === "v2"
      ? policy.rules.filter(({ effect }) => effect === "allow").map((rule) => fromRule(rule, now))
      : [
          ...policy.allow.map((_, index) => notExact(`allow[${index}]`, "a pattern")),
          ...policy.allowExact.map((command, index) => fromCommand(command, `allow_exact[${index}]`)),
        ];
  return {
    rules: found.filter((each): each is ExactRule => "argv" in each),
    refused: found.filter((each): each is RefusedRule => "code" in each),
  };
}

function fromRule(rule: CommandRule, now: EpochMs): ExactRule | RefusedRule {
  const { id, binary, cwd, expiresAt } = rule;
  const args = literalWords(rule);
  if (args === null) return notExact(id, "more than one command line");
  if (expiresAt !== null && now >= expiresAt) {
    return { id, code: "expired", message: `It expired on ${isoDateFromEpoch(expiresAt)}.` };
  }
  return { id, argv: [binary, ...args], runAs: rule.runAs ?? "root", cwd, expiresAt };
}

/** The arguments of a rule that matches one command line only, else null. */
function literalWords({ args, flags }: CommandRule): readonly string[] | null {
  if (args === "any" || flags !== null) return null;
  const words = args.flatMap((each) => (each.kind === "literal" ? [each.text] : []));
  return words.length === args.length ? words : null;
}

function fromCommand(command: ExactCommand, id: string): ExactRule | RefusedRule {
  const [program, ...args] = command.kind === "argv" ? command.argv : command.line.split(" ");
  if (program === undefined || program === "") return inexpressible(id, "it names no command");
  return { id, argv: [program, ...args], runAs: "root", cwd: null, expiresAt: null };
}

export interface FragmentRequest {
  readonly account: { readonly user: string; readonly uid: number };
  readonly rules: readonly FragmentRule[];
  /** What the installed sudo understands. */
  readonly log: "json" | "text";
}

/** `rule.argv[0]` is the file that was looked at. */
export interface FragmentRule extends ExactRule {
  /** Binds the rule to these bytes of the program; null: to its path only. */
  readonly sha256: string | null;
}

export interface Fragment {
  /** Null when nothing is left to be said. */
  readonly text: string | null;
  readonly written: readonly { readonly id: string; readonly alias: string; readonly command: string }[];
  readonly refused: readonly RefusedRule[];
}

const ACCOUNT = /^[a-z_][a-z0-9_-]{0,31}$/;
/** Without a character that sudoers or its glob could take for something else. */
const PLAIN_PATH = /^(?:\/[A-Za-z0-9._+@-]+)+$/;
const DIGEST = /^[0-9a-f]{64}$/;

/** Where an administrator would put the fragment; names with a dot are ignored by sudo. */
export function fragmentPath(user: string): string {
  return `/etc/sudoers.d/90-cse-${user}`;
}

/** Pure text; nothing is installed. The caller has it checked by visudo before anybody sees it. */
export function renderSudoersFragment({ account, rules, log }: FragmentRequest): Fragment {
  const { user, uid } = account;
  const refused: RefusedRule[] = [];
  const written: { id: string; alias: string; command: string }[] = [];
  const blocks: string[] = [];
  for (const rule of rules) {
    const alias = `CSE_${uid}_${written.length + 1}`;
    const block = ACCOUNT.test(user) ? renderRule(rule, user, alias) : "the account's name is not a plain one";
    if (typeof block === "string") {
      refused.push(inexpressible(rule.id, block));
    } else {
      blocks.push(block.text);
      written.push({ id: rule.id, alias, command: block.command });
    }
  }
  if (written.length === 0) return { text: null, written, refused };
  const path = fragmentPath(user);
  const head = [
    `# Commands that ${user} may run through sudo without a password, from its command policy.`,
    `# Written by cse posture --sudoers; nothing was installed. Read every line, then, as root:`,
    `#   visudo -c -f FILE && install -o root -g root -m 0440 FILE ${path}`,
    "# sudo compares arguments joined by spaces: words glued together with a space in one argument pass too.",
    "",
    `Defaults:${user} ${log === "json" ? 'logfile="/var/log/sudo.json", log_format=json' : 'logfile="/var/log/sudo.log"'}`,
  ];
  return { text: `${[...head, ...blocks].join("\n")}\n`, written, refused };
}

/** The lines of one rule, or why it cannot be said. */
function renderRule(rule: FragmentRule, user: string, alias: string): { text: string; command: string } | string {
  const [program, ...args] = rule.argv;
  if (!PLAIN_PATH.test(program) || program.split("/").some((part) => part === "." || part === "..")) {
    return "the command's path is not absolute and plain";
  }
  if (!ACCOUNT.test(rule.runAs)) return "the target user's name is not a plain one";
  if (rule.cwd !== null && rule.cwd !== "/" && !PLAIN_PATH.test(rule.cwd)) return "the folder's path is not plain";
  if (rule.sha256 !== null && !DIGEST.test(rule.sha256)) return "the digest is not a SHA-256";
  const words = escapeArguments(args);
  if (words.kind === "impossible") return words.reason;
  const command = `${program} ${words.text}`;
  const digest = rule.sha256 === null ? "" : `sha256:${rule.sha256} `;
  const options = [
    ...(rule.cwd === null ? [] : [`CWD=${rule.cwd}`]),
    ...(rule.expiresAt === null ? [] : [`NOTAFTER=${lastMoment(rule.expiresAt)}`]),
  ];
  const lines = [
    "",
    `# ${escapeControl(rule.id)}`,
    `Cmnd_Alias ${alias} = ${digest}${command}`,
    `Defaults!${alias} env_reset, !setenv, timestamp_timeout=0`,
    [`${user} ALL=(${rule.runAs})`, ...options, "NOPASSWD:", "NOSETENV:", alias].join(" "),
  ];
  return { text: lines.join("\n"), command };
}

export type EscapedArguments =
  | { readonly kind: "escaped"; readonly text: string }
  | { readonly kind: "impossible"; readonly reason: string };

/**
 * Arguments as sudoers takes them, so that they match these words and no others (but for where the
 * words are divided). Two readers take backslashes away: the parser of the file, then fnmatch(3).
 */
export function escapeArguments(args: readonly string[]): EscapedArguments {
  // Two quotation marks mean: no argument at all.
  if (args.length === 0) return { kind: "escaped", text: '""' };
  if (args.length === 1 && args[0] === '""') return impossible("sudoers takes two quotation marks for no argument");
  for (const word of args) {
    if (word === "") return impossible("sudo cannot tell an empty argument from none");
    if (/\s/u.test(word)) return impossible("sudo cannot tell an argument with a space from two");
    if (!word.isWellFormed() || word.includes("\ufffd") || escapeControl(word) !== word) {
      return impossible("an argument holds characters that cannot be seen");
    }
  }
  const words = args.map((word, index) => {
    const text = word.replaceAll(/[\\*?[\]!,:=#]/g, (char) => (char === "\\" ? "\\\\\\\\" : `\\${char}`));
    // From ^ to $ the whole would be a regular expression.
    return index === 0 && text.startsWith("^") ? `\\${text}` : text;
  });
  return { kind: "escaped", text: words.join(" ") };
}

/** The second before, in UTC: without the Z, the caller's time zone would count (CVE-2026-96512). */
function lastMoment(expiresAt: EpochMs): string {
  return isoFromEpoch(expiresAt - 1_000).replaceAll(/[-:T]/g, "");
}

function impossible(reason: string): EscapedArguments {
  return { kind: "impossible", reason };
}

function notExact(id: string, what: string): RefusedRule {
  return { id, code: "not-exact", message: `It allows ${what}; only whole commands can be given to sudo.` };
}

function inexpressible(id: string, reason: string): RefusedRule {
  return { id, code: "inexpressible", message: `sudoers cannot say this exactly: ${reason}.` };
}
