import type { Evidence } from "../core/evidence.ts";
import type { NativeEvidence, NativeFinding } from "../core/native-evidence.ts";
import { clip } from "../core/text.ts";
import type { CheckMeta, CheckResult, EvidenceLine } from "./assessment.ts";
import { isAbout } from "./native-map.ts";

const MAX_NAMED = 4;
const MAX_TEXT = 1_200;

/**
 * The answer of a check after OpenClaw's own findings about its subject: a critical one makes it a
 * violation, a warning takes compliant and not_applicable away. Nothing here ever makes an answer
 * better, and that nothing was found is no evidence.
 */
export function worsen(meta: CheckMeta, result: CheckResult, native: Evidence<NativeEvidence>): CheckResult {
  if (native.kind === "unmeasured") return result;
  const about = native.value.findings.filter(({ id }) => isAbout(meta.check_id, id));
  if (about.length === 0) return result;
  const evidence = [...result.evidence, ...about.slice(0, MAX_NAMED).map((finding) => lineOf(finding, native.value))];
  const open = about.filter(({ severity, suppressed }) => severity !== "info" && !suppressed);
  const status = worse(result.status, open);
  if (open.length === 0) return { ...result, evidence };

  const said = `OpenClaw's own audit says: ${named(open)}`;
  const fix = "`openclaw security audit` and `openclaw policy check` say more about each";
  const { risk: ownRisk, ...rest } = result;
  return {
    ...rest,
    // A lower risk was that of the smaller gap.
    ...(status === result.status && ownRisk !== undefined ? { risk: ownRisk } : {}),
    status,
    evidence,
    observed_state: clip(join(result.observed_state, said), MAX_TEXT),
    gap: clip(join(result.gap, `${said}.`), MAX_TEXT),
    mitigation: clip(
      join(result.mitigation, result.mitigation === "" ? `${meta.mitigation}. ${fix}.` : `${fix}.`),
      MAX_TEXT,
    ),
  };
}

function worse(status: CheckResult["status"], open: readonly NativeFinding[]): CheckResult["status"] {
  if (open.some(({ severity }) => severity === "critical")) return "violation";
  const isBetter = status === "compliant" || status === "not_applicable";
  return open.length > 0 && isBetter ? "partial" : status;
}

function lineOf({ id, severity, command, title, suppressed }: NativeFinding, native: NativeEvidence): EvidenceLine {
  const left = suppressed ? ", left out by the owner's own settings" : "";
  return {
    source: `openclaw ${command} (${native.openclaw_version})`,
    at: native.taken_at,
    detail: clip(`${severity}${left}: ${id}: ${title}`, 300),
  };
}

function named(findings: readonly NativeFinding[]): string {
  const titles = [...new Set(findings.map(({ title, severity }) => `${title} (${severity})`))];
  const more = titles.length - MAX_NAMED;
  return titles.slice(0, MAX_NAMED).join("; ") + (more > 0 ? ` and ${more} more` : "");
}

function join(first: string, second: string): string {
  if (first === "") return second;
  return `${first}${/[.!?]$/.test(first) ? " " : "; "}${second}`;
}
