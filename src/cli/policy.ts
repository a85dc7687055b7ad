import { EXIT_FINDINGS } from "../core/error.ts";
import { isAtLeast, type Risk } from "../core/risk.ts";
import { clip, escapeControl, plural } from "../core/text.ts";
import { wire } from "../deps/wire.ts";
import { renderJson } from "../report/json.ts";
import { riskPaint } from "../report/terminal-finding.ts";
import type { Terminal } from "./terminal.ts";

const MAX_SHOWN_CHARS = 300;

/** Shows what would happen to a command. Exits 0 whatever the answer is. */
export async function runPolicyCheck(
  terminal: Terminal,
  argv: readonly string[],
  flags: { readonly json?: boolean; readonly runAs?: string },
): Promise<number> {
  const report = await wire().checkPolicy({ argv, ...(flags.runAs === undefined ? {} : { runAs: flags.runAs }) });
  if (flags.json === true) {
    terminal.out(renderJson(report));
    return 0;
  }
  const { paint } = terminal;
  const head = report.outcome === "ask" ? paint.green("a person would be asked") : paint.red("refused");
  const rule = report.rule_id === null ? "" : `, rule ${escapeControl(report.rule_id)}`;
  terminal.out(`${head} (${report.code}${rule}): ${clip(report.reason, MAX_SHOWN_CHARS)}\n`);
  if (report.help !== "") terminal.out(`  ${report.help}\n`);
  const { rootEquivalent, classes, why } = report.root_equivalent;
  const mark = rootEquivalent ? paint.red(`amounts to root (${classes.join(", ")})`) : "not known to amount to root";
  terminal.out(`  ${mark}: ${clip(why, MAX_SHOWN_CHARS)}\n`);
  return 0;
}

/** Shows what a shell command would do about privilege. Exits 0 whatever the answer is. */
export async function runPolicyExplain(
  terminal: Terminal,
  command: string,
  flags: { readonly json?: boolean },
): Promise<number> {
  const report = await wire().explainPolicy(command);
  if (flags.json === true) {
    terminal.out(renderJson(report));
    return 0;
  }
  const { paint } = terminal;
  const head = { clear: paint.green, elevates: paint.yellow, opaque: paint.yellow }[report.verdict];
  terminal.out(`${head(report.verdict)}\n`);
  for (const reason of report.reasons) terminal.out(`  ${clip(reason, MAX_SHOWN_CHARS)}\n`);
  for (const { program, argv, asked, note, policy } of report.elevations) {
    const shown = argv === null ? `${program} ...` : argv.join(" ");
    terminal.out(`${paint.bold(clip(shown, MAX_SHOWN_CHARS))}\n`);
    if (policy === null || asked === null) {
      terminal.out(`  ${clip(note, MAX_SHOWN_CHARS)}\n`);
      continue;
    }
    const outcome = policy.outcome === "ask" ? paint.green("a person would be asked") : paint.red("refused");
    const rule = policy.rule_id === null ? "" : `, rule ${escapeControl(policy.rule_id)}`;
    terminal.out(`  ${clip(asked.join(" "), MAX_SHOWN_CHARS)} as ${escapeControl(policy.run_as)}\n`);
    terminal.out(`  ${outcome} (${policy.code}${rule}): ${clip(policy.reason, MAX_SHOWN_CHARS)}\n`);
    if (policy.help !== "") terminal.out(`  ${policy.help}\n`);
  }
  return 0;
}

/** Lists what is doubtful in the command policy. */
export async function runPolicyLint(
  terminal: Terminal,
  flags: { readonly json?: boolean; readonly failOn?: Risk },
): Promise<number> {
  const report = await wire().lintPolicy();
  const { failOn } = flags;
  const isReached = failOn !== undefined && report.findings.some(({ risk }) => isAtLeast(risk, failOn));
  if (flags.json === true) {
    terminal.out(renderJson(report));
  } else if (report.policy_file === null) {
    terminal.note("There is no command policy yet. `cse init` writes one.");
  } else {
    const { paint } = terminal;
    const counts = `${plural(report.rules, "rule")}, ${plural(report.findings.length, "finding")}`;
    terminal.out(`${paint.bold(escapeControl(report.policy_file))}: ${counts}\n`);
    for (const { risk, title, target, evidence, mitigation } of report.findings) {
      const place = escapeControl(target.replace(/^command-policy\.json ?/, ""));
      terminal.out(`  ${riskPaint(risk, paint)(risk.padEnd(8))} ${place === "" ? "" : `${place}: `}${title}\n`);
      terminal.out(`           ${clip(evidence, MAX_SHOWN_CHARS)} ${mitigation}\n`);
    }
  }
  return isReached ? EXIT_FINDINGS : 0;
}
