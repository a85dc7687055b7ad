import { asSecurityError } from "../core/error.ts";
import { parseStrictJson } from "../core/json.ts";
import { helpFor, type Refusal, type RefusalCode } from "../core/refusal.ts";
import type { EpochMs } from "../core/time.ts";
import { type CompiledPolicy, evaluateCommand, parsePolicy, type Verdict } from "../policy/command-decision.ts";
import { lintPolicy, type PolicyFinding } from "../policy/command-policy-lint.ts";
import { isRootEquivalent, type RootEquivalence } from "../policy/root-equivalent.ts";

export interface PolicyFileText {
  readonly path: string;
  readonly text: string;
}

export interface PolicyCheckDeps {
  /** Null only where there is no file; fails for anything wrong with one. */
  readonly load: () => Promise<PolicyFileText | null>;
  /** The file a command names, or why it would not be run. */
  readonly resolve: (program: string) => Promise<{ readonly path: string; readonly realPath: string } | Refusal>;
  readonly isRequired: boolean;
  readonly now: () => EpochMs;
}

export interface PolicyCheckRequest {
  readonly argv: readonly string[];
  readonly runAs: string;
  readonly cwd: string;
}

/** What would happen to a command if it were asked for now. Nothing is asked or run. */
export interface PolicyCheckReport {
  readonly schemaVersion: 1;
  /** "ask": a person would be asked. */
  readonly outcome: "ask" | "refused";
  readonly argv: readonly string[];
  readonly run_as: string;
  /** The program under the path by which it would be run; null where it would not be. */
  readonly program: string | null;
  readonly policy_file: string | null;
  readonly rule_id: string | null;
  readonly code: RefusalCode | "rule-allows" | "no-rule";
  readonly reason: string;
  /** What the reader can do; empty when a person would be asked. */
  readonly help: string;
  readonly root_equivalent: RootEquivalence;
}

/** Decides as a request would be decided; a broken policy is an answer here, not an error. */
export async function checkPolicy(deps: PolicyCheckDeps, request: PolicyCheckRequest): Promise<PolicyCheckReport> {
  const [program = ""] = request.argv;
  const [policy, binary] = await Promise.all([loadPolicy(deps), deps.resolve(program)]);
  const verdict = decide(deps, policy, request, "code" in binary ? null : binary);
  const isPermitted = verdict.kind === "permit";
  // What policy lets pass may still be no file that is ever run.
  const refusal = isPermitted && "code" in binary ? binary : null;
  const code = refusal?.code ?? verdict.code;
  return {
    schemaVersion: 1,
    outcome: isPermitted && refusal === null ? "ask" : "refused",
    argv: request.argv,
    run_as: request.runAs,
    program: "code" in binary ? null : binary.path,
    policy_file: policy.path,
    rule_id: verdict.ruleId,
    code,
    reason: refusal?.message ?? verdict.reason,
    help: code === "rule-allows" || code === "no-rule" ? "" : helpFor(code),
    root_equivalent: isRootEquivalent(request.argv),
  };
}

export interface PolicyLintReport {
  readonly schemaVersion: 1;
  readonly policy_file: string | null;
  readonly rules: number;
  readonly findings: readonly PolicyFinding[];
}

/** @throws {SecurityError} what is wrong with the file: json-invalid, json-duplicate-key, policy-invalid, ... */
export async function lintPolicyFile(deps: Pick<PolicyCheckDeps, "load" | "now">): Promise<PolicyLintReport> {
  const file = await deps.load();
  if (file === null) return { schemaVersion: 1, policy_file: null, rules: 0, findings: [] };
  const compiled = parsePolicy(parseStrictJson(file.text, file.path));
  const { policy } = compiled;
  const rules =
    policy.form === "v2"
      ? policy.rules.length
      : policy.allow.length + policy.deny.length + policy.allowExact.length + policy.denyExact.length;
  return { schemaVersion: 1, policy_file: file.path, rules, findings: lintPolicy(compiled, deps.now()) };
}

type LoadedPolicy =
  | { readonly kind: "none"; readonly path: null }
  | { readonly kind: "loaded"; readonly path: string; readonly policy: CompiledPolicy }
  | { readonly kind: "broken"; readonly path: string | null; readonly reason: string };

async function loadPolicy({ load }: PolicyCheckDeps): Promise<LoadedPolicy> {
  let path: string | null = null;
  try {
    const file = await load();
    if (file === null) return { kind: "none", path: null };
    path = file.path;
    return { kind: "loaded", path, policy: parsePolicy(parseStrictJson(file.text, file.path)) };
  } catch (thrown) {
    return { kind: "broken", path, reason: asSecurityError(thrown).message };
  }
}

function decide(
  { isRequired, now }: PolicyCheckDeps,
  loaded: LoadedPolicy,
  { argv, runAs, cwd }: PolicyCheckRequest,
  binary: { readonly path: string; readonly realPath: string } | null,
):
  | Verdict
  | { readonly kind: "deny"; readonly ruleId: null; readonly code: "policy-missing"; readonly reason: string } {
  switch (loaded.kind) {
    case "broken":
      return { kind: "deny", ruleId: null, code: "policy-broken", reason: loaded.reason };
    case "none":
      if (isRequired) {
        return { kind: "deny", ruleId: null, code: "policy-missing", reason: "There is no command policy" };
      }
      return { kind: "permit", ruleId: null, code: "no-rule", reason: "There is no command policy" };
    case "loaded": {
      const words = binary === null ? argv : [binary.path, ...argv.slice(1)];
      const realPath = binary === null ? {} : { realPath: binary.realPath };
      return evaluateCommand(words, loaded.policy, { ...realPath, runAs, cwd, now: now() });
    }
  }
}
