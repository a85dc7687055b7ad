import { quoteShellWord } from "../core/shell-word.ts";
import type { SchedulerKind } from "../schema/cycle-state.ts";

/** In every file and block that is ours; nothing without it is ever replaced or removed. */
export const MARKER = "cyber-security-engineer: written by `cse schedule enable`";
const NAME = "cyber-security-engineer";

export interface ScheduleWish {
  /** Absolute paths. */
  readonly node: string;
  readonly cli: string;
  readonly home: string;
  readonly uid: number | null;
  readonly everyMinutes: number;
  /** What a scheduler's run would not know otherwise. */
  readonly env: Readonly<Record<string, string>>;
}

/** What a scheduler needs: files to write, and tools to tell, each as name and arguments. */
export interface SchedulePlan {
  readonly kind: SchedulerKind;
  readonly files: readonly { readonly path: string; readonly text: string }[];
  /** For cron, which has no file of its own: the block in the table. */
  readonly block: string | null;
  readonly enable: readonly (readonly string[])[];
  readonly disable: readonly (readonly string[])[];
}

export function planSchedule(kind: SchedulerKind, wish: ScheduleWish): SchedulePlan {
  switch (kind) {
    case "systemd":
      return planSystemd(wish);
    case "launchd":
      return planLaunchd(wish);
    case "cron":
      return { kind, files: [], block: cronBlock(wish), enable: [], disable: [] };
  }
}

/** A timer of the user's own service manager. Source: systemd.service(5), systemd.timer(5), systemd.syntax(7). */
function planSystemd({ node, cli, home, everyMinutes, env }: ScheduleWish): SchedulePlan {
  const folder = `${home}/.config/systemd/user`;
  const service = [
    `# ${MARKER}`,
    "[Unit]",
    "Description=Security assessment by cyber-security-engineer",
    "",
    "[Service]",
    "Type=oneshot",
    ...Object.entries(env).map(([name, value]) => `Environment=${unitWord(`${name}=${value}`)}`),
    // A dollar sign would name a variable here, and only here.
    `ExecStart=${[node, cli].map((word) => unitWord(word).replaceAll("$", "$$$$")).join(" ")} cycle`,
    "Nice=10",
    "TimeoutStartSec=900",
    "",
  ];
  const timer = [
    `# ${MARKER}`,
    "[Unit]",
    "Description=Security assessment by cyber-security-engineer",
    "",
    "[Timer]",
    "OnActiveSec=1min",
    `OnUnitActiveSec=${everyMinutes}min`,
    "RandomizedDelaySec=30",
    "",
    "[Install]",
    "WantedBy=timers.target",
    "",
  ];
  return {
    kind: "systemd",
    files: [
      { path: `${folder}/${NAME}.service`, text: service.join("\n") },
      { path: `${folder}/${NAME}.timer`, text: timer.join("\n") },
    ],
    block: null,
    enable: [
      ["systemctl", "--user", "daemon-reload"],
      ["systemctl", "--user", "enable", "--now", `${NAME}.timer`],
    ],
    disable: [["systemctl", "--user", "disable", "--now", `${NAME}.timer`]],
  };
}

/** In quotes, so that only these three characters mean anything. */
function unitWord(word: string): string {
  return `"${word.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("%", "%%")}"`;
}

/** Source: launchd.plist(5). */
function planLaunchd({ node, cli, home, uid, everyMinutes, env }: ScheduleWish): SchedulePlan {
  const label = `net.openclaw.${NAME}`;
  const path = `${home}/Library/LaunchAgents/${label}.plist`;
  const text = (word: string): string => `<string>${escapeXml(word)}</string>`;
  const lines = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">',
    `<!-- ${MARKER} -->`,
    '<plist version="1.0">',
    "<dict>",
    `  <key>Label</key>${text(label)}`,
    `  <key>ProgramArguments</key><array>${[node, cli, "cycle"].map(text).join("")}</array>`,
    `  <key>EnvironmentVariables</key><dict>${Object.entries(env)
      .map(([name, value]) => `<key>${escapeXml(name)}</key>${text(value)}`)
      .join("")}</dict>`,
    `  <key>StartInterval</key><integer>${everyMinutes * 60}</integer>`,
    "  <key>ProcessType</key><string>Background</string>",
    "</dict>",
    "</plist>",
    "",
  ];
  const domain = `gui/${uid ?? 501}`;
  return {
    kind: "launchd",
    files: [{ path, text: lines.join("\n") }],
    block: null,
    enable: [["launchctl", "bootstrap", domain, path]],
    disable: [["launchctl", "bootout", `${domain}/${label}`]],
  };
}

function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

const CRON_END = `# ${NAME}: end`;

/** Source: crontab(5): a percent sign ends the command, so it is escaped; the rest is one shell word each. */
function cronBlock({ node, cli, everyMinutes, env }: ScheduleWish): string {
  const words = [
    ...Object.entries(env).map(([name, value]) => `${name}=${quoteShellWord(value)}`),
    ...[node, cli].map(quoteShellWord),
  ];
  const line = `${cronTimes(everyMinutes)} ${words.join(" ")} cycle >/dev/null 2>&1`.replaceAll("%", "\\%");
  return `# ${MARKER}\n${line}\n${CRON_END}\n`;
}

/** As near as cron can: it knows minutes of an hour and hours of a day. */
function cronTimes(everyMinutes: number): string {
  if (everyMinutes < 60) return `*/${everyMinutes} * * * *`;
  const hours = Math.max(1, Math.round(everyMinutes / 60));
  return hours >= 24 ? "7 3 * * *" : `7 */${hours} * * *`;
}

/** The table with our block in it, in place of an older one; null as block: without it. */
export function changeCrontab(table: string, block: string | null): string {
  const lines = table.split("\n");
  const kept: string[] = [];
  let isOurs = false;
  for (const line of lines) {
    if (line === `# ${MARKER}`) isOurs = true;
    if (!isOurs) kept.push(line);
    if (line === CRON_END) isOurs = false;
  }
  // Without its end the block cannot be told from what follows.
  const rest = isOurs ? table : kept.join("\n");
  if (block === null) return rest;
  return `${rest === "" || rest.endsWith("\n") ? rest : `${rest}\n`}${block}`;
}

/** For Windows, as text: a person runs it. */
export function taskSchedulerText({ node, cli, everyMinutes }: ScheduleWish): string {
  const quote = (word: string): string => `\\"${word.replaceAll('"', "")}\\"`;
  return `schtasks /Create /F /TN ${NAME} /SC MINUTE /MO ${everyMinutes} /TR "${quote(node)} ${quote(cli)} cycle"`;
}
