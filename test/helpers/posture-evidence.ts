import type { PostureEvidence } from "../../src/assess/posture-level.ts";
import { config, GATEWAY, NO_WAY_TO_ROOT, seen } from "./assess-evidence.ts";

/** Tools in a sandbox that shows them nothing of the host. */
export const BOXED = {
  gateway: { auth: { mode: "token", token: "0123456789abcdef0123456789abcdef" } },
  tools: { elevated: { enabled: false }, deny: ["gateway", "plugins", "openclaw"] },
  agents: { defaults: { sandbox: { mode: "all", workspaceAccess: "none" } } },
} as const;

const STATE = "/home/openclaw/.openclaw";

/** A machine on which everything that a level below L3 needs holds. */
export function bestPosture(change: Partial<PostureEvidence> = {}): PostureEvidence {
  const { uid } = GATEWAY;
  return {
    config: config(BOXED),
    account: seen({ ...GATEWAY, no_new_privs: false }),
    privilege: seen({ ...NO_WAY_TO_ROOT, sudo_timestamp_minutes: 0 }),
    sudo: seen({ path: "/usr/bin/sudo", flavour: "sudo", version: "1.9.18", fixed: [] }),
    sudo_settings: seen({ has_rules: true, use_pty: true, log: "/var/log/sudo.json", cached: false }),
    kernel: seen({ ptrace_scope: 1, protected_symlinks: 1, protected_hardlinks: 1 }),
    memory_open: seen(false),
    program: seen({ path: "/usr/local/lib/openclaw/node", uid: 0, mode: 0o711, is_root_only: true }),
    debugger: seen({ handles_sigusr1: false, inspect_flag: null, ports: [18_789] }),
    manager: seen({ unit: "openclaw-gateway.service", manager: "system" }),
    code: seen({ looked_at: ["/usr/lib/node_modules/openclaw"], changeable: [] }),
    folders: seen([STATE, `${STATE}/security`].map((path) => ({ path, uid, mode: 0o700 }))),
    anchor: seen("journald"),
    approvers: seen(["device", "channel"]),
    ...change,
  };
}
