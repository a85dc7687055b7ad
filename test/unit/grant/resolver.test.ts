import { describe, expect, it } from "vitest";
import { DEFAULT_APPROVER_RULES, type EnrolledApprover } from "../../../src/core/approvers.ts";
import type { ApproverIdentity } from "../../../src/core/elevation.ts";
import { judgeResolver } from "../../../src/grant/resolver.ts";

const ENROLLED_AT = "2026-11-23T08:00:00Z";
const PHONE: EnrolledApprover = { kind: "device", id: "aa", name: "phone", enrolledAt: ENROLLED_AT, proof: "password" };
const CHAT: EnrolledApprover = { ...PHONE, kind: "channel", id: "telegram:default", proof: "none" };

describe("judgeResolver", () => {
  it.each<[ApproverIdentity, readonly EnrolledApprover[], string | null]>([
    [{ kind: "device", id: "aa" }, [PHONE], null],
    [{ kind: "device", id: "bb" }, [PHONE], "approver-not-enrolled"],
    [{ kind: "device", id: "aa" }, [], "approver-not-enrolled"],
    [{ kind: "device", id: "" }, [PHONE], "approver-not-enrolled"],
    [{ kind: "device", id: "telegram:default" }, [CHAT], "approver-not-enrolled"],
    [{ kind: "channel", id: "telegram:default" }, [], null],
    [{ kind: "channel", id: "telegram:default" }, [PHONE], null],
    [{ kind: "channel", id: "telegram:default" }, [CHAT], null],
    [{ kind: "channel", id: "discord:default" }, [CHAT], "approver-not-enrolled"],
    [{ kind: "runtime", id: "gateway-client" }, [PHONE, CHAT], "untrusted-resolver"],
    [{ kind: "runtime", id: "aa" }, [PHONE], "untrusted-resolver"],
    [{ kind: "system", id: "aa" }, [PHONE], "untrusted-resolver"],
    [{ kind: "terminal", id: "aa" }, [PHONE], "untrusted-resolver"],
    [{ kind: "none", id: "aa" }, [PHONE], "untrusted-resolver"],
  ])("judges %j", (by, enrolled, code) => {
    expect(judgeResolver(by, DEFAULT_APPROVER_RULES, enrolled)).toBe(code);
  });

  it("accepts only the kinds that the owner left", () => {
    const devices = { accept: ["device"], allowRuntime: false } as const;
    expect(judgeResolver({ kind: "channel", id: CHAT.id }, devices, [CHAT])).toBe("untrusted-resolver");
    expect(judgeResolver({ kind: "device", id: PHONE.id }, { ...devices, accept: [] }, [PHONE])).toBe(
      "untrusted-resolver",
    );
  });

  it("lets the gateway's token say yes only where the owner wants that", () => {
    const rules = { accept: [], allowRuntime: true };
    expect(judgeResolver({ kind: "runtime", id: "cli" }, rules, [])).toBeNull();
    expect(judgeResolver({ kind: "system", id: "cli" }, rules, [])).toBe("untrusted-resolver");
  });
});
