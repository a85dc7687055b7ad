import { describe, expect, it } from "vitest";
import { type ConfirmationDesk, confirmToken } from "../../../src/approve/confirm-token.ts";
import { tokenProof } from "../../../src/approve/token-proof.ts";
import type { Confirmation } from "../../../src/core/confirmation.ts";

const SHOWN: Confirmation = {
  id: "1f58b914",
  title: "Run as root?",
  lines: ["  /usr/bin/id"],
  expiresAt: "2026-11-23T08:00:00Z",
};

/** A desk at which these proofs arrive, one after the other; then the time is over. */
async function confirm(proofs: readonly string[], token = "long enough"): Promise<{ code: string; calls: string[] }> {
  const left = [...proofs];
  const calls: string[] = [];
  const desk: ConfirmationDesk = {
    open: async ({ id }) => void calls.push(`open ${id}`),
    takeProof: async () => left.shift() ?? null,
    close: async (id) => void calls.push(`close ${id}`),
  };
  return { code: await confirmToken(desk, token, SHOWN, new AbortController().signal), calls };
}

describe("confirmToken", () => {
  it("takes the proof of the token for this very text, and leaves nothing behind", async () => {
    const proof = await tokenProof("long enough", SHOWN);
    expect(await confirm([proof])).toEqual({ code: "yes", calls: ["open 1f58b914", "close 1f58b914"] });
    expect((await confirm(["wrong", "", proof])).code).toBe("yes");
  });

  it.each<[string, Partial<Confirmation>]>([
    ["another question", { id: "00000000" }],
    ["another title", { title: "Run as bob?" }],
    ["other words", { lines: ["  /usr/bin/id", "-u"] }],
    ["the same words in other lines", { lines: ["  /usr", "/bin/id"] }],
  ])("takes no proof for %s", async (_what, changes) => {
    const proof = await tokenProof("long enough", { ...SHOWN, ...changes });
    expect((await confirm([proof])).code).toBe("approval-expired");
  });

  it("gives three tries", async () => {
    const proof = await tokenProof("long enough", SHOWN);
    expect(await confirm(["1", "2", "3", proof])).toEqual({
      code: "token-wrong",
      calls: ["open 1f58b914", "close 1f58b914"],
    });
  });

  it("takes the token itself, another one, or an empty one for none", async () => {
    expect((await confirm(["long enough"])).code).toBe("approval-expired");
    expect((await confirm([await tokenProof("long enougH", SHOWN)])).code).toBe("approval-expired");
    expect((await confirm([await tokenProof("", SHOWN)], "")).code).toBe("approval-expired");
  });

  it("closes also when waiting fails", async () => {
    const calls: string[] = [];
    const desk: ConfirmationDesk = {
      open: async () => undefined,
      takeProof: async () => await Promise.reject(new Error("gone")),
      close: async (id) => void calls.push(id),
    };
    await expect(confirmToken(desk, "long enough", SHOWN, new AbortController().signal)).rejects.toThrow("gone");
    expect(calls).toEqual(["1f58b914"]);
  });
});
