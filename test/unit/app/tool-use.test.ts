import { describe, expect, it } from "vitest";
import { GATED_TOOLS, readToolUse, type ToolUse } from "../../../src/app/tool-use.ts";

const OWN = { pluginId: "cyber-security-engineer", gatewayPort: 18_789 };

function use(tool: string, params: Readonly<Record<string, unknown>>, toolKind: string | null = null): ToolUse {
  return readToolUse({ tool, params, toolKind, derivedPaths: [] }, OWN);
}

const command = (text: string, parameter: "command" | null = "command", env = {}) => ({
  kind: "command",
  text,
  env,
  parameter,
});
const typed = (session: string, text: string) => ({ kind: "typed", session, text });
const writes = (...paths: string[]) => ({ kind: "files", reads: [], writes: paths });
const reads = (...paths: string[]) => ({ kind: "files", reads: paths, writes: [] });

describe("a tool that runs a command", () => {
  it.each([
    ["exec", { command: "ls" }, command("ls")],
    ["EXEC", { command: "ls", host: "gateway" }, command("ls")],
    ["bash", { command: "ls", env: { A: "b" } }, command("ls", "command", { A: "b" })],
    ["exec", { command: "ls", host: "node" }, command("ls", null)],
    ["exec", { command: "ls", elevated: true }, command("ls", null)],
    ["shell", { command: ["a", "b c'd"] }, command("'a' 'b c'\\''d'", null)],
    ["exec_command", { cmd: "ls" }, command("ls", null)],
    ["exec", { command: "ls", cmd: "sudo id" }, command("ls\nsudo id", null)],
    ["cron", { action: "add", job: { schedule: { command: ["sudo", "id"] } } }, command("'sudo' 'id'", null)],
    ["automations", { job: { payload: { argv: ["a"] } } }, command("'a'", null)],
    [
      "nodes",
      { action: "invoke", invokeCommand: "system.run", invokeParamsJson: '{"command":["sudo","id"]}' },
      command("'sudo' 'id'", null),
    ],
  ])("%s %j is read as its text", (tool, params, expected) => {
    expect(use(tool, params)).toEqual(expected);
  });

  it.each([
    ["exec", {}],
    ["exec", { command: 7 }],
    ["exec", { command: ["a", 7] }],
    ["exec", { command: "ls", env: { "A=b; sudo id #": "" } }],
    ["exec", { command: "ls", env: ["x"] }],
    ["process", { action: "write", data: 7 }],
    ["terminal", { action: "input" }],
    ["write", {}],
    ["apply_patch", { input: null }],
    ["nodes", { action: "invoke", invokeCommand: "system.run", invokeParamsJson: "{" }],
  ])("%s %j is unreadable", (tool, params) => {
    expect(use(tool, params)).toEqual({ kind: "unreadable", why: expect.any(String) });
  });

  it("leaves a script whose own calls come by one by one", () => {
    expect(use("exec", { command: "await exec('sudo id')" }, "code_mode_exec")).toEqual({ kind: "harmless" });
  });
});

describe("a tool that types", () => {
  it.each([
    ["process", { action: "write", sessionId: "a", data: "sudo id\n" }, typed("process a", "sudo id\n")],
    ["process", { action: "submit", sessionId: "a", data: "sudo id" }, typed("process a", "sudo id\r")],
    ["process", { action: "paste", sessionId: "a", text: "x" }, typed("process a", "x")],
    ["process", { action: "send-keys", sessionId: "a", literal: "id", keys: ["Enter"] }, typed("process a", "id\r")],
    ["process", { action: "send-keys", sessionId: "a", keys: ["s", "u", "Space"] }, typed("process a", "su ")],
    ["process", { action: "send-keys", sessionId: "a", keys: ["Up"] }, typed("process a", "\x1b")],
    ["process", { action: "send-keys", sessionId: "a", keys: ["M-x"] }, typed("process a", "\x0f")],
    ["process", { action: "send-keys", sessionId: "a", keys: "Enter" }, typed("process a", "\x0f")],
    ["process", { action: "send-keys", sessionId: "a", hex: ["73", "0x75", "0d"] }, typed("process a", "su\r")],
    ["process", { action: "send-keys", sessionId: "a", hex: ["ff"] }, typed("process a", "\x0f")],
    ["terminal", { action: "input", sessionId: "t", data: "ls" }, typed("terminal t", "ls")],
    ["write_stdin", { session_id: "s", chars: "ls" }, typed("stdin s", "ls")],
    ["process", { action: "poll", sessionId: "a" }, { kind: "harmless" }],
    ["process", { action: "kill", sessionId: "a" }, { kind: "harmless" }],
  ])("%s %j", (tool, params, expected) => {
    expect(use(tool, params)).toEqual(expected);
  });
});

