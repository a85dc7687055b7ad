import type { NetworkFinding } from "../core/network.ts";
import type { Risk } from "../core/risk.ts";
import { clip, plural } from "../core/text.ts";
import { countRisks, type FindingGroup, groupFindings } from "./order.ts";
import { type Paint, type TextOptions, wrap } from "./terminal-layout.ts";
import { FINDING_LABEL, formatCount, listRisks } from "./wording.ts";

const MAX_GROUPS = 12;
const MAX_MEMBERS = 8;
const MAX_PROSE_CHARS = 600;
const MAX_EVIDENCE_CHARS = 240;

export function riskPaint(risk: Risk, paint: Paint): (text: string) => string {
  switch (risk) {
    case "critical":
      return (text) => paint.bold(paint.red(text));
    case "high":
      return paint.red;
    case "medium":
      return paint.yellow;
    case "low":
      return paint.cyan;
  }
}

/** The findings of a scan, each reason and remedy once, worst first. */
export function renderFindingsText(findings: readonly NetworkFinding[], options: TextOptions): readonly string[] {
  const { paint, columns } = options;
  if (findings.length === 0) return [paint.bold("No finding.")];
  const groups = groupFindings(findings);
  const lines = [paint.bold(`${plural(findings.length, "finding")}: ${listRisks(countRisks(findings))}`)];
  for (const group of groups.slice(0, MAX_GROUPS)) lines.push("", ...renderGroup(group, options));
  const left = groups.slice(MAX_GROUPS).reduce((sum, group) => sum + group.members.length, 0);
  if (left > 0) lines.push("", ...wrap(`and ${plural(left, "more finding")}; --json lists them all`, columns, "  "));
  return lines;
}

function renderGroup({ first, members }: FindingGroup, { paint, columns }: TextOptions): readonly string[] {
  const mark = first.risk.toUpperCase().padEnd(10);
  const title =
    members.length === 1 ? first.title : `${formatCount(members.length)} times: ${FINDING_LABEL[first.type]}`;
  const [head = "", ...tail] = wrap(clip(title, MAX_EVIDENCE_CHARS), columns, `  ${mark}`);
  const shown = members.slice(0, MAX_MEMBERS);
  const left = members.length - shown.length;
  return [
    head.replace(mark, riskPaint(first.risk, paint)(mark)),
    ...tail,
    ...shown.flatMap((finding) =>
      wrap(clip(finding.evidence, MAX_EVIDENCE_CHARS), columns, members.length === 1 ? "    Seen  " : "    -     "),
    ),
    ...(left > 0 ? wrap(`and ${formatCount(left)} more; --json lists them all`, columns, "          ") : []),
    ...wrap(clip(first.why, MAX_PROSE_CHARS), columns, "    Why   "),
    ...wrap(clip(first.mitigation, MAX_PROSE_CHARS), columns, "    Do    "),
  ];
}
