import { parseStrictJson } from "../core/json.ts";
import { asSecurityError } from "../core/error.ts";
import type { ResolvedCommand } from "../core/elevation.ts";
import { refuse, type Refusal } from "../core/refusal.ts";
import type { EpochMs } from "../core/time.ts";
import type { Sha256Hex } from "../grant/digest.ts";
import { type CompiledPolicy, compilePolicy, evaluateCommand } from "../policy/command-decision.ts";
import { isRootEquivalent } from "../policy/root-equivalent.ts";
import { parseCommandPolicy } from "../schema/command-policy.ts";
import { parsePromptPolicy } from "../schema/prompt-policy.ts";
import type { PolicyAnswer, PolicyNow } from "./elevate.ts";
import type { PolicyFileName } from "./init.ts";
import { prepareAllowlist } from "./scan-egress.ts";
import { parseBaselineFile } from "./scan-ports.ts";

export interface LoadPolicyDeps {
  /** Null where there is no file; throws for anything wrong with one. */
  readonly load: (name: PolicyFileName) => Promise<{ readonly path: string; readonly text: string } | null>;
  /** OPENCLAW_REQUIRE_POLICY_FILES: without the files nothing is elevated. */
  readonly isRequired: boolean;
  readonly now: () => EpochMs;
  readonly sha256Hex: Sha256Hex;
  /** Kept by the caller: policies as they were compiled, by the hash of their file. */
  readonly compiled: Map<string, CompiledPolicy>;
}

/** Of one state folder there is one policy at a time; a few, for one that is being edited. */
const MAX_COMPILED = 4;

/** Files without which nothing is elevated where policy files are required; the prompt policy must be valid if it is there. */
const REQUIRED: readonly PolicyFileName[] = ["command-policy.json", "approved_ports.json", "egress_allowlist.json"];

/** Reads the policy as it is now. Any defect in a file refuses everything and says where. */
export async function loadPolicyNow(deps: LoadPolicyDeps): Promise<PolicyNow | Refusal> {
  try {
    const command = await deps.load("command-policy.json");
    const prompt = await deps.load("prompt-policy.json");
    if (deps.isRequired) {
      const missing = await findMissing(deps);
      if (missing !== null) return refuse("policy-missing", `${missing} does not exist`);
    }
    const compiled = command === null ? null : compileOnce(command, deps);
    const asked = prompt === null ? null : parsePromptPolicy(parseStrictJson(prompt.text, prompt.path));
    return {
      sha256: deps.sha256Hex(JSON.stringify([command?.text ?? null, prompt?.text ?? null])),
      decide: (resolved) => decide(compiled, resolved, deps.now()),
      // Untrusted content without a policy about it is the case to be careful with.
      confirmsUntrusted: asked?.requireConfirmationForUntrusted ?? true,
    };
  } catch (thrown) {
    const { message } = asSecurityError(thrown);
    return refuse("policy-broken", message);
  }
}

/**
 * Thousands of patterns take a second to compile, and every action reads its policy at least twice.
 * @throws {SecurityError} when the file is broken; nothing of it is kept then
 */
function compileOnce({ path, text }: { path: string; text: string }, deps: LoadPolicyDeps): CompiledPolicy {
  const key = deps.sha256Hex(text);
  const known = deps.compiled.get(key);
  if (known !== undefined) return known;
  const compiled = compilePolicy(parseCommandPolicy(parseStrictJson(text, path)));
  if (deps.compiled.size >= MAX_COMPILED) deps.compiled.clear();
  deps.compiled.set(key, compiled);
  return compiled;
}

/** @throws {SecurityError} when a file is there and broken */
async function findMissing(deps: LoadPolicyDeps): Promise<PolicyFileName | null> {
  for (const name of REQUIRED) {
    const file = await deps.load(name);
    if (file === null) return name;
    if (name === "approved_ports.json") parseBaselineFile(file);
    if (name === "egress_allowlist.json") await prepareAllowlist(file.text);
  }
  return null;
}

function decide(compiled: CompiledPolicy | null, resolved: ResolvedCommand, now: EpochMs): PolicyAnswer {
  const { request, binary, target, cwd } = resolved;
  const argv = [binary.path, ...request.argv.slice(1)];
  const risks = risksOf(argv, resolved);
  if (compiled === null) return { kind: "permit", ruleId: null, risks };
  const context = { realPath: binary.realPath, runAs: target.user, cwd: cwd.path, now };
  const verdict = evaluateCommand(argv, compiled, context);
  if (verdict.kind === "permit") return { kind: "permit", ruleId: verdict.ruleId, risks };
  return { kind: "deny", ruleId: verdict.ruleId, refusal: refuse(verdict.code, verdict.reason) };
}

/** What a human should think of before a yes, worst first. */
function risksOf(argv: readonly string[], resolved: ResolvedCommand): string[] {
  const { rootEquivalent, why } = isRootEquivalent(argv);
  const operands = resolved.operands.map(
    ({ path }) => `others can change ${path}; its present content is part of what you approve`,
  );
  return [...(rootEquivalent ? [why] : []), ...operands];
}
