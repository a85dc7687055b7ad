import { describe, expect, it } from "vitest";
import { decideToolCall, type ExecGateDeps, type GateEvent } from "../../../src/app/exec-gate.ts";
import { protectedPaths } from "../../../src/app/protected-path.ts";
import { readCommand } from "../../../src/app/read-command.ts";
import type { ToolCall } from "../../../src/app/tool-use.ts";
import { createTypedText } from "../../../src/app/typed-text.ts";
import type { GatewayDecision, GatewayQuestion } from "../../../src/core/gateway-question.ts";
import { refuse } from "../../../src/core/refusal.ts";

const SESSION = { session: "agent:main:main", agent: "main", channel: "gateway" } as const;
const SHIM = { node: "/n/node", path: "/p/shim.cjs", socket: "/s/broker.sock", realSudo: "/usr/bin/sudo" };
const STATE = "/home/u/.openclaw";
const PATHS = protectedPaths({
  stateDir: STATE,
  configPath: `${STATE}/openclaw.json`,
  packageRoot: "/opt/plugin",
  more: ["/srv/keep"],
});
const YES: GatewayDecision = { kind: "allow-once", by: { kind: "device", id: "phone" }, at: 1 };
const NO: GatewayDecision = { kind: "deny", by: { kind: "device", id: "phone" }, at: 1, code: "denied" };

function world(changes: Partial<ExecGateDeps> = {}, decision: GatewayDecision = YES, hasRoute = true) {
  const questions: GatewayQuestion[] = [];
  const events: GateEvent[] = [];
  const deps: ExecGateDeps = {
    own: { pluginId: "cyber-security-engineer", gatewayPort: 18_789 },
    settings: { mode: "enforce", opaque: "ask" },
    paths: PATHS,
    readCommand: (text) =>
      readCommand(text, {
        paths: PATHS.unnamed,
        home: "/home/u",
        gatewayPids: [4711],
        gatewayPorts: [18_789],
        secretVariables: [],
      }),
    resolvePath: async (path) => [path],
    typed: createTypedText(),
    asker: {
      hasRoute: async () => hasRoute,
      ask: async (question) => {
        questions.push(question);
        return decision;
      },
    },
    shim: SHIM,
    startQuestion: () => () => undefined,
    record: async (event) => {
      events.push(event);
    },
    now: () => 1_000,
    ...changes,
  };
  const call = async (tool: string, params: ToolCall["params"], session: typeof SESSION | null = SESSION) =>
    await decideToolCall(deps, { tool, params, toolKind: null, derivedPaths: [] }, session, AbortSignal.timeout(5_000));
  const exec = async (command: string, more = {}) => await call("exec", { command, ...more });
  return { call, exec, questions, events };
}

const refusal = (code: string) => ({ kind: "refuse", refusal: { kind: "refused", code, message: expect.any(String) } });
const OPAQUE = "eval $(cat commands)";

describe("a command of the agent", () => {
  it.each(["ls -la", "grep sudo README.md", "npm test && git status", "apt-cache policy sudo"])(
    "%s passes",
    async (text) => {
      const { exec, events } = world();
      expect(await exec(text)).toEqual({ kind: "pass" });
      expect(events).toEqual([]);
    },
  );

  it.each(["sudo id", "/usr/bin/sudo id", "  sudo  id"])("%s goes through the shim", async (text) => {
    expect(await world().exec(text)).toEqual({
      kind: "replace",
      parameter: "command",
      text: `/usr/bin/env -i OPENCLAW_ELEVATION_TOKEN="$OPENCLAW_ELEVATION_TOKEN" \${OPENCLAW_PRIV_REASON:+"OPENCLAW_PRIV_REASON=$OPENCLAW_PRIV_REASON"} '/n/node' '--no-addons' '/p/shim.cjs' '/s/broker.sock' '/usr/bin/sudo' 'sudo' 'id'`,
    });
  });

  it("keeps every word on the way through the shim", async () => {
    const answer = await world().exec("sudo -n /bin/echo 'a b' \"c\" d'e'");
    expect(answer).toMatchObject({
      kind: "replace",
      text: expect.stringContaining(" 'sudo' '-n' '/bin/echo' 'a b' 'c' 'de'"),
    });
  });

  it.each([
    "bash -c 'sudo id'",
    "sudo id | cat",
    "sudo id; ls",
    "sudo id > /tmp/x",
    "while true; do sudo id; done",
    "echo c3VkbyBpZA== | base64 -d | sh",
    "A=1 sudo id",
    "sudo id &",
    "su -c id",
    "pkexec id",
    "sudo $COMMAND",
  ])("%s is refused, and told to use the tool", async (text) => {
    const { exec, events } = world();
    expect(await exec(text)).toEqual(refusal("use-run-privileged"));
    expect(events).toMatchObject([{ tool: "exec", text, outcome: { code: "use-run-privileged" } }]);
  });

  it("is told the exact call to make instead", async () => {
    const answer = await world().exec("bash -c 'sudo /usr/bin/id -u'");
    expect(answer).toMatchObject({
      refusal: { message: expect.stringContaining('runPrivileged {"argv":["/usr/bin/id","-u"]') },
    });
  });

  it.each([{ host: "node" }, { host: "sandbox" }, { elevated: true }, { env: { A: "b" } }])(
    "does not go through the shim with %j",
    async (more) => {
      expect(await world().exec("sudo id", more)).toEqual(refusal("use-run-privileged"));
    },
  );

  it("does not go through a shim that no broker answers", async () => {
    expect(await world({ shim: null }).exec("sudo id")).toEqual(refusal("use-run-privileged"));
  });

  it("is read together with the variables of the call", async () => {
    expect(await world().exec("$A id", { env: { A: "sudo" } })).toEqual(refusal("use-run-privileged"));
  });

  it.each([
    "cat ~/.openclaw/openclaw.json",
    'cat "$HOME"/.openclaw/openclaw.json',
    `rm -rf ${STATE}/security`,
    "openclaw approvals resolve x allow-once",
    "openclaw config set tools.exec.mode full",
    "pkill -USR1 -f openclaw",
    "cse approvers enroll x",
    "echo '{}' > ~/.openclaw/security/approvers.json",
    "rm -rf /opt/plugin",
    "kill -USR1 4711",
    "ln -s ~/.openclaw/openclaw.json link",
  ])("%s is refused as touching the guards", async (text) => {
    expect(await world().exec(text)).toEqual(refusal("protected-use"));
  });

  it.each([
    "cat ~/.openclaw/security/assessments/x.json",
    "node /opt/plugin/dist/cli.js assess --json",
    "ls ~/.openclaw",
  ])("%s passes", async (text) => {
    expect(await world().exec(text)).toEqual({ kind: "pass" });
  });
});

