/**
 * Files by which the guards of this gateway would be switched off, and files that would give the
 * model the gateway's token. The host's own tools may not touch them; for shell text see
 * shell/protected-use.ts.
 */
export interface ProtectedPaths {
  /** Nothing at or below these may be changed. Canonical and absolute. */
  readonly unchanged: readonly string[];
  /** Nothing at or below these may be read either. */
  readonly unread: readonly string[];
  /** No command of a shell may name these: there it is not known what becomes of them. */
  readonly unnamed: readonly string[];
}

export interface OpenClawPlaces {
  readonly stateDir: string;
  readonly configPath: string;
  /** Folder of this plugin's own code. */
  readonly packageRoot: string;
  /** The owner's, from the plugin's config. */
  readonly more: readonly string[];
}

const CONFIG_COPIES: readonly string[] = ["", ".bak", ".bak.1", ".bak.2", ".bak.3", ".bak.4", ".last-good"];

/** What guards, below `<state>/security`. */
const GUARDS: readonly string[] = [
  "approvers.json",
  "command-policy.json",
  "prompt-policy.json",
  "approved_ports.json",
  "egress_allowlist.json",
  "waivers.json",
  "privileged-audit*",
  "audit-head.json",
  "audit-key.json",
  "root-session-state.json",
  "broker.sock",
  "shim.cjs",
];

export function protectedPaths({ stateDir, configPath, packageRoot, more }: OpenClawPlaces): ProtectedPaths {
  const inState = (name: string): string => `${stateDir}/${name}`;
  const unread = [
    ...CONFIG_COPIES.map((ending) => `${configPath}${ending}`),
    // Approvals, paired devices and their keys, credentials.
    ...["state", "identity", "devices", "credentials", "secrets", ".env", "exec-approvals.json"].map(inState),
  ];
  const keys = [inState("security/audit-key.json")];
  return {
    unread: [...unread, ...keys],
    // Of the folder of ours only what guards: the reports below it are there to be read, and so are the commands.
    unnamed: [
      ...unread,
      ...GUARDS.map((name) => inState(`security/${name}`)),
      inState("bin"),
      ...["openclaw.plugin.json", "dist/plugin.js", "dist/plugin-parts"].map((name) => `${packageRoot}/${name}`),
      ...more,
    ],
    unchanged: [...unread, inState("security"), inState("bin"), packageRoot, ...more],
  };
}

/** Whether `path` is one of the places or lies below one. All are canonical. */
export function isAtOrBelow(path: string, places: readonly string[]): boolean {
  return places.some((place) => path === place || path.startsWith(`${place}/`));
}

/** Whether something of the places lies below `path`, so that a search there would find it. */
export function isAbove(path: string, places: readonly string[]): boolean {
  const folder = path === "/" ? "/" : `${path}/`;
  return places.some((place) => place.startsWith(folder));
}
