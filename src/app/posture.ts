import { assessPosture, type Posture } from "../assess/posture.ts";
import type { PostureEvidence } from "../assess/posture-level.ts";
import type { ElevationRequest, ResolvedCommand } from "../core/elevation.ts";
import { SecurityError } from "../core/error.ts";
import type { Evidence } from "../core/evidence.ts";
import type { GatewayProcess } from "../core/host-evidence.ts";
import { parseStrictJson } from "../core/json.ts";
import type { PostureFacts } from "../core/posture-facts.ts";
import type { Refusal } from "../core/refusal.ts";
import { clip } from "../core/text.ts";
import { type EpochMs, isoFromEpoch } from "../core/time.ts";
import { type CompiledPolicy, compilePolicy, evaluateCommand } from "../policy/command-decision.ts";
import { isRootEquivalent } from "../policy/root-equivalent.ts";
import {
  type ExactRule,
  exactRulesOf,
  type Fragment,
  fragmentPath,
  type FragmentRule,
  type RefusedRule,
  renderSudoersFragment,
} from "../policy/sudoers-fragment.ts";
import { parseCommandPolicy } from "../schema/command-policy.ts";

export interface PostureReport extends Posture {
  readonly schemaVersion: 1;
  readonly status: "ok";
  readonly collected_at: string;
  readonly account: string | null;
  /** "process": the running gateway's account. "current-user": no gateway was found. */
  readonly account_basis: GatewayProcess["basis"] | null;
  readonly evidence: PostureFacts;
}

export interface PostureDeps {
  readonly now: () => EpochMs;
  readonly collect: () => Promise<PostureEvidence>;
}

/** The level of this machine, with what it was judged by. */
export async function posture(deps: PostureDeps): Promise<PostureReport> {
  const collected = await deps.collect();
  const { config: _config, ...evidence } = collected;
  const { account } = evidence;
  return {
    schemaVersion: 1,
    status: "ok",
    collected_at: isoFromEpoch(deps.now()),
    account: account.kind === "measured" ? (account.value.user ?? String(account.value.uid)) : null,
    account_basis: account.kind === "measured" ? account.value.basis : null,
    ...assessPosture(collected),
    evidence,
  };
}

export interface SudoersOptions {
  /** Bind each rule to the present bytes of its program; an update of the program then ends the rule. */
  readonly digests: boolean;
  /** Also write commands that amount to a root shell. */
  readonly allowRootEquivalent: boolean;
}

export interface SudoersDeps {
  readonly now: () => EpochMs;
  readonly account: () => Promise<Evidence<GatewayProcess>>;
  /** Null where there is no command policy; throws for anything wrong with it. */
  readonly loadPolicy: () => Promise<{ readonly path: string; readonly text: string } | null>;
  /** Looks at the file a rule names, as before a run. */
  readonly resolve: (request: ElevationRequest) => Promise<ResolvedCommand | Refusal>;
  /** A folder that the account can write to, as it can start a command in any of its own. */
  readonly ownFolder: string;
  /** Whether the installed sudo writes its record as JSON. */
  readonly logsJson: () => Promise<boolean>;
  /** What visudo says against the text; null when it accepts it. Throws when visudo cannot be asked. */
  readonly check: (text: string) => Promise<string | null>;
}

export interface SudoersReport extends Fragment {
  readonly schemaVersion: 1;
  readonly status: "ok";
  readonly account: string;
  /** Where an administrator would put it; nothing is written there. */
  readonly path: string;
}

/**
 * Sudoers lines for the exact commands of the command policy, accepted by visudo. What cannot be said
 * exactly, what policy denies and what would open more than it says is left out, with the reason.
 * @throws {SecurityError} file-missing, policy-invalid, invalid-argument, tool-missing, tool-failed
 */
