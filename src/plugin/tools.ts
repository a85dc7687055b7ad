import type { ElevationResult, RunResult } from "../app/elevation-result.ts";
import { asSecurityError } from "../core/error.ts";
import { helpFor, type Refusal, refuse } from "../core/refusal.ts";
import type { GatewayEngine } from "../deps/gateway.ts";
import { renderAssessmentForModel, renderEgressForModel, renderPortsForModel } from "../report/model-text.ts";
import {
  AGENT_TOOL_NAMES,
  type AgentToolName,
  agentToolParameters,
  parseAssessCall,
  parseScanEgressCall,
  parseScanPortsCall,
} from "../schema/agent-tool.ts";
import { callerOf } from "./caller.ts";
import type { HostTool, HostToolContext, HostToolResult } from "./host-api.ts";

/** A person may take ten minutes to answer, and the command then runs for up to an hour. */
const ELEVATION_TIMEOUT_MS = 75 * 60_000;
const SCAN_TIMEOUT_MS = 120_000;
/** Asks OpenClaw's own commands too, each of which takes half a minute on a busy machine. */
const ASSESS_TIMEOUT_MS = 300_000;

interface Answer {
  readonly text: string;
  readonly details: unknown;
}

interface ToolCopy {
  readonly label: string;
  readonly description: string;
  readonly timeoutMs: number;
  readonly run: (engine: GatewayEngine, params: unknown, context: HostToolContext) => Promise<Answer>;
}

const TOOLS: Readonly<Record<AgentToolName, ToolCopy>> = {
  requestElevation: {
    label: "Request elevation",
    description:
      "Ask the person for one exact privileged command, before you need to run it. They see every word. A yes gives a grantId for one run with runPrivileged. Use runPrivileged directly when you want to run it at once.",
    timeoutMs: ELEVATION_TIMEOUT_MS,
    run: async (engine, params, context) => elevationAnswer(await engine.requestElevation(params, callerOf(context))),
  },
  runPrivileged: {
    label: "Run a privileged command",
    description:
      "The only way to run a command as root (or another user): never call sudo, su, doas or pkexec in a shell. Give the absolute command and its arguments as a list, and a reason. The person is asked first, waits included; then it runs once with real sudo. After a denial do not ask again for the same.",
    timeoutMs: ELEVATION_TIMEOUT_MS,
    run: async (engine, params, context) => runAnswer(await engine.runPrivileged(params, callerOf(context))),
  },
  scanPorts: {
    label: "Scan listening ports",
    description:
      "List what listens on this host, with program, user and reach, compared with the approved baseline. Finds unapproved, insecure and publicly reachable services. Reads only.",
    timeoutMs: SCAN_TIMEOUT_MS,
    run: async ({ reports }, params) => {
      const details = await reports.scanPorts(parseScanPortsCall(params));
      return { text: renderPortsForModel(details), details };
    },
  },
  scanEgress: {
    label: "Scan outbound connections",
    description:
      "List what this host talks to, with program and destination, compared with the egress allowlist. Finds unapproved destinations and cloud metadata endpoints. Reads only.",
    timeoutMs: SCAN_TIMEOUT_MS,
    run: async ({ reports }, params) => {
      const details = await reports.scanEgress(parseScanEgressCall(params));
      return { text: renderEgressForModel(details), details };
    },
  },
  assess: {
    label: "Assess this host",
    description:
      "Measure how safe this host and its OpenClaw are: every control with its evidence, gap and mitigation, mapped to ISO/IEC 27001:2022 and NIST CSF 2.0. Writes a dashboard for the person. A fresh result is returned as it is unless refresh is true.",
    timeoutMs: ASSESS_TIMEOUT_MS,
    run: async ({ reports }, params) => {
      const details = await reports.assess(parseAssessCall(params));
      return { text: renderAssessmentForModel(details), details };
    },
  },
};

/** The five tools for one run of an agent. None of them throws. */
export function createTools(engineNow: () => GatewayEngine | null, context: HostToolContext): HostTool[] {
  return AGENT_TOOL_NAMES.map((name) => {
    const { label, description, timeoutMs, run } = TOOLS[name];
    return {
      name,
      label,
      description,
      parameters: agentToolParameters(name),
      getExecutionTimeoutMs: () => timeoutMs,
      execute: async (_callId, params, signal) =>
        await untilAborted(signal, async () => {
          const engine = engineNow();
          if (engine === null) return refusalAnswer(refuse("gate-unavailable", "the security service does not run"));
          return await run(engine, params, context);
        }),
    };
  });
}

/** What goes on after an abort is the engine's to end; the host must not wait for it. */
async function untilAborted(signal: AbortSignal | undefined, work: () => Promise<Answer>): Promise<HostToolResult> {
  const stopped = Promise.withResolvers<Answer>();
  const stop = (): void => stopped.resolve(refusalAnswer(refuse("stopped", "the call was cancelled")));
  signal?.addEventListener("abort", stop, { once: true });
  try {
    if (signal?.aborted === true) stop();
    const answer = await Promise.race([stopped.promise, signal?.aborted === true ? stopped.promise : work()]);
    return asResult(answer);
  } catch (thrown) {
    const { code, message, hint } = asSecurityError(thrown);
    return asResult({
      text: `Failed (${code}): ${message}\n${hint}`,
      details: { status: "error", code, message, hint },
    });
  } finally {
    signal?.removeEventListener("abort", stop);
  }
}

function asResult({ text, details }: Answer): HostToolResult {
  return { content: [{ type: "text", text }], details };
}

function refusalAnswer({ code, message }: Refusal): Answer {
  const mitigation = helpFor(code);
  return {
    text: `Refused (${code}): ${message}\n${mitigation}`,
    details: { status: "refused", digest: null, code, message, mitigation },
  };
}

function elevationAnswer(result: ElevationResult | Refusal): Answer {
  if ("kind" in result) return refusalAnswer(result);
  const { status, code, message, mitigation, grantId, expiresAt } = result;
  const grant = grantId === undefined ? [] : [`grantId: ${grantId} (until ${expiresAt ?? "used"})`];
  const why = code === undefined ? "" : ` (${code})`;
  const help = mitigation === undefined ? [] : [mitigation];
  return { text: [`${capital(status)}${why}: ${message}`, ...grant, ...help].join("\n"), details: result };
}

function runAnswer(result: RunResult | Refusal): Answer {
  if ("kind" in result) return refusalAnswer(result);
  const { status, code, message, mitigation, exitCode, signal, stdout, stderr, truncated } = result;
  const why = code === undefined ? "" : ` (${code})`;
  const end = [
    ...(exitCode === undefined ? [] : [`exit code ${exitCode}`]),
    ...(signal === undefined ? [] : [`ended by ${signal}`]),
    ...(truncated ? ["output cut in the middle"] : []),
  ];
  const lines = [
    `${capital(status)}${why}: ${message}${end.length === 0 ? "" : ` (${end.join(", ")})`}`,
    ...(mitigation === undefined ? [] : [mitigation]),
    ...(stdout === "" ? [] : [`--- standard output\n${stdout}`]),
    ...(stderr === "" ? [] : [`--- standard error\n${stderr}`]),
  ];
  return { text: lines.join("\n"), details: result };
}

function capital(word: string): string {
  return word.slice(0, 1).toUpperCase() + word.slice(1);
}
