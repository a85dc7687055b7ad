import { SecurityError } from "../core/error.ts";
import { addToAgentPath, type PlistChange, removeFromAgentPath } from "./launch-agent.ts";
import { shellWord } from "./shim-script.ts";

/** What else than our own files must change so that an agent's shell finds the shim: each only after a yes. */
export interface WiringDeps {
  readonly read: (path: string) => Promise<Found>;
  readonly readPathPrepend: () => Promise<PathPrepend>;
  /** Null: OpenClaw was not found. Runs `openclaw` with these words. @throws {SecurityError} tool-failed, timeout */
  readonly openclaw: ((words: readonly string[]) => Promise<void>) | null;
  readonly confirm: (question: string) => Promise<boolean>;
  /** The gateway's LaunchAgent; null everywhere but on macOS. */
  readonly launchAgent: {
    readonly path: string;
    readonly write: (text: string) => Promise<void>;
    readonly isConfirmed: boolean;
  } | null;
}

/** Text of what is at a path; `other`: no regular file, or one that cannot be read. */
export type Found =
  | { readonly kind: "missing" }
  | { readonly kind: "file"; readonly text: string }
  | { readonly kind: "other" };

/** What OpenClaw's config says of `tools.exec.pathPrepend`; null: not set. */
export type PathPrepend = readonly string[] | null;

/** What became of OpenClaw's config or the LaunchAgent. */
export interface WiringReport {
  readonly state: "changed" | "unchanged" | "declined" | "not-possible";
  /** What a person can do by hand where nothing was changed; null when there is nothing to do. */
  readonly command: string | null;
  readonly message: string;
}

const KEY = "tools.exec.pathPrepend";
const DECLINED: WiringReport = { state: "declined", command: null, message: "Not changed, as you said." };

/** What was agreed to and is still to be done, or why nothing is. */
interface Plan {
  readonly willChange: boolean;
  readonly apply: () => Promise<WiringReport>;
}

/** Asks, where needed, for the shim's folder to be put first; nothing is changed before the plan is applied. */
export async function planPathPrepend(
  deps: WiringDeps,
  { folder, spellings }: { readonly folder: string; readonly spellings: readonly string[] },
): Promise<Plan & { readonly wasAbsent: boolean }> {
  const current = await deps.readPathPrepend();
  const wasAbsent = current === null;
  if (spellings.includes(current?.[0] ?? "")) {
    return { ...settled({ state: "unchanged", command: null, message: `${KEY} begins with ${folder}.` }), wasAbsent };
  }
  const wanted = [folder, ...(current ?? []).filter((entry) => !spellings.includes(entry))];
  return { ...(await planConfig(deps, current, wanted)), wasAbsent };
}

/** Takes the entry out of the list again and leaves the others. */
export async function unsetPathPrepend(
  deps: WiringDeps,
  { entry, was_absent: wasAbsent }: { readonly entry: string; readonly was_absent: boolean },
): Promise<WiringReport> {
  const current = await deps.readPathPrepend();
  if (current?.includes(entry) !== true) {
    return { state: "unchanged", command: null, message: `${KEY} does not name ${entry} any more.` };
  }
  const left = current.filter((other) => other !== entry);
  const plan = await planConfig(deps, current, left.length === 0 && wasAbsent ? null : left);
  return await plan.apply();
}

/**
 * OpenClaw changes its own config: it checks the result, keeps a backup, and applies it live. It is
 * told what it should find, so that nobody's edit in between is lost.
 */
async function planConfig(deps: WiringDeps, current: PathPrepend, wanted: PathPrepend): Promise<Plan> {
  const show = (value: PathPrepend): string => (value === null ? "(not set)" : JSON.stringify(value));
  const words =
    wanted === null ? ["config", "unset", KEY] : ["config", "set", KEY, JSON.stringify(wanted), "--strict-json"];
  const command = ["openclaw", ...words].map(shellWord).join(" ");
  const { openclaw } = deps;
  if (openclaw === null) {
    return settled({ state: "not-possible", command, message: "OpenClaw was not found; run the command where it is." });
  }
  const question =
    `OpenClaw's config: change ${KEY} from ${show(current)} to ${show(wanted)}. ` +
    "OpenClaw writes it without comments and keeps a backup.";
  if (!(await deps.confirm(question))) return settled({ ...DECLINED, command });
  const expected =
    wanted === null
      ? []
      : current === null
        ? ["--expect-current-absent"]
        : ["--expect-current-json", JSON.stringify(current)];
  const apply = async (): Promise<WiringReport> => {
    await openclaw([...words, ...expected]);
    if (show(await deps.readPathPrepend()) !== show(wanted)) {
      throw new SecurityError("tool-failed", `OpenClaw's config has another ${KEY} than was asked for`, {
        hint: `Look at it, then run: ${command}`,
      });
    }
    return { state: "changed", command: null, message: `${KEY} is ${show(wanted)} now.` };
  };
  return { willChange: true, apply };
}

/** Null where there are no LaunchAgents. */
export async function planAgentPath(deps: WiringDeps, folder: string): Promise<Plan | null> {
  if (deps.launchAgent === null) return null;
  return await planLaunchAgent(deps, deps.launchAgent, `put ${folder} first in`, (text) =>
    addToAgentPath(text, folder),
  );
}

export async function unsetAgentPath(deps: WiringDeps, folder: string): Promise<WiringReport | null> {
  if (deps.launchAgent === null) return null;
  const plan = await planLaunchAgent(deps, deps.launchAgent, `take ${folder} out of`, (text) =>
    removeFromAgentPath(text, folder),
  );
  return await plan.apply();
}

async function planLaunchAgent(
  deps: WiringDeps,
  agent: NonNullable<WiringDeps["launchAgent"]>,
  what: string,
  change: (text: string) => PlistChange,
): Promise<Plan> {
  const found = await deps.read(agent.path);
  if (found.kind !== "file") {
    return settled({ state: "unchanged", command: null, message: `There is no LaunchAgent at ${agent.path}.` });
  }
  const changed = change(found.text);
  if (changed.kind === "unchanged")
    return settled({ state: "unchanged", command: null, message: "PATH is right already." });
  if (changed.kind === "unsupported") {
    return settled({ state: "not-possible", command: null, message: `${agent.path} is left alone: ${changed.why}.` });
  }
  const question = `LaunchAgent ${agent.path}: ${what} the gateway's PATH.`;
  if (!agent.isConfirmed && !(await deps.confirm(question))) return settled(DECLINED);
  const apply = async (): Promise<WiringReport> => {
    await agent.write(changed.text);
    return { state: "changed", command: null, message: "Changed; restart the gateway to use it." };
  };
  return { willChange: true, apply };
}

function settled(report: WiringReport): Plan {
  return { willChange: false, apply: async () => await Promise.resolve(report) };
}
