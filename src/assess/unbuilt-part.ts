/**
 * Parts of this project that some answers need and that do not exist yet, each with what is
 * therefore unknown. A check that needs one is never better than `not_assessed`.
 */
export const UNBUILT_PARTS = {
  "gateway-approvals":
    "the gateway does not yet hand its agents' commands to the approvals that bind `cse run`, so no probe can show that it refuses an unapproved one",
  "gateway-hook":
    "the hook that holds privileged tool calls inside the gateway does not exist yet, so no probe can show that it holds",
  "native-exec-policy":
    "OpenClaw's own exec approvals (`openclaw exec-policy show`) are shown and not weighed; they may be stricter than its config",
  "second-factor": "approvals do not yet carry a second factor that could be examined",
  "egress-probe":
    "no probe yet shows that a destination outside the allowlist is refused, and firewall rules for what goes out are not yet read",
  "egress-journal": "connections are not yet recorded over time; one look cannot show what happened between two looks",
  "code-scan":
    "the code of plugins and skills is not scanned yet; `openclaw security audit --deep` does that for some of it",
  "audit-sink": "nothing yet sends security records to another machine and waits until they have arrived there",
  "restore-rehearsal": "no rehearsal of a restore is run or recorded yet",
} as const;

export type UnbuiltPart = keyof typeof UNBUILT_PARTS;
