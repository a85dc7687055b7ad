import type { CheckMeta, CheckResult } from "../assessment.ts";
import type { AssessEvidence } from "../evidence.ts";
import { type Fact, line, missing, weigh } from "../weigh.ts";
import type { StateVolume } from "../../core/setup-evidence.ts";

export const meta: CheckMeta = {
  check_id: "disk_encryption_enabled",
  title: "OpenClaw's state lies on encrypted storage",
  iso27001: ["A.8.24", "A.8.1"],
  nist_csf: ["PR.DS-01"],
  nist_800_53: ["SC-28(1)"],
  cis: ["3.6", "3.11"],
  mapping_confidence: "medium",
  default_risk: "medium",
  expected_state: "The file system that holds the state folder lies on an encrypted device (dm-crypt).",
  mitigation: "Move the state folder to an encrypted volume (LUKS), or set the machine up again with disk encryption",
  owner: "IT Operations",
  uses: ["volume"],
  status_rules: {
    compliant: "The device below the state folder is encrypted.",
    partial: "It is not, on a machine that stays where it is.",
    violation: "It is not, on a machine that is carried around.",
    not_assessed:
      "It cannot be told: a virtual machine or container, whose storage somebody else may encrypt, or an unknown file system.",
    not_applicable: "There is no state folder.",
  },
  needs: [],
};

export function check({ volume }: AssessEvidence): CheckResult {
  if (volume.kind === "unmeasured") return weigh([missing(volume)], [line(volume, "")]);
  const { value } = volume;
  const seen = `${value.path} is on ${value.source} (${value.type}, mounted at ${value.mount_point}): ${value.basis}`;
  return weigh([factOf(value, seen)], [line(volume, seen)]);
}

function factOf({ encrypted, is_portable: isPortable, basis }: StateVolume, seen: string): Fact {
  if (encrypted === true) return { kind: "good", seen };
  if (encrypted === null) {
    return {
      kind: "unknown",
      reason: `whether the state folder's storage is encrypted cannot be told: ${basis}`,
      remedy: "Ask whoever runs the storage, and accept their answer in a waiver",
    };
  }
  return {
    kind: isPortable === true ? "violation" : "partial",
    seen,
    gap: `the state folder's storage is not encrypted${isPortable === true ? ", on a machine that is carried around" : ""}`,
    fix: meta.mitigation,
  };
}
