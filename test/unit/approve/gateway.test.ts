import { describe, expect, it } from "vitest";
import { createGatewayApprover, type GatewayApproverDeps } from "../../../src/approve/gateway.ts";
import type { Confirmation } from "../../../src/core/confirmation.ts";
import type { ApprovalQuestion, ApproverIdentity } from "../../../src/core/elevation.ts";
import type { GatewayDecision, GatewayQuestion } from "../../../src/core/gateway-question.ts";
import type { RefusalCode } from "../../../src/core/refusal.ts";
import { checkAnswer } from "../../../src/grant/approval.ts";
import { sampleCommand, sampleQuestion, sha256Hex, START } from "../../helpers/sample-question.ts";

const NOW = START.wallMs;
const PHONE: ApproverIdentity = { kind: "device", id: "phone" };
const YES: GatewayDecision = { kind: "allow-once", by: PHONE, at: NOW };
const no = (code: RefusalCode): GatewayDecision => ({ kind: "deny", by: PHONE, at: NOW, code });

/** What people were asked, and what became of it. */
async function ask(
  answers: readonly GatewayDecision[],
  changes: Partial<ApprovalQuestion> = {},
  confirmToken: GatewayApproverDeps["confirmToken"] = null,
): Promise<{ answer: unknown; asked: readonly GatewayQuestion[] }> {
  const left = [...answers];
  const asked: GatewayQuestion[] = [];
  const approver = createGatewayApprover({
    asker: {
      hasRoute: async () => true,
      ask: async (question) => {
        asked.push(question);
        return left.shift() ?? no("approval-expired");
      },
    },
    now: () => NOW,
    sha256Hex,
    confirmToken,
  });
  const question = sampleQuestion(changes);
  const answer = await approver.ask(question, new AbortController().signal);
  const checked = checkAnswer(answer, question, ["device"], NOW);
  return { answer: checked.kind === "refused" ? checked.code : { by: checked.by, keep: checked.keep }, asked };
}

