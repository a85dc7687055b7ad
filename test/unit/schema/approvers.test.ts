import { describe, expect, it } from "vitest";
import type { EnrolledApprover } from "../../../src/core/approvers.ts";
import { SecurityError } from "../../../src/core/error.ts";
import { isChannelId, parseApprovers, renderApprovers } from "../../../src/schema/approvers.ts";

const ID = "ab".repeat(32);
const DEVICE = { kind: "device", id: ID, name: "phone", enrolled_at: "2026-11-23T08:00:00Z", proof: "none" };
const CHANNEL = { ...DEVICE, kind: "channel", id: "telegram:default" };
const file = (...approvers: readonly unknown[]): unknown => ({ schemaVersion: 1, approvers });

function codeOf(value: unknown, isSealed = false): string {
  try {
    return parseApprovers(value, isSealed)
      .map(({ id }) => id)
      .join(" ");
  } catch (thrown) {
    return thrown instanceof SecurityError ? thrown.code : "another";
  }
}

describe("parseApprovers", () => {
  it("reads what renderApprovers writes", () => {
    const approvers: readonly EnrolledApprover[] = [
      { kind: "device", id: ID, name: 'a "b"\n\u202e', enrolledAt: "2026-11-23T08:00:00Z", proof: "password" },
      { kind: "channel", id: "telegram:default", name: "", enrolledAt: "2026-11-23T08:00:00Z", proof: "none" },
    ];
    expect(parseApprovers(JSON.parse(renderApprovers(approvers)), true)).toEqual(approvers);
    expect(parseApprovers(file(), false)).toEqual([]);
  });

  it("believes that a password was given only where root wrote it", () => {
    const claim = file({ ...DEVICE, proof: "password" });
    expect(codeOf(claim, true)).toBe(ID);
    expect(codeOf(claim, false)).toBe("approvers-invalid");
    // One false claim, and nobody in the file counts.
    expect(codeOf(file(CHANNEL, { ...DEVICE, proof: "password" }), false)).toBe("approvers-invalid");
  });

  it.each([
    null,
    [],
    {},
    { approvers: [] },
    { schemaVersion: 2, approvers: [] },
    { schemaVersion: 1, approvers: {} },
    { schemaVersion: 1, approvers: [], more: 1 },
    file(DEVICE, DEVICE),
    file({ ...DEVICE, id: ID.toUpperCase() }),
    file({ ...DEVICE, id: ID.slice(1) }),
    file({ ...DEVICE, id: "*" }),
    file({ ...DEVICE, kind: "runtime" }),
    file({ ...DEVICE, proof: "approver" }),
    file({ ...DEVICE, proof: undefined }),
    file({ ...DEVICE, enrolled_at: "yesterday" }),
    file({ ...DEVICE, allow: true }),
    file({ ...CHANNEL, id: "telegram" }),
    file({ ...CHANNEL, id: "telegram:*\n" }),
    file({ ...CHANNEL, id: "a:b:c" }),
    file(null),
  ])("takes nothing of %j", (value) => {
    expect(codeOf(value)).toBe("approvers-invalid");
  });
});

describe("isChannelId", () => {
  it.each([
    ["telegram:default", true],
    ["telegram:12345", true],
    ["telegram", false],
    ["Telegram:x", false],
    ["telegram:", false],
    [":x", false],
    [ID, false],
  ])("of %s is %s", (text, is) => {
    expect(isChannelId(text)).toBe(is);
  });
});
