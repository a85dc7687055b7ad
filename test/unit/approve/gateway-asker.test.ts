import { describe, expect, it } from "vitest";
import { createGatewayAsker, type GatewayAskerDeps } from "../../../src/approve/gateway-asker.ts";
import type { ApprovalsClient } from "../../../src/core/approvals-client.ts";
import { DEFAULT_APPROVER_RULES, type EnrolledApprover } from "../../../src/core/approvers.ts";
import type { GatewayQuestion } from "../../../src/core/gateway-question.ts";
import { SESSION, START } from "../../helpers/sample-question.ts";

const NOW = START.wallMs;
const PHONE: EnrolledApprover = {
  kind: "device",
  id: "phone",
  name: "phone",
  enrolledAt: "2026-11-23T08:00:00Z",
  proof: "password",
};
const QUESTION: GatewayQuestion = {
  title: "Run?",
  description: "all of it",
  detail: null,
  severity: "critical",
  session: SESSION,
  expiresAt: NOW + 60_000,
};
const WAITING = { status: "accepted", id: "q1", deliveryRoute: "approval-client" };
const YES = { id: "q1", decision: "allow-once", terminalReason: "user" };
const record = (resolver: unknown, changes: object = {}): unknown => ({
  items: [{ id: "q1", status: "allowed", decision: "allow-once", resolver, ...changes }],
});
const BY_PHONE = record({ kind: "device", id: "phone" });

interface Asked {
  readonly answer: unknown;
  readonly calls: readonly string[];
  readonly late: readonly string[];
}

/** One question to a gateway that answers like this. */
async function ask(
  client: Partial<ApprovalsClient> = {},
  options: { deps?: Partial<GatewayAskerDeps>; signal?: AbortSignal; question?: Partial<GatewayQuestion> } = {},
): Promise<Asked> {
  const calls: string[] = [];
  const late: string[] = [];
  const gateway: ApprovalsClient = {
    isConnected: () => true,
    request: async () => WAITING,
    waitDecision: async () => YES,
    history: async () => BY_PHONE,
    withdraw: async () => undefined,
    ...client,
  };
  const asker = createGatewayAsker({
    client: {
      isConnected: () => gateway.isConnected(),
      request: async (question, how) => {
        calls.push(`request ${how.reviewers.join(",")} ${how.timeoutMs}`);
        return await gateway.request(question, how);
      },
      waitDecision: async (id) => {
        calls.push(`wait ${id}`);
        return await gateway.waitDecision(id);
      },
      history: async () => {
        calls.push("history");
        return await gateway.history();
      },
      withdraw: async (id) => {
        calls.push(`withdraw ${id}`);
        await gateway.withdraw(id);
      },
    },
    rules: DEFAULT_APPROVER_RULES,
    loadEnrolled: async () => [PHONE],
    now: () => NOW,
    noteLate: (_question, decision) => late.push(decision),
    waitsForRoute: false,
    sleep: async () => undefined,
    ...options.deps,
  });
  const decision = await asker.ask(
    { ...QUESTION, ...options.question },
    options.signal ?? new AbortController().signal,
  );
  expect(asker.pending()).toEqual([]);
  return { answer: decision.kind === "deny" ? decision.code : decision.by, calls, late };
}

const never = async (): Promise<never> => await new Promise(() => undefined);
const fails = async (): Promise<never> => await Promise.reject(new Error("socket closed"));

