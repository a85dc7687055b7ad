import {
  checkPolicy,
  lintPolicyFile,
  type PolicyCheckDeps,
  type PolicyCheckReport,
  type PolicyLintReport,
} from "../app/policy-check.ts";
import { explainCommand, type PolicyExplainReport } from "../app/policy-explain.ts";
import { resolveBinary } from "../exec/resolve-binary.ts";
import type { Effects } from "./effects.ts";

export interface PolicyQuestion {
  readonly argv: readonly string[];
  readonly runAs?: string;
}

export async function runPolicyCheck(effects: Effects, { argv, runAs }: PolicyQuestion): Promise<PolicyCheckReport> {
  return await checkPolicy(checkDeps(effects), { argv, runAs: runAs ?? "root", cwd: process.cwd() });
}

export async function runPolicyExplain(effects: Effects, command: string): Promise<PolicyExplainReport> {
  const deps = { ...checkDeps(effects), findProgram: async (name: string) => await effects.locateTool(name) };
  return await explainCommand(deps, { command, cwd: process.cwd() });
}

function checkDeps(effects: Effects): PolicyCheckDeps {
  return {
    load: async () => await effects.loadPolicy("command-policy.json"),
    resolve: async (program) => {
      const read = await resolveBinary(program, new Map());
      return "code" in read ? read : { path: read.binary.path, realPath: read.binary.realPath };
    },
    isRequired: effects.env["OPENCLAW_REQUIRE_POLICY_FILES"] === "1",
    now: effects.now,
  };
}

export async function runPolicyLint(effects: Effects): Promise<PolicyLintReport> {
  return await lintPolicyFile({
    load: async () => await effects.loadPolicy("command-policy.json"),
    now: effects.now,
  });
}
