import { Command, InvalidArgumentError, Option } from "commander";
import { RISKS, type Risk } from "../core/risk.ts";
import { VERSION } from "../core/version.ts";
import type { Format } from "../report/formats.ts";
import type { Terminal } from "./terminal.ts";

/** Set by a command; commands that succeed leave it 0. */
export interface Outcome {
  exitCode: number;
}

/**
 * The command line. Each action loads its own module, so that `cse scan ports` does not pay for
 * the dashboard.
 */
export function buildProgram(terminal: Terminal, outcome: Outcome): Command {
  const program = new Command("cse")
    .description("Cyber Security Engineer for OpenClaw: what listens, what talks out, and how safe this host is.")
    .version(VERSION)
    .exitOverride()
    // Errors are told by main, which also can as JSON; what else goes to stderr is help for a missing command.
    .configureOutput({
      writeOut: (text) => terminal.out(text),
      writeErr: (text) => terminal.note(text),
      outputError: () => undefined,
    });

  const json = (command: Command): Command => command.option("--json", "print the result as JSON");
  const failOn = (command: Command): Command =>
    command.addOption(
      new Option("--fail-on <risk>", "exit 1 when a finding has at least this risk").argParser(parseRisk),
    );
  const leaf = (parent: Command, name: string, description: string): Command =>
    json(parent.command(name).description(description)).exitOverride();

  failOn(leaf(program, "assess", "measure this host against the controls and write the reports"))
    .option("--out <dir>", "write the five report files to this folder")
    .option("--checks <ids>", "only these checks, separated by commas", parseList)
    .option("--format <list>", "also write sarif, ocsf, oscal, junit or md; json and html always are", parseFormats)
    .option("--no-native", "do not ask OpenClaw's own audit commands")
    .action(async (options) => {
      const { runAssess } = await import("./assess.ts");
      outcome.exitCode = await runAssess(terminal, options);
    });

  const report = program.command("report").description("what earlier assessments found").exitOverride();
  leaf(report, "open", "show the dashboard of the last assessment in the browser").action(async (options) => {
    const { runReportOpen } = await import("./report.ts");
    outcome.exitCode = await runReportOpen(terminal, options);
  });
  leaf(report, "diff", "show what changed between two assessments")
    .argument("[from]", "a run by its id, a date, `previous` or `latest`", "previous")
    .argument("[to]", "the later run", "latest")
    .action(async (from: string, to: string, options) => {
      const { runReportDiff } = await import("./report.ts");
      outcome.exitCode = await runReportDiff(terminal, from, to, options);
    });
  leaf(report, "history", "list the last assessments with their scores")
    .option("--last <count>", "so many", parseCount, 20)
    .action(async (options) => {
      const { runReportHistory } = await import("./report.ts");
      outcome.exitCode = await runReportHistory(terminal, options);
    });

  leaf(program, "notify", "tell the configured sinks what changed; exit 5 while something could not be delivered")
    .option("--retry", "also try again what was given up")
    .action(async (options) => {
      const { runNotify } = await import("./notify.ts");
      outcome.exitCode = await runNotify(terminal, options);
    });

  leaf(program, "cycle", "assess, write the reports and notify, as a scheduler does; a second one leaves")
    .option("--out <dir>", "write the reports to this folder")
    .option("--format <list>", "also write sarif, ocsf, oscal, junit or md", parseFormats)
    .action(async (options) => {
      const { runCycle } = await import("./cycle.ts");
      outcome.exitCode = await runCycle(terminal, options);
    });
  const schedule = program.command("schedule").description("run the cycle by itself, without a gateway").exitOverride();
  leaf(schedule, "enable", "show what would be written, and after a person agreed, write it")
    .option("--every <minutes>", "how often", parseMinutes, 30)
    .addOption(
      new Option("--using <scheduler>", "instead of the one that fits").choices(["systemd", "launchd", "cron"]),
    )
    .action(async (options) => {
      const { runScheduleEnable } = await import("./cycle.ts");
      outcome.exitCode = await runScheduleEnable(terminal, options);
    });
  leaf(schedule, "disable", "take back what enable did").action(async (options) => {
    const { runScheduleDisable } = await import("./cycle.ts");
    outcome.exitCode = await runScheduleDisable(terminal, options);
  });
  leaf(schedule, "status", "say whether cycles are scheduled, and how the last one ended").action(async (options) => {
    const { runScheduleStatus } = await import("./cycle.ts");
    outcome.exitCode = await runScheduleStatus(terminal, options);
  });

  const waiver = program.command("waiver").description("gaps that somebody answers for, for a while").exitOverride();
  leaf(waiver, "add", "accept one gap of this host until a date, after a person agreed to exactly that")
    .requiredOption("--check <id>", "the check; there is no waiver for everything")
    .requiredOption("--reason <text>", "why, in at least 20 characters")
    .requiredOption("--owner <name>", "who answers for the gap")
    .requiredOption("--approver <name>", "who accepts the risk; not the owner")
    .requiredOption("--expires <date>", "the last day, at most 365 days away, 90 for a high or critical risk")
    .option("--ticket <id>", "where more is written about it")
    .action(async (options) => {
      const { runWaiverAdd } = await import("./waiver.ts");
      outcome.exitCode = await runWaiverAdd(terminal, options);
    });
  leaf(waiver, "list", "show all waivers and what they are worth now").action(async (options) => {
    const { runWaiverAction } = await import("./waiver.ts");
    outcome.exitCode = await runWaiverAction(terminal, { kind: "list" }, options);
  });
  leaf(waiver, "expire", "end a waiver now")
    .argument("<id>", "as `cse waiver list` shows it")
    .action(async (id: string, options) => {
      const { runWaiverAction } = await import("./waiver.ts");
      outcome.exitCode = await runWaiverAction(terminal, { kind: "expire", id }, options);
    });
  leaf(waiver, "confirm", "agree to a waiver that was written or changed by hand")
    .argument("<id>", "as `cse waiver list` shows it")
    .action(async (id: string, options) => {
      const { runWaiverAction } = await import("./waiver.ts");
      outcome.exitCode = await runWaiverAction(terminal, { kind: "confirm", id }, options);
    });

  const scan = program.command("scan").description("look at the network without judging the whole host").exitOverride();
  failOn(leaf(scan, "ports", "list listening sockets and compare them with the approved baseline"))
    .option("--baseline <file>", "use this baseline instead of approved_ports.json")
    .option("--no-udp", "TCP only")
    .action(async (options) => {
      const { runScanPorts } = await import("./scan.ts");
      outcome.exitCode = await runScanPorts(terminal, options);
    });
  failOn(leaf(scan, "egress", "list outbound connections and compare them with the allowlist"))
    .option("--allowlist <file>", "use this allowlist instead of egress_allowlist.json")
    .option("--include-loopback", "also list connections within this host")
    .action(async (options) => {
      const { runScanEgress } = await import("./scan.ts");
      outcome.exitCode = await runScanEgress(terminal, options);
    });

  const baseline = program.command("baseline").description("the approved listeners").exitOverride();
  leaf(baseline, "generate", "take the present listeners as unreviewed entries, keeping reviewed ones")
    .option("--baseline <file>", "this baseline instead of approved_ports.json")
    .action(async (options) => {
      const { runBaselineGenerate } = await import("./baseline.ts");
      outcome.exitCode = await runBaselineGenerate(terminal, options);
    });
  leaf(baseline, "diff", "show how the present listeners differ from the baseline")
    .option("--baseline <file>", "this baseline instead of approved_ports.json")
    .action(async (options) => {
      const { runBaselineDiff } = await import("./baseline.ts");
      outcome.exitCode = await runBaselineDiff(terminal, options);
    });
  leaf(baseline, "review", "walk through the unreviewed entries and approve or drop each")
    .option("--baseline <file>", "this baseline instead of approved_ports.json")
    .action(async (options) => {
      const { runBaselineReview } = await import("./baseline.ts");
      outcome.exitCode = await runBaselineReview(terminal, options);
    });

  const allowlist = program.command("allowlist").description("the approved destinations").exitOverride();
  leaf(allowlist, "suggest", "propose rules for the connections seen now, for review")
    .option("--allowlist <file>", "this allowlist instead of egress_allowlist.json")
    .action(async (options) => {
      const { runAllowlistSuggest } = await import("./allowlist.ts");
      outcome.exitCode = await runAllowlistSuggest(terminal, options);
    });
  leaf(allowlist, "check", "validate the allowlist and show what each rule resolves to")
    .option("--allowlist <file>", "this allowlist instead of egress_allowlist.json")
    .action(async (options) => {
      const { runAllowlistCheck } = await import("./allowlist.ts");
      outcome.exitCode = await runAllowlistCheck(terminal, options);
    });

  leaf(program, "run", "run one command as root, or another user, after a person agreed to exactly that")
    .argument("<command...>", "absolute command and its arguments, after --")
    .option("--reason <text>", "why it is needed; shown to the person as a claim")
    .option("--keep-session", "ask to run the same again without asking, until 30 idle minutes have passed")
    .option("--run-as <user>", "run as this user instead of root")
    .option("--timeout <seconds>", "end it after this time", parseSeconds)
    .action(async (argv: string[], options) => {
      const { runRun } = await import("./run.ts");
      outcome.exitCode = await runRun(terminal, argv, options);
    });
  const session = program.command("session").description("what is elevated").exitOverride();
  leaf(session, "status", "show what the last elevation recorded about itself").action(async (options) => {
    const { runSessionStatus } = await import("./session.ts");
    outcome.exitCode = await runSessionStatus(terminal, options);
  });
  leaf(session, "drop", "end what is elevated").action(async (options) => {
    const { runSessionDrop } = await import("./session.ts");
    outcome.exitCode = await runSessionDrop(terminal, options);
  });

  const shim = program.command("shim").description("the sudo shim for an agent's shell (opt-in)").exitOverride();
  leaf(shim, "install", "put the shim in place and, after a yes, in front of the agent's PATH")
    .option("--yes", "in a script of yours: agree to the change of OpenClaw's config")
    .action(async (options) => {
      const { runShimInstall } = await import("./shim.ts");
      outcome.exitCode = await runShimInstall(terminal, options);
    });
  leaf(shim, "status", "show what the shim covers here and what not").action(async (options) => {
    const { runShimStatus } = await import("./shim.ts");
    outcome.exitCode = await runShimStatus(terminal, options);
  });
  leaf(shim, "uninstall", "take back exactly what installing changed")
    .option("--yes", "in a script of yours: agree to the change of OpenClaw's config")
    .action(async (options) => {
      const { runShimUninstall } = await import("./shim.ts");
      outcome.exitCode = await runShimUninstall(terminal, options);
    });

  const audit = program.command("audit").description("the record of privileged actions").exitOverride();
  leaf(audit, "verify", "check that the record is as it was written; exit 4 when it is not, 6 when nobody can tell")
    .option("--key-file <file>", "also check every seal with the key that `export --key` printed")
    .action(async (options) => {
      const { runAuditVerify } = await import("./audit.ts");
      outcome.exitCode = await runAuditVerify(terminal, options);
    });
  leaf(audit, "show", "list the last records")
    .option("--last <count>", "so many", parseCount, 20)
    .action(async (options) => {
      const { runAuditShow } = await import("./audit.ts");
      outcome.exitCode = await runAuditShow(terminal, options);
    });
  leaf(audit, "export", "print the whole record, one line each")
    .option("--key", "instead, begin a new key and print it, once, to verify all later records with")
    .action(async (options) => {
      const { runAuditExport } = await import("./audit.ts");
      outcome.exitCode = await runAuditExport(terminal, options);
    });
  leaf(audit, "reconcile", "find what sudo ran for this account without a record; exit 4 when there is something")
    .option("--sudo-log <file>", "compare with this log of sudo instead of the system's")
    .action(async (options) => {
      const { runAuditReconcile } = await import("./audit.ts");
      outcome.exitCode = await runAuditReconcile(terminal, options);
    });

  leaf(program, "posture", "say how far approvals can be relied on here, L0 to L3, and what the next level needs")
    .option("--sudoers", "instead, print sudoers lines for the exact commands of the command policy")
    .option("--digests", "with --sudoers: bind each line to the present bytes of its program")
    .option("--allow-root-equivalent", "with --sudoers: also commands that amount to a root shell")
    .action(async (options) => {
      const { runPosture } = await import("./posture.ts");
      outcome.exitCode = await runPosture(terminal, options);
    });
  const policy = program.command("policy").description("the rules for privileged commands").exitOverride();
  leaf(policy, "check", "show what would happen to a command, and why, without asking or running anything")
    .argument("<command...>", "absolute command and its arguments, after --")
    .option("--run-as <user>", "as if it were to run as this user instead of root")
    .action(async (argv: string[], options) => {
      const { runPolicyCheck } = await import("./policy.ts");
      outcome.exitCode = await runPolicyCheck(terminal, argv, options);
    });
  leaf(policy, "explain", "show what a shell command would do about privilege, and what the policy says to that")
    .argument("<text>", "the whole shell command as one word")
    .action(async (text: string, options) => {
      const { runPolicyExplain } = await import("./policy.ts");
      outcome.exitCode = await runPolicyExplain(terminal, text, options);
    });
  failOn(leaf(policy, "lint", "list the rules that allow more than they seem to, or never take effect")).action(
    async (options) => {
      const { runPolicyLint } = await import("./policy.ts");
      outcome.exitCode = await runPolicyLint(terminal, options);
    },
  );

  const approvers = program.command("approvers").description("whose yes counts when the gateway asks").exitOverride();
  leaf(approvers, "list", "list enrolled approvers and the devices that OpenClaw knows").action(async (options) => {
    const { runApproversList } = await import("./approvers.ts");
    outcome.exitCode = await runApproversList(terminal, options);
  });
  leaf(approvers, "enroll", "let a paired device, or a chat channel, approve privileged commands")
    .argument("<id>", "a device's id or its first 8 characters or more, or channel:account")
    .option("--name <name>", "what to call it")
    .option("--no-proof", "do not have root write the list, also where sudo would take a password for it")
    .action(async (id: string, options) => {
      const { runApproversEnroll } = await import("./approvers.ts");
      outcome.exitCode = await runApproversEnroll(terminal, id, options);
    });
  leaf(approvers, "revoke", "take an approver away")
    .argument("<id>", "as listed, or its first 8 characters or more")
    .action(async (id: string, options) => {
      const { runApproversRevoke } = await import("./approvers.ts");
      outcome.exitCode = await runApproversRevoke(terminal, id, options);
    });

  leaf(approvers, "confirm", "complete a yes by the approval token")
    .argument("[id]", "the 8 digits in the question's title; the only one that waits when left out")
    .action(async (id: string | undefined, options) => {
      const { runApproversConfirm } = await import("./approvers.ts");
      outcome.exitCode = await runApproversConfirm(terminal, id, options);
    });

  leaf(program, "preflight", "check that this installation can work and that its files are sound").action(
    async (options) => {
      const { runPreflight } = await import("./preflight.ts");
      outcome.exitCode = await runPreflight(terminal, options);
    },
  );
  leaf(program, "init", "write the policy files from their templates, never over an existing file").action(
    async (options) => {
      const { runInit } = await import("./init.ts");
      outcome.exitCode = await runInit(terminal, options);
    },
  );
  return program;
}

function parseRisk(text: string): Risk {
  const risk = RISKS.find((known) => known === text);
  if (risk === undefined) throw new InvalidArgumentError(`use one of ${RISKS.join(", ")}`);
  return risk;
}

const FORMATS: readonly Format[] = ["sarif", "ocsf", "oscal", "junit", "md"];

function parseFormats(text: string): Format[] {
  return parseList(text).flatMap((name) => {
    if (name === "json" || name === "html") return [];
    const format = FORMATS.find((known) => known === name);
    if (format === undefined) throw new InvalidArgumentError(`use some of json, html, ${FORMATS.join(", ")}`);
    return [format];
  });
}

function parseList(text: string): string[] {
  return text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
}

function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (!Number.isInteger(seconds) || seconds < 1) throw new InvalidArgumentError("use a whole number of seconds");
  return seconds;
}

function parseMinutes(text: string): number {
  const minutes = Number(text);
  if (Number.isInteger(minutes) && minutes >= 5 && minutes <= 1_440) return minutes;
  throw new InvalidArgumentError("use a whole number from 5 to 1440");
}

function parseCount(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1) throw new InvalidArgumentError("use a whole number above zero");
  return count;
}
