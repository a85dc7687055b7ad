/** Why a privileged action was refused, and what the reader can do: one stable code, one line of help. */
const HELP = {
  "invalid-request": "Give an absolute command and a reason; see the message for the field.",
  "reason-missing": "Say in a few words why the command is needed.",
  "too-long-to-review": "Shorten the command: what a person cannot read in full is not put before them.",
  "command-not-absolute": "Give the command's absolute path.",
  "command-not-found": "Check the path; nothing is looked up on PATH.",
  "command-not-regular": "Name a regular, executable file.",
  "command-not-root-owned": "Only files that root alone can change may be run; install the program system-wide.",
  "command-path-writable": "A folder or link on the way can be changed by others; use the program's real location.",
  "command-setuid": "Setuid and setgid programs are not run through sudo.",
  "command-special-path": "Paths under /proc, /sys and /dev are not run.",
  "nested-elevation": "Ask for the command itself, not for another elevator around it.",
  "interpreter-refused": "The script's interpreter is not one that root alone can change.",
  "mutable-operand": "An interpreter would run a file that others can change; copy it to a folder only root can write.",
  "cwd-invalid": "Use an existing folder.",
  "limits-too-low": "The command would run under the limits of this process (ulimit); raise those that are named.",
  "run-as-unknown": "Name an existing user.",
  "env-not-allowed": "Only DEBIAN_FRONTEND, LANG, LC_ALL and TZ may be set.",
  "stdin-too-large": "Give at most 1 MiB on standard input.",
  "policy-denied": "The command policy forbids this; `cse policy check` names the rule.",
  "policy-unmatched": "No rule of the command policy allows this; an owner can add one.",
  "policy-broken": "The command policy cannot be read, so everything is refused; `cse policy lint` says where.",
  "policy-missing": "OPENCLAW_REQUIRE_POLICY_FILES is set; create the files with `cse init` and review them.",
  "policy-changed": "The policy changed meanwhile; ask again.",
  "session-required": "OPENCLAW_REQUIRE_SESSION_ID is set; start the task with OPENCLAW_TASK_SESSION_ID.",
  "token-unknown": "The token of the session is not known, or its session has ended; run the command again.",
  "session-mismatch": "The grant belongs to another session; ask again in this one.",
  "untrusted-not-confirmed": "The request came from untrusted content and nobody confirmed it.",
  "token-required": "An approval token is configured; only a person at a terminal can type it.",
  "token-wrong": "The approval token was not right.",
  "no-route": "Nobody can be asked here; run `cse run` in a terminal of your own.",
  "non-interactive": "A call that must not wait cannot be approved; drop -n.",
  denied: "A person said no; do not ask again for the same.",
  "approval-expired": "Nobody answered in time; ask again when somebody is there.",
  "approval-invalid": "The approver gave no usable answer; look at the audit log.",
  "untrusted-resolver": "The yes did not come from an approver that counts here.",
  "approver-not-enrolled":
    "The yes came from a device or channel that is not enrolled; `cse approvers list` shows it, `cse approvers enroll` lets it count.",
  "approvers-broken":
    "The list of enrolled approvers cannot be trusted, so nobody's yes counts; `cse approvers list` says why.",
  "code-wrong": "The typed code was not the one shown.",
  "rate-limited": "Too many requests; wait before asking again.",
  "cooling-down": "The same request was just denied; wait five minutes.",
  "too-many-pending": "Answer the waiting requests first.",
  busy: "Another privileged command of this session is running.",
  "grant-unknown": "There is no such grant; ask again.",
  "grant-used": "The grant was for one run and is used; ask again.",
  "grant-expired": "The grant has expired; ask again.",
  "grant-mismatch": "The grant is for another command; ask for this one.",
  "clock-anomaly": "The clock jumped, so every grant was dropped; ask again.",
  "request-changed": "Something changed between the yes and the run; ask again.",
  "sudo-missing": "Install sudo.",
  "sudo-unusable": "The sudo binary is not a root-owned setuid file; repair the installation.",
  "askpass-unusable": "Name an askpass program that root alone can change.",
  "no-new-privs": "This process may not gain privileges (no_new_privs); run the gateway without it.",
  "user-namespace": "Inside a user namespace ownership cannot be trusted; run outside of it.",
  "password-required":
    "sudo wants a password: use `cse run` in a terminal, a root-owned askpass, or the NOPASSWD line of `cse posture`.",
  "sudo-denied": "sudo's own rules do not allow this.",
  "audit-unavailable": "The record could not be written, so nothing ran; `cse audit verify` says more.",
  "audit-broken": "The audit log was tampered with or replaced; `cse audit verify` says where.",
  "inspector-open": "A debugger port is open in this process; close it.",
  "elevation-elsewhere": "Another gateway elevates for this state folder.",
  "use-run-privileged": "Call the tool runPrivileged with exactly this command; the shell is not the way.",
  "protected-use": "This touches what guards this machine; the owner does such things, not an agent.",
  "command-opaque": "Write the command plainly, so that what it does can be read without running it.",
  "gate-unavailable": "The security service of the gateway does not run; `openclaw health` says why.",
  "config-broken": "The plugin's configuration is not valid; `openclaw health` says where.",
  "internal-error": 'This is a bug; nothing ran unless the step was "run". Please report it.',
  stopped: "The program is stopping.",
} as const;

export type RefusalCode = keyof typeof HELP;

/** A refused privileged action: never a reason to try another way around. */
export interface Refusal {
  readonly kind: "refused";
  readonly code: RefusalCode;
  /** What exactly, in one sentence. */
  readonly message: string;
}

export function refuse(code: RefusalCode, message: string): Refusal {
  return { kind: "refused", code, message };
}

export function helpFor(code: RefusalCode): string {
  return HELP[code];
}

export const REFUSAL_CODES: readonly RefusalCode[] = Object.keys(HELP) as RefusalCode[];
