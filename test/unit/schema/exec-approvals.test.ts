import { describe, expect, it } from "vitest";
import { SecurityError } from "../../../src/core/error.ts";
import { parseExecApprovals } from "../../../src/schema/exec-approvals.ts";

describe("OpenClaw's document of approvals", () => {
  it("gives commands and tools of servers, with when they were last used", () => {
    const document = {
      version: 1,
      defaults: { security: "deny", autoAllowSkills: true },
      agents: {
        main: {
          autoAllowSkills: true,
          allowlist: [
            { pattern: "/usr/bin/rg", argPattern: "sha256:argv:x", lastUsedAt: 1_795_000_000_000 },
            "/bin/ls",
          ],
          mcpTools: [{ server: "docs", tool: "publish", addedAt: 1_795_000_000_000 }],
        },
      },
    };
    const at = "2026-11-18T11:06:40.000Z";
    expect(parseExecApprovals(JSON.stringify(document))).toEqual({
      auto_allow_skills: ["every agent", "main"],
      entries: [
        {
          agent: "main",
          kind: "command",
          what: "/usr/bin/rg",
          has_arguments: true,
          last_used_at: expect.any(String) as unknown,
        },
        { agent: "main", kind: "command", what: "/bin/ls", has_arguments: false, last_used_at: null },
        {
          agent: "main",
          kind: "mcp-tool",
          what: "docs/publish",
          has_arguments: false,
          last_used_at: expect.any(String) as unknown,
        },
      ],
    });
    expect(Date.parse(parseExecApprovals(JSON.stringify(document)).entries[0]?.last_used_at ?? "")).toBe(
      Date.parse(at),
    );
  });

  it("takes an empty one for nothing allowed", () => {
    expect(parseExecApprovals('{"version":1}')).toEqual({ entries: [], auto_allow_skills: [] });
  });

  it.each([
    ["{", "json-invalid"],
    ["[]", "schema-version-unsupported"],
    ['{"version":2}', "schema-version-unsupported"],
    ['{"version":1,"agents":[]}', "schema-version-unsupported"],
    ['{"version":1,"agents":{"a":{"allowlist":{}}}}', "schema-version-unsupported"],
    ['{"version":1,"agents":{"a":{"allowlist":[{"glob":"x"}]}}}', "schema-version-unsupported"],
    ['{"version":1,"agents":{"a":{"mcpTools":[{"server":"x"}]}}}', "schema-version-unsupported"],
  ])("refuses %j as %s", (text, code) => {
    let found: unknown = "nothing was thrown";
    try {
      parseExecApprovals(text);
    } catch (thrown) {
      found = thrown instanceof SecurityError ? thrown.code : thrown;
    }
    expect(found).toBe(code);
  });
});
