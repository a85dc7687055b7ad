import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { GatewayEngine } from "../../../src/deps/gateway.ts";
import type { HostApi, HostBeforeToolCall, HostHookContext, HostTool } from "../../../src/plugin/host-api.ts";
import entry from "../../../src/plugin/plugin.ts";
import { shareEngine, sharedEngine, unshareEngine } from "../../../src/plugin/registry.ts";
import { AGENT_TOOL_NAMES } from "../../../src/schema/agent-tool.ts";

type Handler = (event: unknown, context: unknown) => unknown;

/** What `register` told the host. */
function register(pluginConfig: Record<string, unknown> = {}) {
  const seen = { calls: [] as string[], hooks: new Map<string, { handler: Handler; options: unknown }>() };
  let createTools: (context: { sessionKey?: string }) => HostTool[] = () => [];
  const note = (name: string) => (): void => {
    seen.calls.push(name);
  };
  const api = {
    rootDir: "/opt/plugin",
    registrationMode: "full",
    config: {},
    pluginConfig,
    logger: { info: note("info"), warn: note("warn"), error: note("error") },
    session: { controls: { registerControlUiDescriptor: note("tab") } },
    registerTool: (create: typeof createTools) => {
      createTools = create;
      seen.calls.push("tool");
    },
    registerService: note("service"),
    registerHttpRoute: note("route"),
    registerCommand: note("command"),
    registerCli: note("cli"),
    registerSecurityAuditCollector: note("audit"),
    on: (name: string, handler: Handler, options: unknown) => seen.hooks.set(name, { handler, options }),
  } as unknown as HostApi;
  entry.register(api);
  const tools = createTools({ sessionKey: "agent:main:main" });
  const before = async (event: HostBeforeToolCall, context: HostHookContext = { sessionKey: "agent:main:main" }) =>
    await seen.hooks.get("before_tool_call")?.handler(event, context);
  const call = async (name: string, params: unknown, signal?: AbortSignal) =>
    await tools.find((tool) => tool.name === name)?.execute("1", params, signal);
  return { ...seen, tools, before, call };
}

const REPORT = { status: "ok", listening_services: [], findings: [], approved_file: null, approved_rules: 0 };

function engine(changes: Partial<GatewayEngine> = {}): GatewayEngine & { readonly closed: () => number } {
  let closes = 0;
  return {
    reports: {
      scanPorts: async () => REPORT,
      scanEgress: async () => await Promise.reject(new Error("no such file")),
      assess: async () => await new Promise<never>(() => undefined),
      last: async () => null,
      file: async () => null,
    } as unknown as GatewayEngine["reports"],
    requestElevation: async () => ({
      status: "granted",
      grantId: "g",
      digest: "d",
      expiresAt: "later",
      message: "Approved.",
    }),
    runPrivileged: async (_raw, caller) => ({ kind: "refused", code: "denied", message: caller.sessionKey ?? "none" }),
    decide: async () => ({ kind: "pass" }),
    mintToken: ({ sessionKey }) => (sessionKey === null ? null : `token of ${sessionKey}`),
    noteToolResult: () => undefined,
    endSession: () => undefined,
    status: async () => ({
      config: "valid",
      problems: [],
      elevation: { approver: "gateway", grants: [] },
      pending: [],
    }),
    close: async () => {
      closes += 1;
    },
    closed: () => closes,
    ...changes,
  };
}

let shared: GatewayEngine | null = null;
async function share(made: GatewayEngine): Promise<void> {
  shared = await shareEngine(async () => made);
}
beforeEach(() => {
  if (sharedEngine() !== null) throw new Error("an earlier test left its engine behind");
});
afterEach(() => {
  if (shared !== null) unshareEngine(shared);
  shared = null;
});

const text = (result: unknown): string => (result as { content: { text: string }[] }).content[0]?.text ?? "";

describe("registering", () => {
  it("starts and reads nothing, and registers everything once", () => {
    const { calls, hooks, tools } = register();
    expect(calls.toSorted()).toEqual(["audit", "cli", "command", "route", "service", "tab", "tool"]);
    expect([...hooks.keys()].toSorted()).toEqual([
      "after_tool_call",
      "before_reset",
      "before_tool_call",
      "resolve_exec_env",
      "session_end",
      "subagent_ended",
    ]);
    expect(tools.map(({ name }) => name)).toEqual([...AGENT_TOOL_NAMES]);
  });

  it("names no file among the parameters of a tool", () => {
    for (const { parameters } of register().tools) {
      expect(Object.keys(Object(parameters)["properties"])).not.toEqual(
        expect.arrayContaining([expect.stringMatching(/baseline|allowlist|outDir|path/i)]),
      );
    }
  });

  it("lets its gate be the last, with time for a person to answer", () => {
    expect(register().hooks.get("before_tool_call")?.options).toEqual({ priority: -1_000_000, timeoutMs: 600_000 });
  });
});

