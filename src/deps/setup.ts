import { join } from "node:path";
import { initPolicyFiles, type InitReport, type PolicyFileName } from "../app/init.ts";
import { readCommandPolicy, readPromptPolicy } from "../app/policy-file.ts";
import { preflight, type PreflightReport } from "../app/preflight.ts";
import { prepareAllowlist } from "../app/scan-egress.ts";
import { parseBaselineFile } from "../app/scan-ports.ts";
import { collectOpenClawConfig } from "../collect/openclaw-config.ts";
import { SecurityError, type SecurityErrorCode } from "../core/error.ts";
import type { Unmeasured } from "../core/evidence.ts";
import type { EpochMs } from "../core/time.ts";
import { readTextFile } from "../state/read-file.ts";
import { checkPrivateFolder, createFileAtomic, ensurePrivateFolder, ensureReportFolder } from "../state/write-file.ts";
import { type Effects, MAX_POLICY_BYTES } from "./effects.ts";

const TEMPLATES: Readonly<Record<PolicyFileName, string>> = {
  "approved_ports.json": "approved_ports.template.json",
  "command-policy.json": "command-policy.template.json",
  "egress_allowlist.json": "egress-allowlist.template.json",
  "prompt-policy.json": "prompt-policy.template.json",
};

export async function runPreflight(effects: Effects): Promise<PreflightReport> {
  const { env, now, policyPath, loadPolicy, locateTool, procRoot } = effects;
  return await preflight({
    nodeVersion: process.version,
    platform: process.platform,
    env,
    checkStateFolder: async () => {
      const path = effects.paths().stateDir;
      return (await checkPrivateFolder(path)) ? path : null;
    },
    checkReportsFolder: async () => {
      const path = effects.assessmentsDir();
      await ensureReportFolder(path);
      return path;
    },
    countRules: async (name) => await countRules(name, (await loadPolicy(name))?.text ?? null, now()),
    pathOf: policyPath,
    checkConfig: async () => {
      const config = await collectOpenClawConfig(effects.paths(), env, { now });
      if (config.kind === "measured") return config.value.present ? config.value.path : null;
      throw new SecurityError(asErrorCode(config.code), config.reason);
    },
    locate: locateTool,
    isProcUsable: async () =>
      (await readTextFile(join(procRoot, "self/net/tcp"), {
        maxBytes: 1_000_000_000,
        trust: "untrusted",
        what: "socket table",
      }).catch(() => "")) !== "",
  });
}

export async function runInit(effects: Effects): Promise<InitReport> {
  const { policyPath } = effects;
  return await initPolicyFiles({
    prepareFolder: async () => {
      await ensurePrivateFolder(effects.paths().stateDir);
      await ensurePrivateFolder(effects.securityDir());
    },
    readTemplate: async (name) =>
      await readTextFile(join(effects.packageRoot(), "references", TEMPLATES[name]), {
        maxBytes: MAX_POLICY_BYTES,
        trust: "untrusted",
        what: "template",
        followLink: true,
      }),
    create: async (name, text) => {
      await createFileAtomic(policyPath(name), text);
      return policyPath(name);
    },
    pathOf: policyPath,
  });
}

function asErrorCode(code: Unmeasured["code"]): SecurityErrorCode {
  return code === "not-built" || code === "not-applicable" || code === "not-asked" ? "collector-failed" : code;
}

async function countRules(name: PolicyFileName, text: string | null, now: EpochMs): Promise<number | null> {
  if (text === null) return null;
  switch (name) {
    case "approved_ports.json":
      return parseBaselineFile({ path: name, text }).rules.length;
    case "egress_allowlist.json":
      return (await prepareAllowlist(text)).length;
    case "command-policy.json": {
      const { policy } = readCommandPolicy({ path: name, text }, now);
      if (policy === null) return null;
      if (policy.form === "v2") return policy.rules.length;
      return policy.allow.length + policy.deny.length + policy.allowExact.length + policy.denyExact.length;
    }
    case "prompt-policy.json":
      readPromptPolicy({ path: name, text });
      return 1;
  }
}