describe("a tool for files", () => {
  it.each([
    ["write", { path: "a", content: "" }, writes("a")],
    ["edit", { file_path: "b" }, writes("b")],
    ["write", { path: "a", file_path: "b" }, writes("a", "b")],
    ["file_write", { node: "n", path: "/c" }, writes("/c")],
    ["read", { path: "d" }, reads("d")],
    ["grep", { pattern: "token" }, reads(".")],
    [
      "apply_patch",
      { input: "*** Begin Patch\n*** Update File: a\n*** Move to: b\n*** Delete File: c\n*** End Patch" },
      writes("a", "b", "c"),
    ],
  ])("%s %j", (tool, params, expected) => {
    expect(use(tool, params)).toEqual(expected);
  });
});

describe("a tool that could switch the guards off", () => {
  it.each([
    ["openclaw", { action: "config_set", path: "plugins.entries.x.enabled", value: "false" }],
    ["openclaw", { action: "config_set", path: "gateway.auth.token", value: "x" }],
    ["openclaw", { action: "config_set", path: "tools.exec.pathPrepend", value: "[]" }],
    ["openclaw", { action: "config_set", value: "{}" }],
    ["openclaw", { action: "plugin_uninstall", pluginId: "cyber-security-engineer" }],
    ["openclaw", { action: "plugin_activate_artifact", path: "/tmp/x.tgz" }],
    ["plugins", { action: "disable", pluginId: "cyber-security-engineer" }],
    ["nodes", { action: "approve", requestId: "x" }],
    ["nodes", { action: "invoke", invokeCommand: "system.execApprovals.set" }],
    ["sessions_send", { message: " /approve abc allow-once" }],
    ["message", { text: "/APPROVE abc" }],
    ["browser", { action: "open", url: "http://127.0.0.1:18789/#token=x" }],
    ["browser", { action: "navigate", targetUrl: "http://localhost:18789/approve/x" }],
  ])("%s %j is protected", (tool, params) => {
    expect(use(tool, params)).toEqual({ kind: "protected", why: expect.any(String) });
  });

  it.each([
    ["openclaw", { action: "config_get", path: "gateway" }],
    ["openclaw", { action: "config_set", path: "agents.defaults.model.primary", value: "x" }],
    ["plugins", { action: "list" }],
    ["plugins", { action: "enable", pluginId: "weather" }],
    ["browser", { action: "open", url: "https://example.org/" }],
    ["message", { text: "shall I approve?" }],
    ["sessions_spawn", { task: "look around" }],
    ["cron", { action: "add", job: { schedule: { kind: "every", everyMs: 1 }, payload: { message: "hi" } } }],
    ["scanports", {}],
  ])("%s %j is harmless", (tool, params) => {
    expect(use(tool, params)).toEqual({ kind: "harmless" });
  });

  it("does not see what an agent of another kind runs", () => {
    expect(use("sessions_spawn", { runtime: "acp", task: "x" })).toEqual({ kind: "opaque", why: expect.any(String) });
  });
});

it("has an answer to odd parameters of every tool", () => {
  const odd = [{}, { action: null }, { action: "write", keys: {} }, { job: [] }, { path: {} }, { command: {} }];
  for (const tool of GATED_TOOLS) for (const params of odd) expect(use(tool, params).kind).toEqual(expect.any(String));
});
