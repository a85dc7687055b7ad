import { describe, expect, it } from "vitest";
import { SecurityError } from "../../../src/core/error.ts";
import {
  parseExecPolicy,
  parseGatewayStatus,
  parsePolicyCheck,
  parseSecretsAudit,
  parseSecurityAudit,
  parseUpdateStatus,
} from "../../../src/schema/native-output.ts";

// Shapes as OpenClaw 2026.9.6 prints them.
const AUDIT = {
  ts: 1,
  summary: { critical: 1, warn: 1, info: 0 },
  findings: [
    { checkId: "discovery.mdns_full_mode", severity: "critical", title: "mDNS full mode", detail: "..." },
    {
      checkId: "config.insecure_or_dangerous_flags",
      severity: "warn",
      title: "Dangerous flag",
      detail: "hooks.allowRequestSessionKey=true",
    },
  ],
  suppressedFindings: [{ checkId: "a.b", severity: "warn", title: "left out", detail: "" }],
  secretDiagnostics: [],
};

describe("openclaw security audit", () => {
  it("gives its findings, the suppressed ones marked, and the name of a flag", () => {
    const { said, findings } = parseSecurityAudit(JSON.stringify(AUDIT));
    expect(said).toBe("1 critical, 1 warnings, 1 left out by suppressions");
    expect(findings.map(({ id, severity, suppressed }) => [id, severity, suppressed])).toEqual([
      ["discovery.mdns_full_mode", "critical", false],
      ["config.insecure_or_dangerous_flags", "warn", false],
      ["a.b", "warn", true],
    ]);
    expect(findings[1]?.title).toBe("Dangerous flag: hooks.allowRequestSessionKey=true");
  });

  it("is read after lines that are not JSON, and its text is made safe for a terminal", () => {
    const finding = { checkId: "a", severity: "info", title: "\u001b[31mred\u202e", detail: "" };
    const { findings } = parseSecurityAudit(`state migrated\n${JSON.stringify({ ...AUDIT, findings: [finding] })}`);
    expect(findings[0]?.title).toBe("\\u{1b}[31mred\\u{202e}");
  });
});

describe("the other commands", () => {
  it("secrets audit: a reference that leads nowhere here is no fault, a secret in clear is", () => {
    const text = JSON.stringify({
      status: "findings",
      resolution: { skippedExecRefs: 1 },
      findings: [
        {
          code: "PLAINTEXT_FOUND",
          severity: "warn",
          file: "/f",
          jsonPath: "a.b",
          message: "a.b is stored as plaintext.",
        },
        { code: "REF_UNRESOLVED", severity: "error", file: "/f", jsonPath: "c", message: "c cannot be resolved." },
      ],
    });
    const { said, findings } = parseSecretsAudit(text);
    expect(said).toBe("2 findings, 1 reference to commands not followed");
    expect(findings.map(({ id, severity }) => [id, severity])).toEqual([
      ["secrets:PLAINTEXT_FOUND", "warn"],
      ["secrets:REF_UNRESOLVED", "info"],
    ]);
  });

  it("policy check: a finding of the whole and of an agent is one", () => {
    const one = { checkId: "policy/gateway-auth-disabled", severity: "error", message: "no auth", target: "oc://x" };
    const { said, findings } = parsePolicyCheck(JSON.stringify({ ok: false, checksRun: 68, findings: [one, one] }));
    expect([said, findings.length, findings[0]?.severity]).toEqual(["1 finding in 68 checks", 1, "warn"]);
  });

  it("exec-policy show, update status and gateway status say what is", () => {
    const scope = { agentId: "main", security: { effective: "full" }, ask: { effective: "off" } };
    expect(parseExecPolicy(JSON.stringify({ effectivePolicy: { scopes: [scope] } })).said).toBe(
      "main: security full, ask off",
    );
    const update = (availability: object): ReturnType<typeof parseUpdateStatus> =>
      parseUpdateStatus(JSON.stringify({ update: {}, availability }));
    expect(update({ available: true, latestVersion: "2026.10.1" }).findings.map(({ id }) => id)).toEqual([
      "update:available",
    ]);
    expect(update({ available: false, latestVersion: null }).said).toBe("the registry gave no answer");
    const gateway = { bindMode: "loopback", bindHost: "127.0.0.1", port: 18_789 };
    expect(parseGatewayStatus(JSON.stringify({ gateway, rpc: { ok: false } })).said).toBe(
      "bound to 127.0.0.1 (loopback), port 18789, gives no answer",
    );
  });
});

const PARSERS = [
  parseSecurityAudit,
  parseSecretsAudit,
  parsePolicyCheck,
  parseExecPolicy,
  parseUpdateStatus,
  parseGatewayStatus,
];
const BAD = [
  "",
  "no json",
  "[]",
  "{}",
  "null",
  '{"findings":{}}',
  '{"ok":true,"findings":[1]}',
  '{"findings":[{"severity":"x"}]}',
];

describe("output that is not known", () => {
  it.each(PARSERS.flatMap((parse) => BAD.map((text) => [parse.name, text, parse] as const)))(
    "is refused by %s: %j",
    (_name, text, parse) => {
      let code: unknown = "nothing was thrown";
      try {
        parse(text);
      } catch (thrown) {
        code = thrown instanceof SecurityError ? thrown.code : thrown;
      }
      expect(code).toBe("json-invalid");
    },
  );
});
