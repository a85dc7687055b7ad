import type { FolderMode, InstalledSudo } from "../core/posture-facts.ts";
import { clip, plural } from "../core/text.ts";
import { AS_ROOT, type Finding, list, octal, on, type PostureCondition, unknown, weak } from "./posture-judgement.ts";
import { hasSystemLog, type PostureEvidence, type PostureLevel } from "./posture-level.ts";
import { folderSteps, pathSteps, type Step, sudoLogSteps, timestampSteps, unitSteps } from "./posture-steps.ts";
import { openFlaws, type SudoFlaw } from "./sudo-flaws.ts";

const L1_UP: readonly PostureLevel[] = ["L1", "L2", "L3"];

/** About the account, its ways to root, and sudo. Those without a level are weaknesses to be known. */
export const ACCOUNT_CONDITIONS: readonly PostureCondition[] = [
  {
    id: "account_not_root",
    levels: L1_UP,
    risk: "critical",
    judge: ({ account }) =>
      on(account, ({ uid, user, basis }) =>
        uid === 0
          ? {
              bad:
                basis === "process"
                  ? "The gateway runs as root"
                  : "No gateway runs, and this is root: run it as the gateway's account, or with the gateway running",
              steps: unitSteps(null),
            }
          : { good: `${basis === "process" ? "The gateway's" : "This"} account is ${user ?? String(uid)}, not root` },
      ),
  },
  {
    id: "no_passwordless_root",
    levels: ["L1"],
    risk: "critical",
    judge: ({ privilege }) =>
      on(privilege, ({ user, paths }) => {
        const open = paths.filter(({ via, strength }) => via !== "root" && strength !== "password");
        if (open.length === 0) return { good: `No way from ${user} to root without a password was found` };
        const verb = open.some(({ strength }) => strength === "passwordless") ? "reaches" : "may reach";
        const ways = list(open.map(({ via, what }) => `${via} ${what}`));
        return { bad: `${user} ${verb} root without a password: ${ways}`, steps: pathSteps(user, open) };
      }),
  },
  {
    id: "every_way_to_root_seen",
    levels: ["L1"],
    risk: "high",
    judge: ({ privilege }) =>
      on(privilege, ({ unknown: unseen }) =>
        unseen.length === 0
          ? { good: "Every known kind of way to root could be looked at" }
          : { bad: `Not seen: ${list(unseen)}`, steps: [AS_ROOT] },
      ),
  },
  {
    id: "password_not_cached",
    levels: ["L1"],
    risk: "high",
    judge: ({ privilege, sudo, sudo_settings: settings }) => {
      const idle = withoutSudo(sudo, settings);
      if (idle !== null) return { kind: "holds", said: idle };
      if (settings.kind === "measured" && settings.value.cached === true) {
        return weak("A password typed a moment ago still serves sudo", settings.source, timestampSteps(privilege));
      }
      return on(privilege, ({ sudo_timestamp_minutes: minutes }) => {
        if (minutes === 0) return { good: "sudo forgets a password at once" };
        const how = minutes === null ? "an unknown time" : minutes < 0 ? "ever" : plural(minutes, "minute");
        return { bad: `sudo remembers a password for ${how}`, steps: timestampSteps(privilege) };
      });
    },
  },
  {
    id: "sudo_without_known_flaw",
    levels: L1_UP,
    risk: "critical",
    judge: ({ sudo }) => on(sudo, (installed) => judgeFlaws(installed, "root")),
  },
  {
    id: "sudo_rules_as_written",
    levels: [],
    risk: "medium",
    judge: ({ sudo }) => on(sudo, (installed) => judgeFlaws(installed, "rules")),
  },
  {
    id: "folders_private",
    levels: L1_UP,
    risk: "high",
    judge: ({ account, folders }) => {
      if (account.kind === "unmeasured") return unknown(account);
      return on(folders, (found) => {
        const wrong = found.filter(({ uid, mode }) => uid !== account.value.uid || (mode & 0o077) !== 0);
        return wrong.length === 0
          ? { good: "The state folders are the account's alone" }
          : {
              bad: `Others have a part in ${list(wrong.map(folderText))}`,
              steps: folderSteps(account.value.user, wrong),
            };
      });
    },
  },
  {
    id: "gateway_may_elevate",
    levels: [],
    risk: "low",
    judge: ({ account }) =>
      on(account, ({ no_new_privs: flag }) =>
        flag === true
          ? {
              bad: "The gateway runs with no_new_privs, so nothing it starts can use sudo, and neither can this program in it",
            }
          : { good: "The gateway itself may use sudo" },
      ),
  },
  {
    id: "sudo_keeps_a_record",
    levels: [],
    risk: "medium",
    judge: ({ sudo, sudo_settings: settings, account, anchor }) => {
      const idle = withoutSudo(sudo, settings);
      if (idle !== null) return { kind: "holds", said: idle };
      const user = account.kind === "measured" ? account.value.user : null;
      return on(settings, ({ log }) => {
        const steps = sudoLogSteps(user);
        if (log === null) return { bad: "Whether sudo keeps a record was not shown", steps };
        if (log === "") return { bad: "sudo keeps no record", steps };
        return log === "syslog" && !hasSystemLog(anchor)
          ? { bad: "sudo tells the system's log, and none is running", steps }
          : { good: `sudo records to ${log}` };
      });
    },
  },
  {
    id: "sudo_uses_pty",
    levels: [],
    risk: "medium",
    judge: ({ sudo, sudo_settings: settings }) => {
      const idle = withoutSudo(sudo, settings);
      if (idle !== null) return { kind: "holds", said: idle };
      return on(settings, ({ use_pty: usesPty }) =>
        usesPty === true
          ? { good: "sudo gives each command a terminal of its own" }
          : {
              bad:
                usesPty === null
                  ? "Whether sudo uses a terminal of its own was not shown"
                  : "Commands share the caller's terminal and could type into it",
              steps: [{ title: "Give commands a terminal of their own", lines: ["Defaults use_pty"] }],
            },
      );
    },
  },
  {
    id: "links_protected",
    levels: [],
    risk: "medium",
    judge: ({ kernel }) =>
      on(kernel, ({ protected_symlinks: symlinks, protected_hardlinks: hardlinks }) =>
        symlinks === 1 && hardlinks === 1
          ? { good: "Links that others lay in shared folders are not followed" }
          : {
              bad: `A link laid in /tmp can lead a root command astray (protected_symlinks ${symlinks ?? "unknown"}, protected_hardlinks ${hardlinks ?? "unknown"})`,
              steps: [
                {
                  title: "Protect links in shared folders",
                  lines: ["sysctl -w fs.protected_symlinks=1 fs.protected_hardlinks=1"],
                },
              ],
            },
      ),
  },
  {
    id: "audit_anchored",
    levels: [],
    risk: "medium",
    judge: ({ anchor }) =>
      on(anchor, (place) =>
        place === null
          ? {
              bad: "There is no system log to tell the audit log's checkpoints to",
              steps: [{ title: "Run a system log", lines: ["systemctl enable --now systemd-journald.socket"] }],
            }
          : { good: `Checkpoints of the audit log can be told to ${place}` },
      ),
  },
];

