import { chmod, mkdir, mkdtemp, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/**
 * `weak`: everything open, valid for OpenClaw. `hardened`: closed, valid. `empty`: no OpenClaw.
 * `broken`: a config OpenClaw cannot read. `hostile`: names and values made to confuse terminals,
 * pages and readers; still valid for OpenClaw.
 */
export type HomeKind = "weak" | "hardened" | "empty" | "broken" | "hostile";

export interface TestHome {
  readonly home: string;
  readonly stateDir: string;
  readonly configPath: string;
}

/** Stands in the weak and the hostile home wherever a secret belongs; must never come out of a report. */
export const SECRET_CANARY = "canary-7f3a9c-never-in-a-report";

/** Control characters, markup, right-to-left marks: must leave only escaped. */
export const HOSTILE_TEXT = "\u001b[31mred\u001b[0m\u202Egnp.exe<script>alert(1)</script>&\"'`\n- item";

const WEAK = `// Everything OpenClaw lets a person do wrong, as one might find it.
{
  gateway: {
    mode: "local",
    bind: "lan",
    port: 18789,
    auth: { mode: "token", token: "${SECRET_CANARY}" },
    controlUi: { allowedOrigins: ["*"], dangerouslyAllowHostHeaderOriginFallback: true },
  },
  channels: {
    telegram: {
      botToken: "123:${SECRET_CANARY}",
      dmPolicy: "open",
      allowFrom: ["*"],
      groupPolicy: "open",
      groups: { "*": { requireMention: false } },
    },
  },
  tools: {
    exec: { mode: "full" },
    elevated: { enabled: true, allowFrom: { telegram: ["*"] } },
  },
  session: { dmScope: "main" },
  agents: { defaults: { sandbox: { mode: "off" } } },
  logging: { audit: { enabled: false } },
  discovery: { mdns: { mode: "full" } },
}
`;

const HARDENED = {
  meta: { lastTouchedVersion: "2026.9.6" },
  gateway: {
    mode: "local",
    bind: "loopback",
    port: 18_789,
    auth: { mode: "token", token: "${OPENCLAW_GATEWAY_TOKEN}", rateLimit: { maxAttempts: 10, windowMs: 60_000 } },
    controlUi: { enabled: false },
  },
  channels: {
    telegram: {
      botToken: { source: "env", provider: "default", id: "TELEGRAM_BOT_TOKEN" },
      dmPolicy: "allowlist",
      allowFrom: ["100200300"],
      groupPolicy: "allowlist",
      groupAllowFrom: ["100200300"],
      groups: { "-1001": { requireMention: true } },
      contextVisibility: "allowlist",
    },
  },
  tools: {
    profile: "messaging",
    exec: { mode: "ask", strictInlineEval: true },
    elevated: { enabled: false },
    fs: { workspaceOnly: true },
    sessions: { visibility: "self" },
    agentToAgent: { enabled: false },
  },
  session: { dmScope: "per-channel-peer" },
  logging: { audit: { executionIdentity: true } },
  agents: { defaults: { sandbox: { mode: "all", workspaceAccess: "none", docker: { network: "none" } } } },
  browser: { enabled: false },
  discovery: { mdns: { mode: "off" } },
  proxy: { proxyUrl: "http://127.0.0.1:3128" },
  secrets: { egressProxy: { enabled: true, allowedHosts: ["api.example.com"] } },
} as const;

const HOSTILE = {
  gateway: { mode: "local", auth: { mode: "token", token: SECRET_CANARY } },
  channels: {
    telegram: {
      botToken: "123:x",
      dmPolicy: "open",
      allowFrom: ["*", HOSTILE_TEXT],
      groups: { [HOSTILE_TEXT]: { requireMention: false } },
    },
  },
} as const;

/** A fresh home folder of the kind asked for, below the system's temporary folder. */
export async function makeHome(kind: HomeKind, parent: string = tmpdir()): Promise<TestHome> {
  const home = await mkdtemp(join(parent, `cse-${kind}-`));
  const stateDir = join(home, ".openclaw");
  const configPath = join(stateDir, "openclaw.json");
  const made = { home, stateDir, configPath };
  switch (kind) {
    case "empty":
      return made;
    case "broken":
      await write(configPath, '{ gateway: { bind: "loopback"', 0o600);
      break;
    case "hardened":
      await write(configPath, `${JSON.stringify(HARDENED, null, 2)}\n`, 0o600);
      await write(
        join(stateDir, ".env"),
        `OPENCLAW_GATEWAY_TOKEN=0f1e2d3c4b5a69788796a5b4c3d2e1f0\nTELEGRAM_BOT_TOKEN=1:x\n`,
        0o600,
      );
      await write(join(stateDir, "agents/main/sessions/one.jsonl"), "{}\n", 0o600);
      await write(join(stateDir, "workspace/AGENTS.md"), "# Agents\n", 0o644);
      break;
    case "weak":
      await write(configPath, WEAK, 0o644);
      await write(join(stateDir, ".env"), `OPENAI_API_KEY=${SECRET_CANARY}\n`, 0o644);
      await write(join(stateDir, "credentials/telegram.json"), "{}\n", 0o666);
      await symlink("/etc/hostname", join(stateDir, "agents-link"));
      break;
    case "hostile":
      await write(configPath, JSON.stringify(HOSTILE), 0o600);
      await write(join(stateDir, "credentials", `bad\u001b[31m\nname<b>`), "{}\n", 0o644);
      break;
  }
  await chmod(stateDir, kind === "weak" ? 0o755 : 0o700);
  // A closed home would keep everyone away from the rest.
  if (kind === "weak") await chmod(home, 0o755);
  return made;
}

async function write(path: string, text: string, mode: number): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
  // The mode given to writeFile would be narrowed by the umask.
  await chmod(path, mode);
}