describe("a command that cannot be read", () => {
  it("is asked about, in full, and passes on a yes", async () => {
    const { exec, questions, events } = world();
    expect(await exec(OPAQUE)).toEqual({ kind: "pass" });
    expect(questions).toMatchObject([{ session: SESSION, description: expect.stringContaining(OPAQUE) }]);
    expect(events).toMatchObject([{ outcome: YES }]);
  });

  it("is refused on a no", async () => {
    expect(await world({}, NO).exec(OPAQUE)).toEqual(refusal("denied"));
  });

  it("is refused where nobody can be asked", async () => {
    expect(await world({}, YES, false).exec(OPAQUE)).toEqual(refusal("no-route"));
    expect(await world({ asker: null }).exec(OPAQUE)).toEqual(refusal("gate-unavailable"));
  });

  it("is refused without a session to ask for", async () => {
    expect(await world().call("exec", { command: OPAQUE }, null)).toEqual(refusal("session-required"));
  });

  it("is refused when it is too long to be shown in full", async () => {
    const { exec, questions } = world();
    expect(await exec(`${OPAQUE} ${"x".repeat(500)}`)).toEqual(refusal("too-long-to-review"));
    expect(questions).toEqual([]);
  });

  it("is refused when people were asked too often", async () => {
    const { exec, questions } = world({ startQuestion: () => refuse("rate-limited", "too many") });
    expect(await exec(OPAQUE)).toEqual(refusal("rate-limited"));
    expect(questions).toEqual([]);
  });

  it("goes the way the owner chose", async () => {
    expect(await world({ settings: { mode: "enforce", opaque: "refuse" } }).exec(OPAQUE)).toEqual(
      refusal("command-opaque"),
    );
    expect(await world({ settings: { mode: "enforce", opaque: "allow" } }).exec(OPAQUE)).toEqual({ kind: "pass" });
    expect(await world({ settings: { mode: "off", opaque: "ask" } }).exec("sudo id")).toEqual({ kind: "pass" });
  });

  it("does not pass when the yes cannot be recorded", async () => {
    const failing = world({ record: async () => await Promise.reject(new Error("disk full")) });
    await expect(failing.exec(OPAQUE)).rejects.toThrow("disk full");
    expect(await failing.exec("bash -c 'sudo id'")).toEqual(refusal("use-run-privileged"));
  });
});

describe("text typed into a program", () => {
  const write = (data: string) => ["process", { action: "write", sessionId: "a", data }] as const;

  it("is refused when it elevates, also in pieces", async () => {
    const { call } = world();
    expect(await call(...write("su"))).toEqual(refusal("use-run-privileged"));
    expect(await call(...write("s"))).toEqual({ kind: "pass" });
    expect(await call(...write("udo id\n"))).toEqual(refusal("use-run-privileged"));
  });

  it("passes when it is clear", async () => {
    const { call } = world();
    expect(await call(...write("ls\n"))).toEqual({ kind: "pass" });
    expect(await call(...write("y\n"))).toEqual({ kind: "pass" });
  });

  it("is asked about when a recalled line is run", async () => {
    const { call, questions } = world();
    await call("process", { action: "send-keys", sessionId: "a", keys: ["Up"] });
    expect(questions).toHaveLength(0);
    expect(await call("process", { action: "send-keys", sessionId: "a", keys: ["Enter"] })).toEqual({ kind: "pass" });
    expect(questions).toHaveLength(1);
  });

  it("is refused into a terminal that the operator shares", async () => {
    const { call } = world();
    expect(await call("terminal", { action: "input", sessionId: "t", data: "sudo id\n" })).toEqual(
      refusal("use-run-privileged"),
    );
  });
});

describe("a file tool", () => {
  it.each([
    ["write", `${STATE}/openclaw.json`],
    ["edit", `${STATE}/security/approvers.json`],
    ["write", "/srv/keep/x"],
    ["read", `${STATE}/openclaw.json`],
    ["grep", STATE],
    ["grep", "/"],
  ])("%s %s is refused", async (tool, path) => {
    expect(await world().call(tool, { path })).toEqual(refusal("protected-use"));
  });

  it.each([
    ["write", "/home/u/notes.md"],
    ["write", "/srv/keepsake"],
    ["read", `${STATE}/security/approvers.json`],
    ["read", `${STATE}/openclaw.json.md`],
    ["grep", "/home/u/project"],
  ])("%s %s passes", async (tool, path) => {
    expect(await world().call(tool, { path })).toEqual({ kind: "pass" });
  });

  it("is refused when any reading of the path is a protected place", async () => {
    const { call } = world({ resolvePath: async (path) => [path, "/home/u/x", `${STATE}/openclaw.json`] });
    expect(await call("write", { path: "link" })).toEqual(refusal("protected-use"));
  });
});
