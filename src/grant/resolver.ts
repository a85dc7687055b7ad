import type { ApproverRules, EnrolledApprover } from "../core/approvers.ts";
import type { ApproverIdentity } from "../core/elevation.ts";
import type { RefusalCode } from "../core/refusal.ts";

/**
 * Null: this resolver's yes counts. A device only when the owner enrolled it: any local process can
 * pair one of its own. A channel as it is, or, once one is enrolled, only the enrolled ones.
 */
export function judgeResolver(
  by: ApproverIdentity,
  rules: ApproverRules,
  enrolled: readonly EnrolledApprover[],
): RefusalCode | null {
  switch (by.kind) {
    case "device":
    case "channel": {
      if (!rules.accept.includes(by.kind)) return "untrusted-resolver";
      const sameKind = enrolled.filter(({ kind }) => kind === by.kind);
      const isOpen = by.kind === "channel" && sameKind.length === 0;
      return isOpen || sameKind.some(({ id }) => id === by.id) ? null : "approver-not-enrolled";
    }
    case "runtime":
      return rules.allowRuntime ? null : "untrusted-resolver";
    case "system":
    case "terminal":
    case "none":
      return "untrusted-resolver";
  }
}
