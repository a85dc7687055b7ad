import type { Machine } from "./machine.ts";
import { markExported, type Scope } from "./scope.ts";

/** A variable whose value a program runs or reads code from. */
export interface RiskyVariable {
  readonly kind: "command" | "file" | "perl" | "options";
  /** The programs that do; null for any. */
  readonly programs: readonly string[] | null;
}

const EDITING: readonly string[] = [
  "git",
  "crontab",
  "visudo",
  "vipw",
  "systemctl",
  "kubectl",
  "gh",
  "hg",
  "svn",
  "less",
  "man",
  "psql",
  "mysql",
  "sqlite3",
  "mutt",
  "fc",
  "edquota",
  "helm",
  "oc",
  "bash",
  "sh",
];
const PAGING: readonly string[] = [
  "git",
  "man",
  "psql",
  "mysql",
  "gh",
  "aws",
  "bat",
  "batcat",
  "journalctl",
  "systemctl",
  "hg",
  "perldoc",
  "pydoc",
  "pydoc3",
  "ri",
  "sqlite3",
  "delta",
  "az",
  "apropos",
  "apt",
  "apt-get",
  "loginctl",
];
const SHELL_PROGRAMS: readonly string[] = ["bash", "rbash"];

/** Each from the manual of the program that reads it. */
export const RISKY_VARIABLES: Readonly<Record<string, RiskyVariable>> = {
  BASH_ENV: { kind: "file", programs: SHELL_PROGRAMS },
  ENV: { kind: "file", programs: ["sh", "dash", "ash", "ksh", "mksh"] },
  PROMPT_COMMAND: { kind: "command", programs: SHELL_PROGRAMS },
  EDITOR: { kind: "command", programs: EDITING },
  VISUAL: { kind: "command", programs: EDITING },
  FCEDIT: { kind: "command", programs: SHELL_PROGRAMS },
  PAGER: { kind: "command", programs: PAGING },
  MANPAGER: { kind: "command", programs: ["man"] },
  BAT_PAGER: { kind: "command", programs: ["bat", "batcat"] },
  PSQL_PAGER: { kind: "command", programs: ["psql"] },
  PSQL_EDITOR: { kind: "command", programs: ["psql"] },
  SYSTEMD_PAGER: { kind: "command", programs: ["systemctl", "journalctl", "loginctl", "machinectl", "timedatectl"] },
  SYSTEMD_EDITOR: { kind: "command", programs: ["systemctl"] },
  LESSOPEN: { kind: "command", programs: ["less", "man", "git", "journalctl", "systemctl", "zless"] },
  LESSCLOSE: { kind: "command", programs: ["less", "man", "git"] },
  LESSEDIT: { kind: "command", programs: ["less"] },
  BROWSER: {
    kind: "command",
    programs: ["xdg-open", "man", "gh", "git", "python3", "sensible-browser", "www-browser"],
  },
  TERMINAL: { kind: "command", programs: ["i3-sensible-terminal", "sensible-terminal"] },
  GIT_SSH_COMMAND: { kind: "command", programs: ["git"] },
  GIT_SSH: { kind: "command", programs: ["git"] },
  GIT_PAGER: { kind: "command", programs: ["git"] },
  GIT_EDITOR: { kind: "command", programs: ["git"] },
  GIT_SEQUENCE_EDITOR: { kind: "command", programs: ["git"] },
  GIT_EXTERNAL_DIFF: { kind: "command", programs: ["git"] },
  GIT_ASKPASS: { kind: "command", programs: ["git"] },
  GIT_PROXY_COMMAND: { kind: "command", programs: ["git"] },
  SSH_ASKPASS: { kind: "command", programs: ["ssh", "git", "ssh-add", "scp", "sftp", "rsync", "setsid"] },
  RSYNC_RSH: { kind: "command", programs: ["rsync"] },
  RSYNC_CONNECT_PROG: { kind: "command", programs: ["rsync"] },
  CVS_RSH: { kind: "command", programs: ["cvs"] },
  SVN_SSH: { kind: "command", programs: ["svn"] },
  SVN_EDITOR: { kind: "command", programs: ["svn"] },
  HGEDITOR: { kind: "command", programs: ["hg"] },
  TAR_OPTIONS: { kind: "options", programs: ["tar"] },
  RUSTC_WRAPPER: { kind: "command", programs: ["cargo"] },
  RUSTC_WORKSPACE_WRAPPER: { kind: "command", programs: ["cargo"] },
  RUSTC: { kind: "command", programs: ["cargo"] },
  GNUMAKEFLAGS: { kind: "options", programs: ["make", "gmake"] },
  NODE_OPTIONS: { kind: "options", programs: ["node", "nodejs", "npm", "npx", "tsx"] },
  PERL5OPT: { kind: "options", programs: ["perl"] },
  RUBYOPT: { kind: "options", programs: ["ruby", "irb", "rake", "bundle", "gem"] },
  PYTHONSTARTUP: { kind: "file", programs: null },
  GOFLAGS: { kind: "options", programs: ["go"] },
  MAKEFLAGS: { kind: "options", programs: ["make", "gmake"] },
  CMAKE_C_COMPILER_LAUNCHER: { kind: "command", programs: ["cmake"] },
  CCACHE_PREFIX: { kind: "command", programs: ["ccache"] },
  npm_config_script_shell: { kind: "command", programs: ["npm", "npx"] },
  PERL5DB: { kind: "perl", programs: ["perl"] },
};

/** Marks a variable as handed to the programs that follow. */
export function putInEnvironment(machine: Machine, scope: Scope, name: string): void {
  markExported(scope, name);
  if (Object.hasOwn(RISKY_VARIABLES, name) || /^GIT_CONFIG_(?:COUNT|KEY_|VALUE_|PARAMETERS)/.test(name)) {
    machine.riskyVariables.add(name);
  }
}