describe("createGatewayAsker", () => {
  it("takes a yes of an enrolled device, named by the record of that very question", async () => {
    expect(await ask()).toEqual({
      answer: { kind: "device", id: "phone" },
      calls: ["request phone 60000", "wait q1", "history"],
      late: [],
    });
  });

  it.each([
    [{ kind: "runtime", id: "gateway-client" }, "untrusted-resolver"],
    [{ kind: "runtime", id: "phone" }, "untrusted-resolver"],
    [{ kind: "system", id: "phone" }, "untrusted-resolver"],
    [{ kind: "device", id: "another" }, "approver-not-enrolled"],
    [{ kind: "device", id: "" }, "untrusted-resolver"],
    [{ kind: "device" }, "untrusted-resolver"],
    [{ kind: "Device", id: "phone" }, "untrusted-resolver"],
    [{ kind: "terminal", id: "phone" }, "untrusted-resolver"],
    ["device:phone", "untrusted-resolver"],
    [null, "untrusted-resolver"],
    [undefined, "untrusted-resolver"],
  ])("R-03: a yes recorded as %j is none", async (resolver, code) => {
    expect((await ask({ history: async () => record(resolver) })).answer).toBe(code);
  });

  it("accepts a chat channel as it is", async () => {
    const by = { kind: "channel", id: "telegram:default" };
    expect((await ask({ history: async () => record(by) })).answer).toEqual(by);
  });

  it.each([
    ["another question", record({ kind: "device", id: "phone" }, { id: "q2" })],
    ["a denial", record({ kind: "device", id: "phone" }, { status: "denied", decision: "deny" })],
    ["an allow-always", record({ kind: "device", id: "phone" }, { decision: "allow-always" })],
    ["an expiry", record({ kind: "device", id: "phone" }, { status: "expired" })],
    ["nothing", { items: [] }],
    ["the same question twice", { items: [...items(BY_PHONE), ...items(BY_PHONE)] }],
    ["no list", {}],
    ["null", null],
    ["a list of nulls", { items: [null, 1, "x"] }],
  ])("a record of %s names nobody", async (_what, history) => {
    expect((await ask({ history: async () => history })).answer).toBe("untrusted-resolver");
  });

  it.each(["allow-always", "Allow-Once", true, 1, {}, undefined, ["allow-once"]])(
    "T28: a decision %j is no",
    async (decision) => {
      expect((await ask({ waitDecision: async () => ({ id: "q1", decision }) })).answer).toBe("approval-invalid");
    },
  );

  it.each([null, undefined, "allow-once", [], { decision: "allow-once" }, { id: "q2", decision: "allow-once" }])(
    "T28: an answer %j is no",
    async (answer) => {
      expect((await ask({ waitDecision: async () => answer })).answer).toBe("approval-invalid");
    },
  );

  it("T28: a getter that throws is no", async () => {
    const answer = {
      id: "q1",
      get decision(): string {
        throw new Error("no");
      },
    };
    expect((await ask({ waitDecision: async () => answer })).answer).toBe("approval-invalid");
  });

  it.each([
    [{ request: fails }, "approval-invalid"],
    [{ waitDecision: fails }, "approval-invalid"],
    [{ history: fails }, "approval-invalid"],
    [{ isConnected: () => false }, "no-route"],
    [{ request: async () => ({ id: "q1", decision: null }) }, "no-route"],
    [{ request: async () => YES }, "approval-invalid"],
    [{ request: async () => ({ status: "accepted" }) }, "approval-invalid"],
    [{ request: async () => null }, "approval-invalid"],
    [{ waitDecision: async () => ({ id: "q1", decision: null, terminalReason: "timeout" }) }, "approval-expired"],
    [{ waitDecision: async () => ({ id: "q1", decision: "deny" }) }, "denied"],
  ])("refuses with one code when the gateway is like %o", async (client, code) => {
    expect((await ask(client)).answer).toBe(code);
  });

  it("T34: asks nobody when nobody is there, and waits for nothing", async () => {
    const { answer, calls } = await ask({ request: async () => ({ id: "q1", decision: null }), waitDecision: never });
    expect({ answer, calls }).toEqual({ answer: "no-route", calls: ["request phone 60000"] });
  });

  it("waits for somebody where the owner wants that", async () => {
    let tries = 0;
    const request = async (): Promise<unknown> => (++tries < 3 ? { id: "q1", decision: null } : WAITING);
    const { answer, calls } = await ask({ request }, { deps: { waitsForRoute: true } });
    expect(answer).toEqual({ kind: "device", id: "phone" });
    expect(calls.filter((call) => call.startsWith("request"))).toHaveLength(3);
  });

  it("T28: settles when the time is over, and takes the question away", async () => {
    const { answer, calls } = await ask({ waitDecision: never }, { question: { expiresAt: NOW + 30 } });
    expect(answer).toBe("approval-expired");
    expect(calls).toEqual(["request phone 30", "wait q1", "withdraw q1"]);
  });

  it("does not ask what has expired", async () => {
    expect(await ask({}, { question: { expiresAt: NOW } })).toMatchObject({ answer: "approval-expired", calls: [] });
    expect(await ask({}, { signal: AbortSignal.abort() })).toMatchObject({ answer: "approval-expired", calls: [] });
    expect(await ask({}, { question: { expiresAt: Number.NaN } })).toMatchObject({ calls: [] });
  });

  it("T29: takes the question away when the caller gives up, and a later yes has no effect", async () => {
    const caller = new AbortController();
    const decision = Promise.withResolvers<unknown>();
    const { answer, calls, late } = await ask(
      {
        waitDecision: async () => {
          setTimeout(() => caller.abort(), 5);
          return await decision.promise;
        },
        withdraw: fails,
      },
      { signal: caller.signal },
    );
    expect({ answer, late }).toEqual({ answer: "approval-expired", late: [] });
    decision.resolve(YES);
    await new Promise((done) => setTimeout(done, 5));
    // Nobody looks up who said it.
    expect(calls).toEqual(["request phone 60000", "wait q1", "withdraw q1"]);
    expect(late).toEqual(["allow-once"]);
  });

  it("T29: takes a question away that was still going out when the caller gave up", async () => {
    const caller = new AbortController();
    const sent = Promise.withResolvers<unknown>();
    const { answer, calls } = await ask(
      {
        request: async () => {
          setTimeout(() => caller.abort(), 5);
          return await sent.promise;
        },
      },
      { signal: caller.signal },
    );
    expect(answer).toBe("approval-expired");
    sent.resolve(WAITING);
    await new Promise((done) => setTimeout(done, 5));
    expect(calls).toEqual(["request phone 60000", "withdraw q1"]);
  });

  it("counts nobody when the list of approvers cannot be trusted, before or after the answer", async () => {
    expect((await ask({}, { deps: { loadEnrolled: fails } })).answer).toBe("approvers-broken");
    let loads = 0;
    const loadEnrolled = async (): Promise<readonly EnrolledApprover[]> => (++loads === 1 ? [PHONE] : await fails());
    expect((await ask({}, { deps: { loadEnrolled } })).answer).toBe("approvers-broken");
  });

  it("does not count a device that was revoked while the question was open", async () => {
    let loads = 0;
    const loadEnrolled = async (): Promise<readonly EnrolledApprover[]> => (++loads === 1 ? [PHONE] : []);
    expect((await ask({}, { deps: { loadEnrolled } })).answer).toBe("approver-not-enrolled");
  });
});

function items(history: unknown): readonly unknown[] {
  return (history as { items: readonly unknown[] }).items;
}
