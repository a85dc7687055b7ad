import type { ApproverKind } from "../core/posture-facts.ts";
import type { OpenClawConfig } from "../schema/openclaw-config.ts";
import { list, octal, on, type PostureCondition } from "./posture-judgement.ts";
import type { PostureLevel } from "./posture-level.ts";
import { approverSteps, debuggerSteps, nodeSteps, ownCodeSteps, sandboxSteps, unitSteps } from "./posture-steps.ts";
import { elevatedSenders, execPostures, offersTool } from "./tool-reach.ts";

const L2_UP: readonly PostureLevel[] = ["L2", "L3"];

const FORGEABLE: readonly ApproverKind[] = ["terminal", "device without proof", "runtime"];

/** About the gateway, the agent's tools and who approves. */
export const GATEWAY_CONDITIONS: readonly PostureCondition[] = [
  {
    id: "tools_contained",
    levels: L2_UP,
    risk: "critical",
    judge: ({ config }) =>
      on(config, (known) => {
        const loose = looseAgents(known);
        return loose.length === 0
          ? { good: "By its configuration every agent's tools run in a sandbox, or it has none that touch the host" }
          : { bad: `Tools run on the host as the gateway's account: ${list(loose)}`, steps: sandboxSteps() };
      }),
  },
  {
    id: "gateway_token_out_of_reach",
    levels: L2_UP,
    risk: "critical",
    judge: ({ config, folders }) =>
      on(config, (known) => {
        const { auth } = known.gateway;
        if (auth.mode === "none") return { bad: "The gateway asks for no token at all", steps: sandboxSteps() };
        if (looseAgents(known).length > 0) {
          return {
            bad: "Tools of the gateway's account can read its token and answer approvals for anybody, a channel too",
            steps: sandboxSteps(),
          };
        }
        const secret = [known.path, ...(folders.kind === "measured" ? folders.value.map(({ path }) => path) : [])];
        const open = known.agents.filter(
          ({ workspace, sandbox }) =>
            sandbox.workspace_access.value !== "none" &&
            (workspace === null || secret.some((path) => `${path}/`.startsWith(`${workspace}/`))),
        );
        return open.length === 0
          ? { good: "The sandbox does not show the gateway's configuration to the tools" }
          : {
              bad: `The sandbox shows a workspace that may hold the configuration: ${list(open.map(({ id }) => id))}`,
              steps: sandboxSteps(),
            };
      }),
  },
  {
    id: "approver_apart",
    levels: L2_UP,
    risk: "critical",
    judge: ({ approvers, config }) =>
      on(approvers, (enrolled) => {
        const isRuntimeIn =
          config.kind === "measured" && config.value.plugins.entries.some((entry) => entry.allow_runtime === true);
        const kinds = [...new Set([...enrolled, ...(isRuntimeIn ? ["runtime" as const] : [])])];
        const forgeable = kinds.filter((kind) => FORGEABLE.includes(kind));
        if (kinds.length === 0) return { bad: "Nobody is enrolled who could approve", steps: approverSteps() };
        return forgeable.length === 0
          ? { good: `Only these approve: ${kinds.join(", ")}` }
          : {
              bad: `A yes may come from where the agent's own code can give it: ${forgeable.join(", ")}`,
              steps: approverSteps(),
            };
      }),
  },
  {
    id: "started_by_the_system",
    levels: L2_UP,
    risk: "high",
    judge: ({ manager, account }) =>
      on(manager, ({ unit, manager: who }) =>
        who === "system"
          ? { good: `The system's service manager started it as ${unit ?? "a service"}` }
          : {
              bad: `The gateway was started ${who === "user" ? "by the account's own service manager" : "by hand"}, so its code can start another in its place`,
              steps: unitSteps(account.kind === "measured" ? account.value.user : null),
            },
      ),
  },
  {
    id: "memory_closed",
    levels: L2_UP,
    risk: "critical",
    judge: ({ memory_open: memory, kernel }) =>
      on(memory, (open) => {
        if (!open) return { good: "Processes of the same account cannot read or change the gateway's memory" };
        const scope = kernel.kind === "measured" ? kernel.value.ptrace_scope : null;
        const guard = scope === null ? "the kernel has no Yama" : `ptrace_scope is ${scope}`;
        return { bad: `Processes of the same account may open the gateway's memory (${guard})`, steps: nodeSteps() };
      }),
  },
  {
    id: "node_is_roots",
    levels: L2_UP,
    risk: "high",
    judge: ({ program }) =>
      on(program, ({ path, uid, mode, is_root_only: isRootOnly }) =>
        uid === 0 && isRootOnly && (mode & 0o066) === 0
          ? { good: `${path} is root's, and only executable for others` }
          : { bad: `${path} belongs to uid ${uid} with mode ${octal(mode)}`, steps: nodeSteps() },
      ),
  },
  {
    id: "debugger_closed",
    levels: L2_UP,
    risk: "critical",
    judge: ({ debugger: found, config }) =>
      on(found, ({ handles_sigusr1: handles, inspect_flag: flag, ports }) => {
        if (flag === true) return { bad: "The gateway was started with a debugger port", steps: debuggerSteps() };
        if (handles)
          return {
            bad: "SIGUSR1 is handled: unless the handler is the program's own, it opens a debugger port",
            steps: debuggerSteps(),
          };
        const expected = config.kind === "measured" ? config.value.gateway.port.value : null;
        const others = ports?.filter((port) => port !== expected) ?? null;
        if (flag === null && (others === null || others.length > 0)) {
          const why = others === null ? "its ports could not be seen" : `it also listens on ${others.join(", ")}`;
          return { bad: `Whether a debugger port is open cannot be told: ${why}`, steps: debuggerSteps() };
        }
        return { good: "No debugger port is open, and SIGUSR1 opens none" };
      }),
  },
  {
    id: "code_is_roots",
    levels: L2_UP,
    risk: "high",
    judge: ({ code }) =>
      on(code, ({ looked_at: seen, changeable }) =>
        changeable.length === 0
          ? { good: `Only root can change ${list(seen)}` }
          : { bad: `Others than root can change ${list(changeable)}`, steps: ownCodeSteps() },
      ),
  },
  {
    id: "root_broker",
    levels: ["L3"],
    risk: "medium",
    judge: () => ({
      kind: "unknown",
      said: "This release has no broker of root's own, so L3 cannot be reached with it",
      source: "this program",
      steps: [],
    }),
  },
];

/** Agents, in words, whose tools may act on this host. */
function looseAgents(config: OpenClawConfig): readonly string[] {
  return config.agents.flatMap((agent) => {
    const posture = execPostures({ ...config, agents: [agent] })[0];
    const isBoxed = posture !== undefined && ["sandbox", "none"].includes(posture.reach);
    const touchesHost = (["exec", "write", "edit", "apply_patch"] as const).some((tool) =>
      offersTool(agent.tools, tool),
    );
    const isUnboxed = agent.sandbox.mode.value !== "all" && touchesHost;
    // These may change the very setting that boxes the others in, or add code that is not boxed.
    const changesSetup = (["gateway", "plugins", "openclaw"] as const).some((tool) => offersTool(agent.tools, tool));
    const canUnbox = changesSetup || elevatedSenders(agent.tools).length > 0;
    return isBoxed && !isUnboxed && !canUnbox ? [] : [posture?.text ?? agent.id];
  });
}
