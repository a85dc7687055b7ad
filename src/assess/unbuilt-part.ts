/**
 * Measurements that some answers need and that no assessment makes yet, each with what is therefore
 * unknown. A check that needs one is never better than `not_assessed`.
 */
export const UNBUILT_PARTS = {
  "approval-probe":
    "no assessment asks the gateway for an unapproved privileged command, so none shows that the plugin's approvals refuse one",
  "hook-probe":
    "no assessment makes a privileged call through the agent's own tools, so none shows that the plugin's hook holds one",
  "native-exec-policy":
    "OpenClaw's own exec approvals (`openclaw exec-policy show`) are shown and not weighed; they may be stricter than its config",
  "second-factor":
    "no assessment examines whether the gateway's account can read what verifies a second factor, such as the plugin's approvalToken",
  "egress-probe":
    "no probe yet shows that a destination outside the allowlist is refused, and firewall rules for what goes out are not yet read",
  "egress-journal": "connections are not yet recorded over time; one look cannot show what happened between two looks",
  "code-scan":
    "the code of plugins and skills is not scanned yet; `openclaw security audit --deep` does that for some of it",
  "audit-sink": "nothing yet sends security records to another machine and waits until they have arrived there",
  "restore-rehearsal": "no rehearsal of a restore is run or recorded yet",
} as const;

export type UnbuiltPart = keyof typeof UNBUILT_PARTS;
