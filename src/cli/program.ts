import { Command, InvalidArgumentError, Option } from "commander";
import { RISKS, type Risk } from "../core/risk.ts";
import { VERSION } from "../core/version.ts";
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
    .option("--no-native", "do not ask OpenClaw's own audit commands")
    .action(async (options) => {
      const { runAssess } = await import("./assess.ts");
      outcome.exitCode = await runAssess(terminal, options);
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

function parseList(text: string): string[] {
  return text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
}