describe("without a service", () => {
  it.each([...AGENT_TOOL_NAMES])("%s is refused with a code", async (name) => {
    const result = await register().call(name, {});
    expect(result).toMatchObject({ details: { status: "refused", code: "gate-unavailable" } });
    expect(text(result)).toContain("gate-unavailable");
  });

  it("the gate still refuses what elevates or cannot be read, and lets clear commands pass", async () => {
    const { before } = register();
    const exec = async (command: string) => await before({ toolName: "exec", params: { command } });
    expect(await exec("ls -la")).toBeUndefined();
    expect(await exec("sudo id")).toEqual({ block: true, blockReason: expect.stringContaining("use-run-privileged") });
    expect(await exec("eval $(cat x)")).toEqual({
      block: true,
      blockReason: expect.stringContaining("gate-unavailable"),
    });
  });

  it("the gate stands at its default when the config is broken", async () => {
    const { before } = register({ execGate: { mode: "offf" } });
    expect(await before({ toolName: "exec", params: { command: "sudo id" } })).toMatchObject({ block: true });
  });

  it("no token is given to commands", () => {
    expect(register().hooks.get("resolve_exec_env")?.handler({ host: "gateway" }, { sessionKey: "a" })).toBeUndefined();
  });
});

describe("with a service", () => {
  it("the tools give words first and the typed result as details", async () => {
    await share(engine());
    const { call } = register();
    expect(await call("scanPorts", {})).toEqual({
      content: [{ type: "text", text: expect.stringMatching(/^0 listening sockets/) }],
      details: REPORT,
    });
    expect(text(await call("requestElevation", {}))).toBe("Granted: Approved.\ngrantId: g (until later)");
    // The session is the host's word, whatever the call says.
    expect(text(await call("runPrivileged", { sessionKey: "other" }))).toContain("agent:main:main");
  });

  it("the tools do not throw", async () => {
    await share(engine());
    const { call } = register();
    expect(await call("scanEgress", {})).toMatchObject({ details: { status: "error", code: "internal" } });
    expect(await call("scanPorts", { baseline: "/x" })).toMatchObject({
      details: { status: "error", code: "invalid-input" },
    });
    expect(await call("scanPorts", "nonsense")).toMatchObject({ details: { code: "invalid-input" } });
  });

  it("a cancelled call ends at once", async () => {
    await share(engine());
    const { call } = register();
    const stop = new AbortController();
    const result = call("assess", {}, stop.signal);
    stop.abort();
    expect(await result).toMatchObject({ details: { code: "stopped" } });
    expect(await call("scanPorts", {}, AbortSignal.abort())).toMatchObject({ details: { code: "stopped" } });
  });

  it("the gate refuses when deciding fails", async () => {
    await share(engine({ decide: async () => await Promise.reject(new Error("boom")) }));
    expect(await register().before({ toolName: "exec", params: { command: "ls" } })).toEqual({
      block: true,
      blockReason: expect.stringContaining("internal-error"),
    });
  });

  it("the gate changes the one parameter and keeps the others", async () => {
    await share(engine({ decide: async () => ({ kind: "replace", parameter: "command", text: "shim" }) }));
    expect(await register().before({ toolName: "exec", params: { command: "sudo id", workdir: "/x" } })).toEqual({
      params: { command: "shim", workdir: "/x" },
    });
  });

  it("commands get a token here, and none elsewhere or without a session", async () => {
    await share(engine());
    const env = register().hooks.get("resolve_exec_env")?.handler;
    expect(env?.({ host: "gateway" }, { sessionKey: "a" })).toEqual({ OPENCLAW_ELEVATION_TOKEN: "token of a" });
    expect(env?.({ host: "node" }, { sessionKey: "a" })).toBeUndefined();
    expect(env?.({ host: "gateway" }, {})).toBeUndefined();
  });

  it("every way a session ends is told", async () => {
    const ended: string[] = [];
    await share(engine({ endSession: (key) => ended.push(key) }));
    const { hooks } = register();
    hooks.get("session_end")?.handler({}, { sessionKey: "a" });
    hooks.get("before_reset")?.handler({}, { sessionKey: "b" });
    hooks.get("subagent_ended")?.handler({ targetSessionKey: "c" }, {});
    expect(ended).toEqual(["a", "b", "c"]);
  });

  it("there are never two: the one before is closed first", async () => {
    const first = engine();
    await share(first);
    const second = engine();
    await shareEngine(async () => {
      expect([first.closed(), sharedEngine()]).toEqual([1, null]);
      return second;
    });
    expect(sharedEngine()).toBe(second);
    unshareEngine(first);
    expect(sharedEngine()).toBe(second);
    shared = second;
  });
});
