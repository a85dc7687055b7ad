import { createHmac } from "node:crypto";
import { chmod, copyFile, link, mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { wire } from "../../src/deps/wire.ts";
import { checkNotifier, runNotifier } from "../../src/exec/notify-command.ts";
import { postWebhook } from "../../src/notify/webhook.ts";
import { type AssessmentRun, formatAssessmentRun, type RunCheck } from "../../src/schema/assessment-history.ts";
import type { NotifyMessage } from "../../src/schema/notify-state.ts";

const MINUTE = 60_000;
const SECRET = "0123456789abcdef";
const TEE = "/usr/bin/tee";
const START = Date.UTC(2026, 10, 23, 8);

let folder: string;
let security: string;
let now: number;

const fine: RunCheck = { check_id: "backup_configured", status: "compliant", risk: "low", first_seen: null };
const gap: RunCheck = {
  ...fine,
  status: "violation",
  risk: "high",
  first_seen: "2026-11-23T08:00:00Z",
  due_date: "2026-11-30",
};

async function putRuns(...runs: readonly (readonly [id: string, check: RunCheck])[]): Promise<void> {
  const lines = runs.map(([run_id, check]): AssessmentRun => ({
    schemaVersion: 1,
    run_id,
    at: "2026-11-23T08:00:00Z",
    checks: [check],
  }));
  await writeFile(
    join(security, "assessment-history.jsonl"),
    lines.map((line) => `${formatAssessmentRun(line)}\n`).join(""),
    {
      mode: 0o600,
    },
  );
}

async function tell(env: Readonly<Record<string, string>> = {}, options: { retry?: boolean } = {}) {
  const engine = wire({ stateDir: join(folder, "state"), env: { HOME: folder, ...env }, now: () => now });
  return await engine.notify(options);
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "cse-notify-"));
  onTestFinished(async () => await rm(folder, { recursive: true, force: true }));
  security = join(folder, "state/security");
  await mkdir(security, { recursive: true, mode: 0o700 });
  now = START;
});

interface Received {
  readonly body: string;
  readonly headers: IncomingHttpHeaders;
}

