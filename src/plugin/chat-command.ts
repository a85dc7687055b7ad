import { asSecurityError } from "../core/error.ts";
import { clip, plural } from "../core/text.ts";
import type { GatewayEngine } from "../deps/gateway.ts";
import type { HostChatCommand } from "./host-api.ts";

const MAX_FINDINGS = 5;
const MAX_LINE = 160;

/** `/security`: how things stand, without a model in between. Measures nothing. */
export function securityCommand(engineNow: () => GatewayEngine | null): HostChatCommand {
  return {
    name: "security",
    description: "Show what is elevated, what waits for approval, and the last findings.",
    acceptsArgs: false,
    requireAuth: true,
    handler: async () => {
      try {
        const engine = engineNow();
        const lines =
          engine === null ? ["The security service does not run; see `openclaw health`."] : await describe(engine);
        return { text: lines.map((line) => clip(line, MAX_LINE)).join("\n") };
      } catch (thrown) {
        const { code, message } = asSecurityError(thrown);
        return { text: clip(`Failed (${code}): ${message}`, MAX_LINE) };
      }
    },
  };
}

async function describe(engine: GatewayEngine): Promise<readonly string[]> {
  const [status, summary] = await Promise.all([engine.status(), engine.reports.last()]);
  const { elevation, pending, problems } = status;
  return [
    problems.length === 0 ? "Service: works" : `Service: ${problems.join("; ")}`,
    elevation.grants.length === 0 ? "Elevated: nothing" : `Elevated: ${plural(elevation.grants.length, "grant")}`,
    ...elevation.grants.map(({ session, isKept }) => `- ${session}${isKept ? " (kept)" : ""}`),
    pending.length === 0 ? "Waiting for approval: nothing" : `Waiting for approval: ${pending.length}`,
    ...pending.slice(0, MAX_FINDINGS).map((line) => `- ${line}`),
    ...(summary === null
      ? ["Not assessed yet: ask for an assessment, or run `cse assess`."]
      : [
          `Assessed ${summary.assessed_at}: ${plural(summary.findings.length, "open gap")}`,
          ...summary.findings.slice(0, MAX_FINDINGS).map(({ risk, title }) => `- ${risk}: ${title}`),
        ]),
  ];
}
