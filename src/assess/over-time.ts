import type { ChangeKind } from "../core/change-kind.ts";
import type { Risk } from "../core/risk.ts";
import type { RunCheck } from "../schema/assessment-history.ts";

/** How one check differs between two runs. */
export interface Change {
  readonly kind: ChangeKind;
  readonly check_id: string;
  /** Null where the earlier run did not know the check. */
  readonly status_before: RunCheck["status"] | null;
  readonly status: RunCheck["status"];
  readonly risk_before: Risk | null;
  readonly risk: Risk;
  /** ISO-8601 UTC and ISO date of the gap; null where none is open. */
  readonly first_seen: string | null;
  readonly due_date: string | null;
}

export type Grade = "A" | "B" | "C" | "D" | "F";

/** One number for a whole run, never shown without its coverage. */
export interface Score {
  /** 0 to 100, rounded down; waived gaps are left out. Null without an applicable check. */
  readonly points: number | null;
  /** The same as if nothing were waived. */
  readonly points_without_waivers: number | null;
  /** Null while too little was measured to give one. */
  readonly grade: Grade | null;
  /** Share of the applicable checks that were measured, 0 to 1. */
  readonly coverage: number;
  readonly waived: number;
  /** A critical gap is open that nobody answers for, so `points` stay below half. */
  readonly is_capped: boolean;
}

/** One run as a point of a line. */
export interface TrendPoint {
  readonly run_id: string;
  /** ISO-8601 UTC. */
  readonly at: string;
  readonly points: number | null;
  readonly coverage: number;
  /** Open gaps that are not waived. */
  readonly open: number;
  readonly waived: number;
  readonly not_assessed: number;
}

/** What a report says of the waiver of a gap. Only `active` changes how the gap counts. */
export interface CheckWaiver {
  readonly id: string;
  readonly state: "active" | "expired" | "unconfirmed";
  readonly reason: string;
  readonly owner: string;
  readonly approver: string;
  /** ISO date; the last day on which it holds for the gap's present risk. */
  readonly expires: string;
  readonly ticket?: string;
}
