import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import { join } from "node:path";
import { type DiffReport, type HistoryReport, reportDiff, reportHistory } from "../app/report-history.ts";
import { addWaiver, confirmWaiver, expireWaiver, listWaivers, type WaiverDeps } from "../app/waiver.ts";
import type { WaiverReport, WaiverWish } from "../app/waiver.ts";
import { createTokenCheck, randomCode } from "../approve/approval-token.ts";
import { confirmStatement, type StatementAnswer } from "../approve/confirm-statement.ts";
import { loadAssessmentHistory } from "../state/assessment-history.ts";
import { openControllingTerminal } from "../state/controlling-terminal.ts";
import { changeWaivers, loadWaivers } from "../state/waivers.ts";
import type { Effects } from "./effects.ts";

export function historyPath(effects: Effects): string {
  return join(effects.securityDir(), "assessment-history.jsonl");
}

export function waiverPath(effects: Effects): string {
  return join(effects.securityDir(), "waivers.json");
}

export type WaiverAction =
  | { readonly kind: "add"; readonly wish: WaiverWish }
  | { readonly kind: "list" }
  | { readonly kind: "expire" | "confirm"; readonly id: string };

export async function runWaiver(effects: Effects, action: WaiverAction): Promise<WaiverReport> {
  const deps = waiverDeps(effects);
  switch (action.kind) {
    case "add":
      return await addWaiver(deps, action.wish);
    case "list":
      return await listWaivers(deps);
    case "expire":
      return await expireWaiver(deps, action.id);
    case "confirm":
      return await confirmWaiver(deps, action.id);
  }
}

export async function runReportHistory(effects: Effects, last: number): Promise<HistoryReport> {
  return reportHistory(await loadAssessmentHistory(historyPath(effects)), last);
}

export async function runReportDiff(effects: Effects, from: string, to: string): Promise<DiffReport> {
  return reportDiff(await loadAssessmentHistory(historyPath(effects)), from, to);
}

/** Asks a human on the controlling terminal, with the approval token where one is configured. */
export async function confirmByHuman(effects: Effects, lines: readonly string[]): Promise<StatementAnswer> {
  const token = effects.env["OPENCLAW_APPROVAL_TOKEN"] ?? "";
  const isToken = token === "" ? null : createTokenCheck(token);
  return await confirmStatement({ openTerminal: openControllingTerminal, randomCode, isToken }, lines);
}

function waiverDeps(effects: Effects): WaiverDeps {
  const path = waiverPath(effects);
  return {
    now: effects.now,
    hostname,
    newId: () => `w-${randomBytes(4).toString("hex")}`,
    loadWaivers: async () => await loadWaivers(path),
    changeWaivers: async (change) => await changeWaivers(path, change),
    loadLastRun: async () => (await loadAssessmentHistory(historyPath(effects))).previous,
    confirm: async (lines) => await confirmByHuman(effects, lines),
  };
}