describe("createGatewayApprover", () => {
  it("R-04: asks with everything that matters, what the asker claims last", async () => {
    const { answer, asked } = await ask([YES], { risks: ["gives a shell"] });
    expect(answer).toEqual({ by: PHONE, keep: false });
    expect(asked).toEqual([
      {
        title: 'Run as "root"? [1f58b914]',
        description: [
          'Run as: "root" (uid 0)',
          "Command, one word per line:",
          '  "/usr/bin/apt-get"',
          '  "update"',
          'In: "/srv"',
          "Environment: none",
          "Standard input: none",
          "Time limit: 120 s",
          'Session: "task-a" (gateway), agent "main"',
          "Digest: 1f58b914",
          'RISK: "gives a shell"',
          'Claimed reason (not checked): "refresh the package lists"',
        ].join("\n"),
        detail: null,
        severity: "critical",
        session: sampleQuestion().session,
        expiresAt: NOW + 600_000,
      },
    ]);
  });

  it.each(["denied", "no-route", "untrusted-resolver", "approver-not-enrolled", "approval-expired"] as const)(
    "hands on a no with its code %s",
    async (code) => {
      expect((await ask([no(code)])).answer).toBe(code);
    },
  );

  it("T31: does not ask what does not fit, and cuts nothing", async () => {
    const command = sampleCommand({ argv: ["/usr/bin/echo", "x".repeat(400)] });
    expect(await ask([YES], { command })).toEqual({ answer: "too-long-to-review", asked: [] });
  });

  it("T31: counts the words before the question too", async () => {
    // As it is the question just fits; with the line about the source it does not.
    const command = sampleCommand({ argv: ["/usr/bin/echo", "x".repeat(150)] });
    expect((await ask([YES], { command })).answer).toEqual({ by: PHONE, keep: false });
    const { answer, asked } = await ask([YES, YES], { command, isUntrusted: true });
    expect({ answer, asked }).toEqual({ answer: "too-long-to-review", asked: [] });
  });

  it.each([
    [
      ["/bin/echo", "a b"],
      ["/bin/echo", "a", "b"],
    ],
    [
      ["x", "--", "y"],
      ["x", "-- y"],
    ],
    [
      ["/bin/echo", "A"],
      ["/bin/echo", "\\u0041"],
    ],
    [
      ["/bin/echo", '"a"'],
      ["/bin/echo", "a"],
    ],
  ] as [string, ...string[]][][])("T32: %j and %j read differently", async (first, second) => {
    const texts = await Promise.all(
      [first, second].map(async (argv) => {
        const command = sampleCommand({ argv: argv ?? ["/bin/false"] });
        return (await ask([YES], { command })).asked[0]?.description;
      }),
    );
    expect(texts[0]).not.toBe(texts[1]);
  });

  it("T37: shows a word that looks like a secret, for people must see what they allow", async () => {
    const command = sampleCommand({ argv: ["/usr/bin/curl", "--token=hunter2"] });
    expect((await ask([YES], { command })).asked[0]?.description).toContain('"--token=hunter2"');
  });

  it("asks about keeping it only after the yes, as a question of its own", async () => {
    const kept = await ask([YES, YES], { asksToKeep: true });
    expect(kept.answer).toEqual({ by: PHONE, keep: true });
    expect(kept.asked.map(({ title }) => title)).toEqual([
      'Run as "root"? [1f58b914]',
      "Allowed once. Also keep it? [1f58b914]",
    ]);
    expect(kept.asked.map(({ description }) => description.includes("KEEP:"))).toEqual([false, true]);
    expect(kept.asked[1]?.expiresAt).toBe(NOW + 120_000);
    expect((await ask([no("denied"), YES], { asksToKeep: true })).asked).toHaveLength(1);
  });

  it.each(["denied", "approval-expired", "untrusted-resolver", "approval-invalid"] as const)(
    "keeps nothing when keeping is answered with %s",
    async (code) => {
      expect((await ask([YES, no(code)], { asksToKeep: true })).answer).toEqual({ by: PHONE, keep: false });
    },
  );

  it("completes a yes by the token, before anything is kept, and says so in the question", async () => {
    const confirmed: Confirmation[] = [];
    const { answer, asked } = await ask([YES, YES], { asksToKeep: true }, async (confirmation) => {
      confirmed.push(confirmation);
      return "yes";
    });
    expect(answer).toEqual({ by: PHONE, keep: true });
    expect(asked[0]?.description).toContain("After the yes, in a terminal: cse approvers confirm 1f58b914\n");
    expect(confirmed).toMatchObject([{ id: "1f58b914", title: 'Run as "root"? [1f58b914]' }]);
    expect(confirmed[0]?.lines).toContain('  "/usr/bin/apt-get"');
  });

  it.each(["token-wrong", "approval-expired"] as const)("takes a yes without the token for none: %s", async (code) => {
    const { answer, asked } = await ask([YES, YES], { asksToKeep: true }, async () => code);
    expect(answer).toBe(code);
    expect(asked).toHaveLength(1);
  });

  it("asks for no token after a no", async () => {
    let asked = 0;
    await ask([no("denied")], {}, async () => {
      asked += 1;
      return "yes";
    });
    expect(asked).toBe(0);
  });

  it("asks about an untrusted source first", async () => {
    const { answer, asked } = await ask([YES, YES], { isUntrusted: true });
    expect(answer).toEqual({ by: PHONE, keep: false });
    expect(asked.map(({ title }) => title)).toEqual([
      "Untrusted source: did you check it? [1f58b914]",
      'Run as "root"? [1f58b914]',
    ]);
    expect(asked.every(({ description }) => description.includes("UNTRUSTED:"))).toBe(true);
  });

  it("asks nothing more when nobody confirmed the source", async () => {
    const { answer, asked } = await ask([no("denied"), YES], { isUntrusted: true });
    expect(answer).toBe("untrusted-not-confirmed");
    expect(asked).toHaveLength(1);
    expect((await ask([no("no-route")], { isUntrusted: true })).answer).toBe("no-route");
  });
});
