import { analyzeCommand, type Elevation } from "../shell/analyze-command.ts";
import { parseSudoArgs } from "../shell/parse-sudo-args.ts";
import { checkPolicy, type PolicyCheckDeps, type PolicyCheckReport } from "./policy-check.ts";

/** What the command policy would say about one elevation of a shell command. */
export interface ExplainedElevation {
  readonly program: string;
  /** Null where a part of it is known only when it runs. */
  readonly argv: readonly string[] | null;
  readonly via: readonly string[];
  /** The command that would be asked for; null where it cannot be told. */
  readonly asked: readonly string[] | null;
  /** Why no command can be told from it; empty where one can. */
  readonly note: string;
  readonly policy: PolicyCheckReport | null;
}

/** What a shell command would do about privilege, and what the policy says to it. Nothing is asked or run. */
export interface PolicyExplainReport {
  readonly schemaVersion: 1;
  readonly command: string;
  readonly verdict: "elevates" | "clear" | "opaque";
  readonly reasons: readonly string[];
  readonly elevations: readonly ExplainedElevation[];
}

/** The first few are looked up in the policy; a text may have hundreds. */
const MAX_CHECKED = 20;

export async function explainCommand(
  deps: PolicyCheckDeps & { readonly findProgram: (name: string) => Promise<string | null> },
  request: { readonly command: string; readonly cwd: string },
): Promise<PolicyExplainReport> {
  const { verdict, reasons, elevations } = analyzeCommand(request.command);
  const explained: ExplainedElevation[] = [];
  for (const elevation of elevations.slice(0, MAX_CHECKED)) {
    const asked = askedCommand(elevation);
    const { program, argv, via } = elevation;
    if ("note" in asked) {
      explained.push({ program, argv, via, asked: null, note: asked.note, policy: null });
      continue;
    }
    const [name = "", ...args] = asked.argv;
    const found = name.startsWith("/") ? name : await deps.findProgram(name);
    const words = [found ?? name, ...args];
    const policy = await checkPolicy(deps, { argv: words, runAs: asked.runAs, cwd: request.cwd });
    explained.push({ program, argv, via, asked: words, note: "", policy });
  }
  return { schemaVersion: 1, command: request.command, verdict, reasons, elevations: explained };
}

type Asked = { readonly argv: readonly string[]; readonly runAs: string } | { readonly note: string };

/** What has to be asked for instead: the command under sudo. Other elevators have no such form. */
function askedCommand({ program, argv }: Elevation): Asked {
  if (argv === null) return { note: "Its words are known only when it runs, so it cannot be asked for as it is." };
  if (program !== "sudo") return { note: `${program} is not run for an agent; ask for the command itself as root.` };
  const parsed = parseSudoArgs(argv.slice(1));
  switch (parsed.kind) {
    case "request":
      return { argv: parsed.argv, runAs: parsed.runAs };
    case "passthrough":
      return { note: "It only asks sudo about itself and runs nothing." };
    case "refuse":
      return { note: parsed.message };
  }
}