/** A server that gives these answers one after the other, the last one for ever. */
async function listen(
  ...answers: readonly (number | string)[]
): Promise<{ url: string; got: Received[]; server: Server }> {
  const got: Received[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk) => (body += String(chunk)));
    request.on("end", () => {
      const answer = answers[Math.min(got.length, answers.length - 1)] ?? 200;
      got.push({ body, headers: request.headers });
      if (answer === "hang") return;
      if (typeof answer === "string") response.writeHead(302, { location: answer });
      else response.writeHead(answer);
      response.end("x".repeat(100_000));
    });
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`, got, server };
}

describe("a planted change", () => {
  it("is one notification, though the program fails twice", async () => {
    const file = join(folder, "inbox/messages");
    const env = {
      OPENCLAW_VIOLATION_NOTIFY_CMD: `${TEE} -a ${file}`,
      OPENCLAW_VIOLATION_NOTIFY_ALLOWLIST: JSON.stringify([[TEE, "-a", file]]),
    };
    await mkdir(dirname(file));
    await putRuns(["r1", fine]);
    expect(await tell(env)).toMatchObject({ status: "ok", delivered: 1 });
    await rm(dirname(file), { recursive: true });

    await putRuns(["r1", fine], ["r2", gap]);
    expect(await tell(env)).toMatchObject({ status: "incomplete", delivered: 0, waiting: 1 });
    // Too early: not even tried.
    expect(await tell(env)).toMatchObject({ waiting: 1, problems: [] });
    now += MINUTE;
    expect(await tell(env)).toMatchObject({ waiting: 1, problems: [{ code: "notify-failed" }] });
    await mkdir(dirname(file));
    now += 5 * MINUTE;
    expect(await tell(env)).toMatchObject({ status: "ok", delivered: 1, waiting: 0 });
    now += 60 * MINUTE;
    await putRuns(["r1", fine], ["r2", gap], ["r3", gap]);
    expect(await tell(env)).toMatchObject({ status: "ok", delivered: 0 });

    const messages = (await readFile(file, "utf8"))
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as NotifyMessage);
    expect(messages.map(({ kind, items }) => [kind, items.map((item) => `${item.kind} ${item.check_id}`)])).toEqual([
      ["alert", ["new backup_configured"]],
    ]);
    expect((await stat(join(security, "violation-notify-state.json"))).mode & 0o777).toBe(0o600);
  });

  it("is one notification, though the server fails twice; it is signed", async () => {
    const { url, got } = await listen(200, 500, 503, 200);
    await writeFile(
      join(security, "notify.json"),
      JSON.stringify({ schemaVersion: 1, webhook: { url, secret: SECRET } }),
      { mode: 0o600 },
    );
    await putRuns(["r1", fine]);
    await tell();
    await putRuns(["r1", fine], ["r2", gap]);
    const seen = [
      await tell(),
      ((now += MINUTE), await tell()),
      ((now += 5 * MINUTE), await tell()),
      ((now += 99 * MINUTE), await tell()),
    ];
    expect(seen.map(({ delivered, waiting }) => [delivered, waiting])).toEqual([
      [0, 1],
      [0, 1],
      [1, 0],
      [0, 0],
    ]);
    expect(got).toHaveLength(4);
    const ids = got.map(({ body }) => (JSON.parse(body) as NotifyMessage).id);
    expect([new Set(ids.slice(1)).size, new Set(ids).size]).toEqual([1, 2]);
    for (const { body, headers } of got) {
      const [, seconds, mac] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(headers["x-cse-signature"])) ?? [];
      expect(mac).toBe(createHmac("sha256", SECRET).update(`${seconds}.${body}`).digest("hex"));
    }
  });

  it("becomes a dead letter after the fourth failure, which can be tried again", async () => {
    const { url, got } = await listen(500, 500, 500, 500, 200);
    await writeFile(
      join(security, "notify.json"),
      JSON.stringify({ schemaVersion: 1, webhook: { url, secret: SECRET } }),
      { mode: 0o600 },
    );
    await putRuns(["r1", gap]);
    for (const minutes of [0, 1, 5, 30]) {
      now += minutes * MINUTE;
      await tell();
    }
    expect(await tell()).toMatchObject({ status: "incomplete", waiting: 0, given_up: 1 });
    expect(await tell({}, { retry: true })).toMatchObject({ status: "ok", delivered: 1, given_up: 0 });
    expect(got).toHaveLength(5);
  });

  it("is told once by two that run at the same time", async () => {
    const { url, got } = await listen(200);
    await writeFile(
      join(security, "notify.json"),
      JSON.stringify({ schemaVersion: 1, webhook: { url, secret: SECRET } }),
      { mode: 0o600 },
    );
    await putRuns(["r1", gap]);
    const statuses = (await Promise.all([tell(), tell(), tell()])).map(({ status }) => status);
    expect(got).toHaveLength(1);
    expect(statuses.filter((status) => status === "ok").length).toBeGreaterThan(0);
  });

  it("waits for a sink, and a state that cannot be read is never taken for an empty one", async () => {
    await putRuns(["r1", gap]);
    expect(await tell()).toMatchObject({ status: "no-sink" });
    await writeFile(join(security, "violation-notify-state.json"), "{}", { mode: 0o600 });
    await expect(tell({ OPENCLAW_VIOLATION_NOTIFY_CMD: TEE })).rejects.toMatchObject({ code: "notify-state-invalid" });
    await expect(
      tell({ OPENCLAW_VIOLATION_NOTIFY_CMD: TEE, OPENCLAW_VIOLATION_NOTIFY_STATE: "here" }),
    ).rejects.toMatchObject({
      code: "notify-config-invalid",
    });
    const elsewhere = join(folder, "elsewhere.json");
    const env = {
      OPENCLAW_VIOLATION_NOTIFY_CMD: TEE,
      OPENCLAW_VIOLATION_NOTIFY_ALLOWLIST: TEE,
      OPENCLAW_VIOLATION_NOTIFY_STATE: elsewhere,
    };
    await chmod(folder, 0o700);
    expect(await tell(env)).toMatchObject({ status: "ok", delivered: 1 });
    expect((await stat(elsewhere)).mode & 0o777).toBe(0o600);
  });
});

describe("the webhook", () => {
  const message: NotifyMessage = {
    schemaVersion: 1,
    id: "m",
    kind: "alert",
    at: "",
    host: "h",
    run_id: "r",
    text: "t",
    items: [],
  };

  it.each([
    "http://example.net/hook",
    "http://localhost/hook",
    "http://127.0.0.1.example.net/",
    "http://10.0.0.1/",
    "ftp://127.0.0.1/",
    "https://name:word@example.net/",
    "file:///etc/passwd",
    "nonsense",
  ])("refuses %s", async (url) => {
    await expect(postWebhook({ url, secret: SECRET }, message, START)).rejects.toMatchObject({
      code: "notify-config-invalid",
    });
  });

  it("does not follow a redirect, not even to this host", async () => {
    const target = await listen(200);
    const { url, got } = await listen(target.url);
    await expect(postWebhook({ url, secret: SECRET }, message, START)).rejects.toMatchObject({ code: "notify-failed" });
    expect([got.length, target.got.length]).toEqual([1, 0]);
  });

  it("fails by name when nobody listens", async () => {
    const { url, server } = await listen(200);
    await new Promise((done) => server.close(done));
    await expect(postWebhook({ url, secret: SECRET }, message, START)).rejects.toMatchObject({ code: "notify-failed" });
  });

  it("gives up on a server that does not answer", async () => {
    const { url } = await listen("hang");
    const started = performance.now();
    await expect(postWebhook({ url, secret: SECRET }, message, START)).rejects.toMatchObject({ code: "notify-failed" });
    expect(performance.now() - started).toBeLessThan(15_000);
  });
});

describe("the check of a notifier", () => {
  const program = (path: string) => [{ kind: "program" as const, path }];

  async function codeOf(argv: readonly string[], rules = program(argv[0] ?? "")): Promise<string> {
    return await checkNotifier(argv, rules).then(
      () => "accepted",
      (error: { code?: string }) => error.code ?? "crashed",
    );
  }

  it("accepts a listed program, and a listed command line only as it is", async () => {
    expect(await codeOf([TEE, "x"])).toBe("accepted");
    const rules = [{ kind: "argv" as const, argv: [TEE, "-a", "/x"] }];
    const check = async (...argv: readonly string[]): Promise<boolean> =>
      await checkNotifier(argv, rules).then(
        () => true,
        () => false,
      );
    expect([
      await check(TEE, "-a", "/x"),
      await check(TEE, "-a"),
      await check(TEE, "-a", "/x", "/y"),
      await check(TEE, "-a", "/y"),
    ]).toEqual([true, false, false, false]);
    await expect(checkNotifier([TEE], [])).rejects.toMatchObject({ code: "notify-config-invalid" });
  });

  it.each([
    "/usr/bin/bash",
    "/usr/bin/dash",
    "/usr/bin/env",
    "/usr/bin/xargs",
    "/usr/bin/find",
    "/usr/bin/python3.11",
    "/usr/bin/perl",
  ])("refuses the interpreter %s though it is listed", async (path) => {
    expect(["notify-config-invalid", "state-file-symlink", "file-missing"]).toContain(await codeOf([path, "-c", "id"]));
  });

  it("refuses a link to a shell, a script, a second name, a program that others may change, and a relative path", async () => {
    const copy = async (name: string): Promise<string> => {
      const path = join(folder, name);
      await copyFile(TEE, path);
      await chmod(path, 0o755);
      return path;
    };
    const good = await copy("tell");
    expect(await codeOf([good])).toBe("accepted");
    await symlink("/usr/bin/bash", join(folder, "linked"));
    expect(await codeOf([join(folder, "linked"), "-c", "id"])).toBe("state-file-symlink");
    await writeFile(join(folder, "script"), "#!/bin/sh\nid\n", { mode: 0o755 });
    expect(await codeOf([join(folder, "script")])).toBe("notify-config-invalid");
    await writeFile(join(folder, "words"), "no program", { mode: 0o755 });
    expect(await codeOf([join(folder, "words")])).toBe("notify-config-invalid");
    await link(await copy("one"), join(folder, "two"));
    expect(await codeOf([join(folder, "two")])).toBe("notify-config-invalid");
    const open = await copy("open");
    await chmod(open, 0o777);
    expect(await codeOf([open])).toBe("state-file-insecure-mode");
    const setuid = await copy("setuid");
    await chmod(setuid, 0o4755);
    expect(await codeOf([setuid])).toBe("notify-config-invalid");
    await mkdir(join(folder, "shared"));
    await chmod(join(folder, "shared"), 0o777);
    expect(await codeOf([await copy("shared/tell")])).toBe("state-file-insecure-mode");
    expect(await codeOf(["tell"])).toBe("notify-config-invalid");
    expect(await codeOf([`${folder}/../${folder.split("/").at(-1) ?? ""}/tell`])).toBe("notify-config-invalid");
    expect(await codeOf([join(folder, "none")])).toBe("file-missing");
  });
});

describe("a run of a notifier", () => {
  const node = (script: string): readonly string[] => [process.execPath, "-e", script];

  it("has an empty environment, / as its folder and the text on its input", async () => {
    const out = join(folder, "seen");
    const script = `let t=""; process.stdin.on("data", (c) => (t += c)).on("end", () => require("fs").writeFileSync(${JSON.stringify(out)}, JSON.stringify([Object.keys(process.env), process.cwd(), t])))`;
    await runNotifier(node(script), "hello\n", 10_000);
    expect(JSON.parse(await readFile(out, "utf8"))).toEqual([[], "/", "hello\n"]);
  });

  it("fails with its first words, and is not hurt by endless ones", async () => {
    await expect(
      runNotifier(node('console.error("no \\u001b[2J route"); process.exit(3)'), "", 10_000),
    ).rejects.toMatchObject({
      code: "notify-failed",
      message: expect.stringMatching(/ended with 3: no \\u\{1b\}\[2J route/),
    });
    await runNotifier(node('process.stdout.write("x".repeat(5e6))'), "y".repeat(1e6), 10_000);
  });

  it("ends with what it started, in time", async () => {
    const pidFile = join(folder, "pid");
    const script = `process.on("SIGTERM", () => {}); const c = require("child_process").spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"]); require("fs").writeFileSync(${JSON.stringify(pidFile)}, String(c.pid)); setInterval(() => {}, 1000)`;
    const started = performance.now();
    await expect(runNotifier(node(script), "", 1_500)).rejects.toMatchObject({ code: "notify-failed" });
    expect(performance.now() - started).toBeLessThan(6_000);
    const pid = Number(await readFile(pidFile, "utf8"));
    await expect
      .poll(
        async () =>
          await readFile(`/proc/${pid}/stat`, "utf8").then(
            (text) => /\) [ZX] /.test(text),
            () => true,
          ),
        { timeout: 5_000 },
      )
      .toBe(true);
  });
});
