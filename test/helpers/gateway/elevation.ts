import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { ElevationResult, RunResult } from "../../../src/app/elevation-result.ts";
import type { Gateway } from "./gateway.ts";

/** Calls of the plugin's own tools, and what they left behind. */
export interface Elevations {
  /** A file that nothing made yet, and the command that makes it. */
  newMark(): { readonly path: string; readonly argv: readonly string[] };
  run(args: object, sessionKey?: string): Promise<RunResult>;
  request(args: object, sessionKey?: string): Promise<ElevationResult>;
  /** The audit log, entry by entry. */
  log(): Promise<readonly Entry[]>;
  /** How often this command was begun, by the log. */
  intentsOf(argv: readonly string[]): Promise<number>;
}

export type Entry = Readonly<Record<string, unknown>> & { readonly event: string };

export function elevationsOf(gateway: Gateway): Elevations {
  let count = 0;
  const call = async (tool: string, args: object, sessionKey?: string): Promise<unknown> => {
    const result = await gateway.invokeTool(tool, { reason: "a test", ...args }, sessionKey);
    return (result as { details: unknown }).details;
  };
  const log = async (): Promise<readonly Entry[]> => {
    const text = await readFile(join(gateway.stateDir, "security/privileged-audit.jsonl"), "utf8");
    return text
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Entry);
  };
  return {
    newMark: () => {
      count += 1;
      const path = join(gateway.home, `ran-${process.pid}-${count}`);
      return { path, argv: ["/usr/bin/touch", path] };
    },
    run: async (args, sessionKey) => (await call("runPrivileged", args, sessionKey)) as RunResult,
    request: async (args, sessionKey) => (await call("requestElevation", args, sessionKey)) as ElevationResult,
    log,
    intentsOf: async (argv) =>
      (await log()).filter(
        (entry) => entry.event === "exec-intent" && JSON.stringify(entry["argv"]) === JSON.stringify(argv),
      ).length,
  };
}

/** Makes these devices the ones whose yes counts. */
export async function enroll(gateway: Gateway, ...ids: readonly string[]): Promise<void> {
  const approvers = ids.map((id) => ({
    kind: "device",
    id,
    name: "test",
    enrolled_at: "2026-11-28T12:00:00Z",
    proof: "none",
  }));
  const text = JSON.stringify({ schemaVersion: 1, approvers });
  await gateway.write(join(gateway.stateDir, "security/approvers.json"), text);
}

/** Waits until the plugin's own client was let in, which is soon after the gateway is ready. */
export async function untilAskable(gateway: Gateway): Promise<void> {
  const until = Date.now() + 60_000;
  while (!(await gateway.log()).includes("approvals: people can be asked")) {
    if (Date.now() > until) throw new Error("nobody can be asked a minute after the gateway was ready");
    await sleep(100);
  }
}
