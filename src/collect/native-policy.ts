/** What OpenClaw's Policy plugin is to check: the requirements that the checks here are about, and no more. */
export const NATIVE_POLICY = {
  ingress: {
    channels: {
      allowDmPolicies: ["pairing", "allowlist", "disabled"],
      denyOpenGroups: true,
      requireMentionInGroups: true,
    },
  },
  gateway: {
    exposure: { allowNonLoopbackBind: false, allowTailscaleFunnel: false },
    auth: { requireAuth: true, requireExplicitRateLimit: true },
    controlUi: { allowInsecure: false },
    http: { requireUrlAllowlists: true },
  },
  dataHandling: {
    telemetry: { denyContentCapture: true },
    retention: { requireSessionMaintenance: true },
    memory: { denySessionTranscriptIndexing: true },
  },
  secrets: { allowInsecureProviders: false },
  tools: { exec: { allowSecurity: ["deny", "allowlist"] } },
} as const;
