import type { Evidence } from "../core/evidence.ts";
import type { NativeCommand, NativeEvidence } from "../core/native-evidence.ts";
import type { EvidenceLine } from "./assessment.ts";
import { type Fact, line, missing } from "./weigh.ts";

/** Whether one of OpenClaw's own commands gave an answer. That it gave one is all this says. */
export function ranFact(native: Evidence<NativeEvidence>, command: NativeCommand): Fact {
  // That it was not looked at is no reason to think that there is nothing to find.
  if (native.kind === "unmeasured") {
    const fact = missing(native);
    return fact.kind === "no-object" ? { kind: "unknown", reason: native.reason, remedy: remedy(command) } : fact;
  }
  const run = native.value.runs.find((one) => one.command === command);
  if (run?.status === "done") return { kind: "good", seen: `\`openclaw ${command}\`: ${run.said}` };
  const reason = `\`openclaw ${command}\` gave no answer: ${run?.said ?? "it was not run"}`;
  return { kind: "unknown", reason, remedy: remedy(command) };
}

/** What one of OpenClaw's own commands said, as a line of evidence. */
export function nativeLine(native: Evidence<NativeEvidence>, command: NativeCommand): EvidenceLine {
  if (native.kind === "unmeasured") return line(native, "");
  const run = native.value.runs.find((one) => one.command === command);
  const age = native.value.cached ? `taken ${native.value.taken_at} and kept since; ` : "";
  return {
    source: `openclaw ${command} (${native.value.openclaw_version})`,
    at: native.value.taken_at,
    detail: line(native, `${age}${run?.status ?? "not run"}: ${run?.said ?? ""}`).detail,
  };
}

function remedy(command: NativeCommand): string {
  return `Run \`openclaw ${command} --json\` as the gateway's account, and the assessment again without --no-native`;
}
