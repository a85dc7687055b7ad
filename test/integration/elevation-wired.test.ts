import { describe, expect } from "vitest";
import { itUnless } from "../helpers/requires.ts";
import { makeFolderOf, sudoUser, sudoUsersObstacle } from "../helpers/sudo-users.ts";
import { runAsUser } from "../helpers/unprivileged.ts";

const OBSTACLE = sudoUsersObstacle();

/** Runs the body as a user whose sudo asks for no password, with an approver that it controls. */
async function withElevation(body: string): Promise<unknown> {
  const stateDir = await makeFolderOf("cse-sudo");
  const program = `
    import { readFileSync } from "node:fs";
    import { createElevation } from "#src/deps/elevate.ts";
    import { createEffects } from "#src/deps/effects.ts";
    const stateDir = process.argv[2];
    const effects = { ...createEffects({ stateDir, env: {} }), locateTool: async () => null };
    const SESSION = { session: "s", agent: null, channel: "gateway" };
    const yes = (keep) => ({ kind: "allow-once", by: { kind: "device", id: "phone" }, at: Date.now(), keep });
    let answer = async () => yes(false);
    const approver = { name: "test", hasRoute: async () => true, ask: async (question, signal) => await answer(question, signal) };
    const open = (options = {}) => createElevation(effects, { approver, ...options });
    const log = () => readFileSync(stateDir + "/security/privileged-audit.jsonl", "utf8").trim().split("\\n").map((line) => JSON.parse(line));
    const record = () => JSON.parse(readFileSync(stateDir + "/security/root-session-state.json", "utf8"));
    const value = await (async () => { ${body} })();
    process.stdout.write(JSON.stringify(value));
    process.exit(0);`;
  const run = await runAsUser(program, { user: sudoUser("cse-sudo"), args: [stateDir], home: "/" });
  if (run.exitCode !== 0) throw new Error(run.stderr);
  return JSON.parse(run.stdout);
}

describe("one elevation over real effects", () => {
  itUnless(OBSTACLE, "R-59, T93: the session record shows what a grant is for, its secrets masked", async () => {
    const found = await withElevation(`
      const elevation = open({ limits: { idleMinutes: 5 } });
      answer = async () => yes(true);
      const argv = ["/usr/bin/true", "--token=SECRET", "plain"];
      const { status } = await elevation.requestElevation({ argv, reason: "a test", keepSession: true }, SESSION);
      const [grant] = record().grants;
      const minutes = (Date.parse(grant.expires_at) - Date.parse(grant.opened_at)) / 60_000;
      const ran = await elevation.runPrivileged({ argv, reason: "a test", keepSession: true }, SESSION);
      await elevation.dropElevation();
      const after = record().grants;
      await elevation.close();
      const isSecretIn = readFileSync(stateDir + "/security/root-session-state.json", "utf8").includes("SECRET");
      return { status, argv: grant.argv, runAs: grant.run_as, minutes, ran: ran.exitCode, after, isSecretIn };`);
    expect(found).toEqual({
      status: "granted",
      argv: ["/usr/bin/true", "--token=***", "plain"],
      runAs: "root",
      minutes: 5,
      ran: 0,
      after: [],
      isSecretIn: false,
    });
  });

  itUnless(
    OBSTACLE,
    "answers a run before people can see it in the session record, which is whole when closed",
    async () => {
      const found = await withElevation(`
      const elevation = open();
      const ran = await elevation.runPrivileged({ argv: ["/usr/bin/true"], reason: "a test" }, SESSION);
      await Promise.all([elevation.close(), elevation.runPrivileged({ argv: ["/usr/bin/false"], reason: "a test" }, SESSION)]);
      return { ran: ran.exitCode, events: record().last_events.map(({ event }) => event) };`);
      expect(found).toMatchObject({ ran: 0, events: ["exited", expect.any(String)] });
    },
  );

  itUnless(OBSTACLE, "R-08, T29: a yes that comes after the end is in the log, and nothing ran", async () => {
    const found = await withElevation(`
      const elevation = open();
      let late;
      answer = async (question, signal) => await new Promise((done) => { late = () => done(yes(false)); });
      const opened = createElevation({ ...effects, now: () => Date.now() + (late === undefined ? 0 : 600_001) }, { approver });
      const asking = opened.runPrivileged({ argv: ["/usr/bin/true"], reason: "a test" }, SESSION);
      while (late === undefined) await new Promise((done) => setTimeout(done, 10));
      late();
      const { status, code } = await asking;
      while (!log().some(({ event }) => event === "late-decision")) await new Promise((done) => setTimeout(done, 10));
      const events = log().map(({ event, decision }) => [event, decision].filter(Boolean).join(" "));
      return { status, code, late: events.includes("late-decision allow-once"), ran: events.includes("exec-intent") };`);
    expect(found).toEqual({ status: "refused", code: "approval-expired", late: true, ran: false });
  });

  itUnless(OBSTACLE, "R-06: keeps to the owner's limits, and takes none that are looser", async () => {
    const found = await withElevation(`
      const elevation = open({ limits: { maxRequestsOfAll: 1, maxTimeoutMs: 1000 } });
      const ask = async (session, timeoutMs = 1000) =>
        (await elevation.requestElevation({ argv: ["/usr/bin/true"], reason: "a test", timeoutMs }, { ...SESSION, session })).code ?? "granted";
      const codes = [await ask("a", 1001), await ask("a"), await ask("b")];
      try {
        open({ limits: { idleMinutes: 31 } });
      } catch (error) {
        codes.push(error.code);
      }
      return codes;`);
    expect(found).toEqual(["invalid-request", "granted", "rate-limited", "invalid-input"]);
  });

  itUnless(OBSTACLE, "R-71, T50: refuses while a debugger could connect, before anybody is asked", async () => {
    const found = await withElevation(`
      const inspector = await import("node:inspector");
      let asked = 0;
      answer = async () => ((asked += 1), yes(false));
      const elevation = open();
      inspector.open(0, "127.0.0.1");
      const { code } = await elevation.runPrivileged({ argv: ["/usr/bin/true"], reason: "a test" }, SESSION);
      inspector.close();
      const { status } = await elevation.runPrivileged({ argv: ["/usr/bin/true"], reason: "a test" }, SESSION);
      return { code, status, asked };`);
    expect(found).toEqual({ code: "inspector-open", status: "completed", asked: 1 });
  });
});
