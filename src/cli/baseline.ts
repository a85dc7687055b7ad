import type { ReviewQuestion } from "../app/baseline.ts";
import { SecurityError } from "../core/error.ts";
import type { Listener } from "../core/network.ts";
import { escapeControl, plural } from "../core/text.ts";
import { epochFromIso } from "../core/time.ts";
import { type UseCases, wire } from "../deps/wire.ts";
import { renderJson } from "../report/json.ts";
import { formatEndpoint, formatProgram } from "../report/wording.ts";
import type { Terminal } from "./terminal.ts";

interface BaselineFlags {
  readonly json?: boolean;
  readonly baseline?: string;
}

type Decision = Exclude<Awaited<ReturnType<Parameters<UseCases["reviewBaseline"]>[1]>>, null>;

export async function runBaselineGenerate(terminal: Terminal, flags: BaselineFlags): Promise<number> {
  const report = await wire().generateBaseline(target(flags));
  if (flags.json === true) {
    terminal.out(renderJson(report));
    return 0;
  }
  const { paint } = terminal;
  terminal.out(
    `${paint.bold(escapeControl(report.path))}: ${plural(report.rules, "entry", "entries")}, ${report.reviewed} reviewed\n`,
  );
  for (const line of report.unreviewed) terminal.out(`  ${paint.yellow("unreviewed")} ${escapeControl(line)}\n`);
  if (!report.complete) {
    terminal.note("Some owners could not be seen, so their entries name no executable; run as root to name them.");
  }
  if (report.unreviewed.length > 0) {
    terminal.note("Nothing unreviewed is approved. Next: `cse baseline review`.");
  }
  return 0;
}

export async function runBaselineDiff(terminal: Terminal, flags: BaselineFlags): Promise<number> {
  const report = await wire().diffBaseline(target(flags));
  if (flags.json === true) {
    terminal.out(renderJson(report));
    return 0;
  }
  const { paint } = terminal;
  const lines = [
    ...report.added.map((listener) => `${paint.red("added       ")} ${describe(listener)}`),
    ...report.changed.map(
      ({ listener, detail }) => `${paint.red("changed     ")} ${describe(listener)}: ${escapeControl(detail)}`,
    ),
    ...report.unverifiable.map((listener) => `${paint.yellow("unverifiable")} ${describe(listener)}`),
    ...report.unreviewed.map((listener) => `${paint.yellow("unreviewed  ")} ${describe(listener)}`),
    ...report.expired.map((rule) => `${paint.yellow("expired     ")} ${describeRuleShort(rule)}`),
    ...report.missing.map((rule) => `${paint.dim("missing     ")} ${describeRuleShort(rule)}`),
  ];
  const summary = lines.length === 0 ? "No difference" : plural(lines.length, "difference");
  terminal.out(
    `${paint.bold(`${summary} from ${escapeControl(report.path)}`)}\n${lines.map((line) => `  ${line}\n`).join("")}`,
  );
  if (!report.complete) terminal.note("Some owners could not be seen; run as root for the whole picture.");
  return 0;
}

export async function runBaselineReview(terminal: Terminal, flags: BaselineFlags): Promise<number> {
  if (!terminal.canAsk) {
    throw new SecurityError("not-a-terminal", "Reviewing needs a person at a terminal", {
      hint: "Run `cse baseline review` in a terminal of your own, or edit the file by hand.",
    });
  }
  const report = await wire().reviewBaseline(target(flags), async (question) => await askAbout(terminal, question));
  if (flags.json === true) {
    terminal.out(renderJson(report));
    return 0;
  }
  terminal.out(
    `${terminal.paint.bold(escapeControl(report.path))}: ${report.approved} approved, ${report.dropped} dropped, ${report.remaining} left\n`,
  );
  return 0;
}

/** Asks until the answer is one of the four; null, also at the end of input, means stop. */
async function askAbout(terminal: Terminal, question: ReviewQuestion): Promise<Decision | null> {
  const { paint } = terminal;
  terminal.note(
    `\n${paint.bold(`[${question.position}/${question.total}] ${escapeControl(question.description)}`)} (${question.state})`,
  );
  if (question.rule.comment !== null) terminal.note(`  ${escapeControl(question.rule.comment)}`);
  for (const warning of question.warnings) terminal.note(`  ${paint.yellow("!")} ${escapeControl(warning)}`);
  for (;;) {
    const answer = await terminal.ask("  approve, drop, keep for later, or quit? [a/d/k/q] ");
    switch (answer?.trim().toLowerCase()) {
      case "a":
      case "approve":
        return await askApproval(terminal);
      case "d":
      case "drop":
        return { kind: "drop" };
      case "k":
      case "keep":
        return { kind: "keep" };
      case "q":
      case "quit":
      case undefined:
        return null;
      default:
        terminal.note("  Please answer a, d, k or q.");
    }
  }
}

async function askApproval(terminal: Terminal): Promise<Decision | null> {
  const owner = await askText(terminal, "  owner (who answers for it): ");
  if (owner === null) return null;
  const justification = await askText(terminal, "  why is it needed: ");
  if (justification === null) return null;
  for (;;) {
    const expires = (await terminal.ask("  expires on (YYYY-MM-DD, empty for never): "))?.trim();
    if (expires === undefined) return null;
    if (expires === "") return { kind: "approve", owner, justification };
    if (/^\d{4}-\d{2}-\d{2}$/.test(expires) && epochFromIso(expires) !== null) {
      return { kind: "approve", owner, justification, expires };
    }
    terminal.note("  That is not a date such as 2027-01-31.");
  }
}

async function askText(terminal: Terminal, prompt: string): Promise<string | null> {
  for (;;) {
    const answer = (await terminal.ask(prompt))?.trim();
    if (answer === undefined) return null;
    if (answer !== "") return answer;
    terminal.note("  This cannot be empty.");
  }
}

function describe(listener: Listener): string {
  return escapeControl(
    `${listener.protocol} ${formatEndpoint(listener.address, listener.port, listener.device)} ${formatProgram(listener)}`,
  );
}

function describeRuleShort(rule: ReviewQuestion["rule"]): string {
  const { first, last } = rule.ports;
  const ports = first === last ? String(first) : `${first}-${last}`;
  return escapeControl(`${rule.protocol} ${ports} ${rule.exe ?? rule.command ?? rule.unit ?? "any program"}`);
}

function target(flags: BaselineFlags): { baseline?: string } {
  return flags.baseline === undefined ? {} : { baseline: flags.baseline };
}
