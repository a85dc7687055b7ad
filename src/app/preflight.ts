import { SecurityError, type SecurityErrorCode } from "../core/error.ts";
import { plural } from "../core/text.ts";
import { POLICY_FILES, type PolicyFileName } from "./init.ts";

export interface PreflightItem {
  /** What was looked at: "node", "policy:command-policy.json", ... */
  readonly subject: string;
  readonly state: "ok" | "note" | "problem";
  readonly code: SecurityErrorCode | null;
  readonly message: string;
  readonly hint: string;
}

export interface PreflightReport {
  readonly schemaVersion: 1;
  readonly status: "ok" | "problem";
  readonly items: readonly PreflightItem[];
}

export interface PreflightDeps {
  readonly nodeVersion: string;
  readonly platform: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Fails with the code that a command would fail with. Null when the folder is not there yet. */
  readonly checkStateFolder: () => Promise<string | null>;
  readonly checkReportsFolder: () => Promise<string>;
  /** Parses one policy file: how many rules, or null when there is none. */
  readonly countRules: (name: PolicyFileName) => Promise<number | null>;
  readonly pathOf: (name: PolicyFileName) => string;
  /** Reads OpenClaw's configuration: its path, or null when there is no file. */
  readonly checkConfig: () => Promise<string | null>;
  readonly locate: (tool: string) => Promise<string | null>;
  readonly isProcUsable: () => Promise<boolean>;
}

const OLDEST_NODE = [24, 16] as const;

/** Looks at everything a later command needs and says what is missing before it matters. Never throws for a host condition. */
export async function preflight(deps: PreflightDeps): Promise<PreflightReport> {
  const items = [
    checkNode(deps.nodeVersion),
    checkPlatform(deps.platform),
    await guard("state-folder", async () => {
      const path = await deps.checkStateFolder();
      return path === null
        ? note("state-folder", "There is no OpenClaw state folder yet", "`cse init` makes it.")
        : ok("state-folder", `${path} is private`);
    }),
    await guard("reports-folder", async () =>
      ok("reports-folder", `${await deps.checkReportsFolder()} can be written`),
    ),
    await guard("openclaw-config", async () => {
      const path = await deps.checkConfig();
      return path === null
        ? note("openclaw-config", "OpenClaw has no configuration file; its defaults apply", "")
        : ok("openclaw-config", `${path} can be read`);
    }),
    ...(await Promise.all(POLICY_FILES.map(async (name) => await checkPolicy(deps, name)))),
    await checkSockets(deps),
    ...checkEnvironment(deps.env),
  ];
  const hasProblem = items.some((item) => item.state === "problem");
  return { schemaVersion: 1, status: hasProblem ? "problem" : "ok", items };
}

function checkNode(version: string): PreflightItem {
  const [major = 0, minor = 0] = version.replace(/^v/, "").split(".").map(Number);
  const isEnough = major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1]);
  return isEnough
    ? ok("node", `Node ${version}`)
    : problem("node", "platform-unsupported", `Node ${version} is too old`, "Use Node 24.16 or newer.");
}

function checkPlatform(platform: string): PreflightItem {
  return platform === "linux"
    ? ok("platform", "Linux")
    : problem("platform", "platform-unsupported", `${platform} is not supported yet`, "The scans read Linux's /proc.");
}

async function checkPolicy(deps: PreflightDeps, name: PolicyFileName): Promise<PreflightItem> {
  const subject = `policy:${name}`;
  return await guard(subject, async () => {
    const rules = await deps.countRules(name);
    if (rules !== null) return ok(subject, `${deps.pathOf(name)}: ${plural(rules, "rule")}`);
    const isRequired = deps.env["OPENCLAW_REQUIRE_POLICY_FILES"] === "1" && name !== "prompt-policy.json";
    return isRequired
      ? problem(subject, "file-missing", `${name} is required and missing`, "Run `cse init`, then review the file.")
      : note(subject, `${name} does not exist`, "Run `cse init`, then review the file.");
  });
}

async function checkSockets(deps: PreflightDeps): Promise<PreflightItem> {
  if (await deps.isProcUsable()) return ok("sockets", "Socket tables are read from /proc");
  for (const tool of ["ss", "lsof", "netstat"]) {
    const path = await deps.locate(tool);
    if (path !== null) return note("sockets", `/proc has no socket tables; ${path} is used instead`, "");
  }
  return problem(
    "sockets",
    "tool-missing",
    "Neither /proc nor ss, lsof or netstat can list sockets",
    "Install iproute2.",
  );
}

function checkEnvironment(env: PreflightDeps["env"]): PreflightItem[] {
  if (env["OPENCLAW_PYTHON3"] === undefined) return [];
  return [note("environment", "OPENCLAW_PYTHON3 has no meaning here", "Use OPENCLAW_NODE; nothing runs Python.")];
}

async function guard(subject: string, check: () => Promise<PreflightItem>): Promise<PreflightItem> {
  try {
    return await check();
  } catch (thrown) {
    if (!(thrown instanceof SecurityError)) throw thrown;
    return problem(subject, thrown.code, thrown.message, thrown.hint);
  }
}

function ok(subject: string, message: string): PreflightItem {
  return { subject, state: "ok", code: null, message, hint: "" };
}

function note(subject: string, message: string, hint: string): PreflightItem {
  return { subject, state: "note", code: null, message, hint };
}

function problem(subject: string, code: SecurityErrorCode, message: string, hint: string): PreflightItem {
  return { subject, state: "problem", code, message, hint };
}
