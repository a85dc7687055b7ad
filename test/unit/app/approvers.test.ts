import { describe, expect, it } from "vitest";
import { type ApproverDeps, enrolApprover, listApprovers, revokeApprover } from "../../../src/app/approvers.ts";
import type { EnrolledApprover, PairedDevice } from "../../../src/core/approvers.ts";
import { SecurityError } from "../../../src/core/error.ts";
import { measured, unmeasured } from "../../../src/core/evidence.ts";
import { START } from "../../helpers/sample-question.ts";

const AT = "2026-11-18T11:06:40Z";
const device = (letter: string, changes: Partial<PairedDevice> = {}): PairedDevice => ({
  id: letter.repeat(64),
  name: "phone",
  platform: "ios",
  client: "openclaw-ios",
  pairedAt: AT,
  pairedVia: "owner",
  from: "192.0.2.7",
  canApprove: true,
  isKeyHere: false,
  ...changes,
});
const OLD: EnrolledApprover = { kind: "device", id: "d".repeat(64), name: "old", enrolledAt: AT, proof: "none" };
const DEVICES = [device("a"), device("b", { name: "", pairedVia: "silent", from: null }), device("d")];

interface World {
  readonly deps: ApproverDeps;
  readonly done: readonly string[];
  readonly shown: readonly string[];
}

function world(changes: Partial<ApproverDeps> = {}): World {
  const done: string[] = [];
  const shown: string[] = [];
  const deps: ApproverDeps = {
    load: async () => ({ approvers: [OLD], isSealed: false }),
    listDevices: () => measured(DEVICES, "db", AT),
    path: "/s/approvers.json",
    now: () => START.wallMs,
    record: async ({ event, kind, proof }) => void done.push(`record ${event} ${kind} ${proof}`),
    canSeal: async () => false,
    confirm: async (lines) => {
      shown.push(...lines);
      done.push("confirm");
      return true;
    },
    seal: async (text) => void done.push(`seal ${idsIn(text)}`),
    write: async (text) => void done.push(`write ${idsIn(text)}`),
    ...changes,
  };
  return { deps, done, shown };
}

const idsIn = (text: string): string =>
  (JSON.parse(text) as { approvers: { id: string }[] }).approvers.map(({ id }) => id.slice(0, 8)).join(",");
const wish = (id: string, wantsProof = true) => ({ id, name: null, wantsProof });

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return "done";
  } catch (thrown) {
    return thrown instanceof SecurityError ? thrown.code : "another";
  }
}

describe("enrolApprover", () => {
  it("asks, records, then writes, and says that nothing stands behind it", async () => {
    const { deps, done, shown } = world();
    const { approver } = await enrolApprover(deps, wish("bbbbbbbb"));
    expect(approver).toEqual({
      kind: "device",
      id: "b".repeat(64),
      name: "openclaw-ios",
      enrolledAt: AT,
      proof: "none",
    });
    expect(done).toEqual(["confirm", "record approver-enrolled device none", "write dddddddd,bbbbbbbb"]);
    expect(shown).toContain(`Paired: ${AT} from this machine, by itself: nobody was asked`);
  });

  it("has root write the list where sudo asks for a password", async () => {
    const { deps, done } = world({ canSeal: async () => true });
    expect((await enrolApprover(deps, wish("a".repeat(64)))).approver.proof).toBe("password");
    expect(done).toEqual(["record approver-enrolled device password", "seal dddddddd,aaaaaaaa"]);
  });

  it("leaves root out of it on demand, but not where root's list would be replaced", async () => {
    const free = world({ canSeal: async () => true });
    await enrolApprover(free.deps, wish("a".repeat(64), false));
    expect(free.done.at(-1)).toBe("write dddddddd,aaaaaaaa");
    const sealed = world({ load: async () => ({ approvers: [OLD], isSealed: true }) });
    await enrolApprover(sealed.deps, wish("a".repeat(64), false));
    expect(sealed.done.at(-1)).toBe("seal dddddddd,aaaaaaaa");
  });

  it("enrols a chat channel by its account", async () => {
    const { deps, done } = world();
    await enrolApprover(deps, wish("telegram:default"));
    expect(done.at(-1)).toBe("write dddddddd,telegram");
  });

  it.each([
    ["one that is there", "d".repeat(64), {}, "unknown-approver"],
    ["one that nobody paired", "c".repeat(64), {}, "unknown-approver"],
    ["too short a start", "aaa", {}, "unknown-approver"],
    ["an ambiguous start", "aaaaaaaa", { listDevices: two }, "unknown-approver"],
    [
      "this machine's own identity",
      "a".repeat(64),
      { listDevices: () => only({ isKeyHere: true }) },
      "unknown-approver",
    ],
    [
      "one that may not approve",
      "a".repeat(64),
      { listDevices: () => only({ canApprove: false }) },
      "unknown-approver",
    ],
    ["one without a look at the devices", "a".repeat(64), { listDevices: unseen }, "collector-failed"],
    ["one that nobody confirmed", "a".repeat(64), { confirm: async () => false }, "enrolment-refused"],
  ] as [string, string, Partial<ApproverDeps>, string][])(
    "changes nothing for %s",
    async (_what, id, changes, code) => {
      const { deps, done } = world(changes);
      expect(await codeOf(enrolApprover(deps, wish(id)))).toBe(code);
      expect(done.filter((step) => step !== "confirm")).toEqual([]);
    },
  );

  it("writes nothing when it cannot be recorded", async () => {
    const record = async (): Promise<void> => await Promise.reject(new SecurityError("audit-unavailable", "full"));
    const { deps, done } = world({ record });
    expect(await codeOf(enrolApprover(deps, wish("a".repeat(64))))).toBe("audit-unavailable");
    expect(done).toEqual(["confirm"]);
  });
});

describe("revokeApprover", () => {
  it("takes one away, through root where root wrote the list", async () => {
    const free = world();
    await revokeApprover(free.deps, "dddddddd");
    expect(free.done).toEqual(["confirm", "record approver-revoked device none", "write "]);
    const sealed = world({ load: async () => ({ approvers: [OLD], isSealed: true }) });
    await revokeApprover(sealed.deps, OLD.id);
    expect(sealed.done).toEqual(["record approver-revoked device password", "seal "]);
  });

  it.each(["a".repeat(64), "ddd", "", "*"])("knows no %j", async (id) => {
    expect(await codeOf(revokeApprover(world().deps, id))).toBe("unknown-approver");
  });
});

describe("listApprovers", () => {
  it("shows which paired devices count", async () => {
    const report = await listApprovers(world().deps);
    expect(report.devices.map(({ isEnrolled }) => isEnrolled)).toEqual([false, false, true]);
    expect(report).toMatchObject({ sealed: false, enrolled: [OLD], devices_unknown: null });
  });

  it("says when it could not look", async () => {
    const report = await listApprovers(world({ listDevices: unseen }).deps);
    expect(report).toMatchObject({ devices: [], devices_unknown: "locked" });
  });
});

function only(changes: Partial<PairedDevice>): ReturnType<ApproverDeps["listDevices"]> {
  return measured([device("a", changes)], "db", AT);
}

function two(): ReturnType<ApproverDeps["listDevices"]> {
  return measured([device("a"), device("b", { id: `${"a".repeat(63)}b` })], "db", AT);
}

function unseen(): ReturnType<ApproverDeps["listDevices"]> {
  return unmeasured("collector-failed", "locked", "db", AT);
}
