import { hasSystemLog, type PostureEvidence, type PostureLevel } from "./posture-level.ts";

export interface PostureClaims {
  readonly guaranteed: readonly string[];
  readonly not_guaranteed: readonly string[];
}

/** Hold wherever the program itself is what was installed. */
const ALWAYS: readonly string[] = [
  "This program runs nothing as root but the exact command that was approved, once, and nothing when the answer is missing, late or unclear.",
  "A crash or a restart leaves no approval behind, and an error anywhere ends in refusal.",
];

/** True at every level. */
const NEVER: readonly string[] = [
  "That an approved shell, interpreter or package manager does only what was meant.",
  "That the person who approves understood the command, or that root and the kernel are sound.",
];

/** What is promised at a level, and what is not; the latter as things that may happen. */
export function claimsAt(level: PostureLevel, evidence: PostureEvidence): PostureClaims {
  const record = recordClaims(evidence);
  switch (level) {
    case "L0":
      return {
        guaranteed: [...ALWAYS, ...record.guaranteed],
        not_guaranteed: [
          "That the agent goes through this program: its tools may reach root by another way, such as sudo itself.",
          "That a yes came from a person: whoever reads the gateway's token can answer for one, and a program can type into a terminal of its own.",
          ...SAME_ACCOUNT,
          ...record.not_guaranteed,
          ...NEVER,
        ],
      };
    case "L1":
      return {
        guaranteed: [
          ...ALWAYS,
          "Nothing of this account becomes root by the ways that were looked at without the password, typed for each command.",
          "A forged approval alone runs nothing.",
          ...record.guaranteed,
        ],
        not_guaranteed: [
          "That the password stays secret: a program of the same account can show a false prompt or watch the terminal.",
          ...SAME_ACCOUNT,
          ...record.not_guaranteed,
          ...NEVER,
        ],
      };
    case "L2":
    case "L3":
      return {
        guaranteed: [
          ...ALWAYS,
          "The agent's tools cannot start sudo on this host, nor read what answers an approval.",
          "A yes comes from an enrolled device or channel, unless that itself is taken over.",
          "The gateway's memory and the code it runs are closed to the agent's tools.",
          "The agent's tools cannot change the record.",
          ...(level === "L3"
            ? ["Even a gateway that was taken over gets nothing without the key kept elsewhere."]
            : []),
          ...record.guaranteed,
        ],
        not_guaranteed: [
          ...(level === "L2" ? ["That a gateway which was itself taken over asks anybody."] : []),
          "That the sandbox of the tools has no hole.",
          ...record.not_guaranteed,
          ...NEVER,
        ],
      };
  }
}

const SAME_ACCOUNT: readonly string[] = [
  "That this program, its policy and its settings stay as they are: code of the same account can change them, and the gateway's memory.",
  "That the record is kept: code of the same account can delete it, or write it anew as a whole.",
];

function recordClaims({ anchor, sudo_settings: settings }: PostureEvidence): PostureClaims {
  const anchored = hasSystemLog(anchor);
  const log = settings.kind === "measured" ? settings.value.log : null;
  const logged = log === "syslog" ? anchored : log !== null && log !== "";
  const cut =
    "That records cut off the end of the log, or a log written anew, are noticed: nothing outside this account holds its checkpoints.";
  const bypass =
    "That a root command which went past this program is noticed: it is not known whether sudo keeps a record.";
  return {
    guaranteed: [
      "A record that was edited, dropped, swapped or repeated in the log is found by `cse audit verify`.",
      ...(anchored
        ? ["Checkpoints told to the system's log show up to where a shortened or rewritten log was longer."]
        : []),
      ...(logged
        ? ["sudo's own record shows commands that went past this program, unless one of them erased it."]
        : []),
    ],
    not_guaranteed: [...(anchored ? [] : [cut]), ...(logged ? [] : [bypass])],
  };
}