const UPDATE_SUDO: Step = {
  title: "Bring sudo up to date",
  lines: ["apt-get install --only-upgrade sudo", "# or your distribution's own way"],
};

function folderText({ path, uid, mode }: FolderMode): string {
  return `${path} (uid ${uid}, mode ${octal(mode)})`;
}

/** The number alone says too much: distributions repair without a new one, and name the CVE in the package's changelog. */
function judgeFlaws(installed: InstalledSudo | null, reach: SudoFlaw["reach"]): Finding {
  if (installed === null) return { good: "There is no sudo" };
  const flaws = openFlaws(installed);
  if (flaws === null) return { bad: `The version of ${installed.path} was not understood`, steps: [UPDATE_SUDO] };
  const open = flaws.filter((flaw) => flaw.reach === reach);
  const name = `${installed.flavour} ${clip(installed.version, 40)}`;
  return open.length === 0
    ? { good: `${name} has none of the flaws on our list, by its number and its package's changelog` }
    : {
        bad: `${name}, by its number: ${list(open.map(({ id, gives }) => `${id} (${gives})`))}. Its package's changelog does not name that as fixed`,
        steps: [UPDATE_SUDO],
      };
}

/** Why sudo's settings do not matter to the account; null when they do, or when that is not known. */
function withoutSudo(sudo: PostureEvidence["sudo"], settings: PostureEvidence["sudo_settings"]): string | null {
  if (sudo.kind === "measured" && sudo.value === null) return "There is no sudo";
  const isIdle = settings.kind === "measured" && settings.value.has_rules === false;
  return isIdle ? "sudo lets this account run nothing" : null;
}
