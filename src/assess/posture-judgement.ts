import type { Evidence, Unmeasured } from "../core/evidence.ts";
import type { Risk } from "../core/risk.ts";
import { clip } from "../core/text.ts";
import type { PostureEvidence, PostureLevel } from "./posture-level.ts";
import type { Step } from "./posture-steps.ts";

export type Judgement =
  | { readonly kind: "holds"; readonly said: string }
  | {
      readonly kind: "weak" | "unknown";
      readonly said: string;
      readonly source: string;
      readonly steps: readonly Step[];
    };

export interface PostureCondition {
  readonly id: string;
  /** Levels that need it. */
  readonly levels: readonly PostureLevel[];
  readonly risk: Risk;
  readonly judge: (evidence: PostureEvidence) => Judgement;
}

/** What a look at one piece of evidence found. */
export type Finding = { readonly good: string } | { readonly bad: string; readonly steps?: readonly Step[] };

const MAX_LISTED = 6;

export const AS_ROOT: Step = {
  title: "Look again with root's eyes, while the gateway runs",
  lines: ["sudo cse posture"],
};

/** Judges what was measured; what was not is unknown, and that is never good. */
export function on<T>(evidence: Evidence<T>, find: (value: T) => Finding): Judgement {
  if (evidence.kind === "unmeasured") return unknown(evidence);
  const found = find(evidence.value);
  return "good" in found ? { kind: "holds", said: found.good } : weak(found.bad, evidence.source, found.steps ?? []);
}

export function weak(said: string, source: string, steps: readonly Step[]): Judgement {
  return { kind: "weak", said, source, steps };
}

export function unknown({ code, reason, source }: Unmeasured): Judgement {
  const said = `Not measured (${code}): ${clip(reason, 300)}`;
  return { kind: "unknown", said, source, steps: code === "permission-denied" ? [AS_ROOT] : [] };
}

/** Permission bits as people write them. */
export function octal(mode: number): string {
  return mode.toString(8).padStart(4, "0");
}

/** Values from outside, the first few, safe to print. */
export function list(parts: readonly string[]): string {
  const rest = parts.length - MAX_LISTED;
  const shown = parts.slice(0, MAX_LISTED).map((part) => clip(part, 200));
  return [...shown, ...(rest > 0 ? [`and ${rest} more`] : [])].join("; ");
}