export async function sudoersFragment(deps: SudoersDeps, options: SudoersOptions): Promise<SudoersReport> {
  const account = await ordinaryAccount(deps);
  const file = await deps.loadPolicy();
  if (file === null) {
    throw new SecurityError("file-missing", "There is no command policy to take commands from", {
      hint: "`cse init` writes one; rules with literal arguments can become sudoers lines.",
    });
  }
  const policy = compilePolicy(parseCommandPolicy(parseStrictJson(file.text, file.path)));
  const now = deps.now();
  const exact = exactRulesOf(policy.policy, now);
  const checked: (FragmentRule | RefusedRule)[] = [];
  for (const rule of exact.rules) checked.push(await checkRule(deps, rule, policy, options, now));
  const fragment = renderSudoersFragment({
    account,
    rules: checked.filter((each): each is FragmentRule => "argv" in each),
    log: (await deps.logsJson()) ? "json" : "text",
  });
  if (fragment.text !== null) {
    const complaint = await deps.check(fragment.text);
    if (complaint !== null) {
      throw new SecurityError("tool-failed", `visudo does not accept the lines: ${clip(complaint, 300)}`, {
        hint: "This is a bug; please report it with the rules of your policy.",
      });
    }
  }
  return {
    schemaVersion: 1,
    status: "ok",
    account: account.user,
    path: fragmentPath(account.user),
    text: fragment.text,
    written: fragment.written,
    refused: [...exact.refused, ...checked.filter((each): each is RefusedRule => "code" in each), ...fragment.refused],
  };
}

async function ordinaryAccount(deps: SudoersDeps): Promise<{ user: string; uid: number }> {
  const account = await deps.account();
  if (account.kind === "unmeasured") throw new SecurityError("collector-failed", account.reason);
  const { user, uid } = account.value;
  if (uid !== 0 && user !== null) return { user, uid };
  throw new SecurityError("invalid-argument", uid === 0 ? "root needs no sudo rules" : "The account has no name", {
    hint: "Run this as the gateway's account, or while the gateway runs.",
  });
}

/** Everything that would be looked at before a run, for there will be nobody to ask. */
async function checkRule(
  deps: SudoersDeps,
  rule: ExactRule,
  policy: CompiledPolicy,
  options: SudoersOptions,
  now: EpochMs,
): Promise<FragmentRule | RefusedRule> {
  const { id, argv, runAs, cwd } = rule;
  const relative =
    cwd === null ? argv.slice(1).find((word) => /^(?:\.{1,2}(?:\/|$)|[\w.+-]+\/)/.test(word)) : undefined;
  if (relative !== undefined) {
    return {
      id,
      code: "mutable-operand",
      message: `${clip(relative, 200)} is relative, and the rule names no folder to run in.`,
    };
  }
  const resolved = await deps.resolve({
    argv,
    runAs,
    cwd: cwd ?? deps.ownFolder,
    reason: "sudoers lines",
    env: {},
    stdin: null,
    timeoutMs: 0,
    keepSession: false,
    isNonInteractive: false,
  });
  if ("code" in resolved) return { id, code: "binary-unusable", message: `${resolved.message} (${resolved.code}).` };
  const { binary, operands } = resolved;
  const words: readonly [string, ...string[]] = [binary.path, ...argv.slice(1)];
  const verdict = evaluateCommand(words, policy, {
    realPath: binary.realPath,
    runAs,
    now,
    // Without a folder of its own it can be started in any, so whatever a deny rule says of one counts.
    ...(cwd === null ? {} : { cwd }),
  });
  if (verdict.kind === "deny" || verdict.code !== "rule-allows") {
    return { id, code: "denied-by-policy", message: `${verdict.reason} (${verdict.ruleId ?? verdict.code}).` };
  }
  const [operand] = operands;
  if (operand !== undefined) {
    return {
      id,
      code: "mutable-operand",
      message: `Others than root can change what it names: ${clip(operand.path, 200)}.`,
    };
  }
  const root = [isRootEquivalent(words), isRootEquivalent([binary.realPath, ...argv.slice(1)])].find(
    ({ rootEquivalent }) => rootEquivalent,
  );
  if (root !== undefined && !options.allowRootEquivalent) {
    return { id, code: "root-equivalent", message: clip(root.why, 300) };
  }
  return { ...rule, argv: words, sha256: options.digests ? binary.sha256 : null };
}
