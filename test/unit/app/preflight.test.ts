import { describe, expect, it } from "vitest";
import { initPolicyFiles, POLICY_FILES } from "../../../src/app/init.ts";
import { preflight, type PreflightDeps } from "../../../src/app/preflight.ts";
import { SecurityError } from "../../../src/core/error.ts";

const sound: PreflightDeps = {
  nodeVersion: "v24.21.0",
  platform: "linux",
  env: {},
  checkStateFolder: async () => "/home/u/.openclaw",
  checkReportsFolder: async () => "/opt/cse/assessments",
  countRules: async () => 3,
  pathOf: (name) => `/home/u/.openclaw/security/${name}`,
  checkConfig: async () => "/home/u/.openclaw/openclaw.json",
  locate: async () => null,
  isProcUsable: async () => true,
};

async function stateOf(changes: Partial<PreflightDeps>, subject: string): Promise<unknown[]> {
  const report = await preflight({ ...sound, ...changes });
  const item = report.items.find((candidate) => candidate.subject === subject);
  return [report.status, item?.state, item?.code];
}

describe("preflight", () => {
  it("is ok when everything it looks at is sound", async () => {
    const report = await preflight(sound);
    expect(report.status).toBe("ok");
    expect(report.items.map((item) => [item.subject, item.state])).toEqual([
      ["node", "ok"],
      ["platform", "ok"],
      ["state-folder", "ok"],
      ["reports-folder", "ok"],
      ["openclaw-config", "ok"],
      ...POLICY_FILES.map((name) => [`policy:${name}`, "ok"]),
      ["sockets", "ok"],
    ]);
  });

  it.each<[string, Partial<PreflightDeps>, string, unknown[]]>([
    ["Node is older than 24.16", { nodeVersion: "v24.15.9" }, "node", ["problem", "problem", "platform-unsupported"]],
    ["Node is a newer major", { nodeVersion: "v26.1.0" }, "node", ["ok", "ok", null]],
    ["the platform is not Linux", { platform: "darwin" }, "platform", ["problem", "problem", "platform-unsupported"]],
    ["there is no state folder", { checkStateFolder: async () => null }, "state-folder", ["ok", "note", null]],
    ["a policy file is missing", { countRules: async () => null }, "policy:command-policy.json", ["ok", "note", null]],
    [
      "a policy file is missing and required",
      { countRules: async () => null, env: { OPENCLAW_REQUIRE_POLICY_FILES: "1" } },
      "policy:command-policy.json",
      ["problem", "problem", "file-missing"],
    ],
    [
      "a policy file is broken",
      {
        countRules: async () => {
          throw new SecurityError("policy-invalid", "broken");
        },
      },
      "policy:prompt-policy.json",
      ["problem", "problem", "policy-invalid"],
    ],
    [
      "only a tool can list sockets",
      { isProcUsable: async () => false, locate: async (tool) => (tool === "lsof" ? "/usr/bin/lsof" : null) },
      "sockets",
      ["ok", "note", null],
    ],
    [
      "nothing can list sockets",
      { isProcUsable: async () => false },
      "sockets",
      ["problem", "problem", "tool-missing"],
    ],
    [
      "the original's interpreter variable is set",
      { env: { OPENCLAW_PYTHON3: "/x" } },
      "environment",
      ["ok", "note", null],
    ],
  ])("says so when %s", async (_title, changes, subject, expected) => {
    expect(await stateOf(changes, subject)).toEqual(expected);
  });

  it("does not swallow a bug", async () => {
    const broken = preflight({
      ...sound,
      checkConfig: async () => {
        throw new TypeError("bug");
      },
    });
    await expect(broken).rejects.toThrow("bug");
  });
});

describe("init", () => {
  const paths = {
    prepareFolder: async () => undefined,
    readTemplate: async () => "{}",
    pathOf: (name: string) => `/s/${name}`,
  };

  it.each(["file-exists", "state-file-symlink", "state-file-not-regular"] as const)(
    "keeps what is there when creating fails with %s",
    async (code) => {
      const report = await initPolicyFiles({
        ...paths,
        create: async (name) => {
          if (name === "command-policy.json") throw new SecurityError(code, "there");
          return `/s/${name}`;
        },
      });
      expect(report.kept).toEqual(["/s/command-policy.json"]);
      expect(report.created).toHaveLength(3);
    },
  );

  it("stops when a file cannot be written", async () => {
    const run = initPolicyFiles({
      ...paths,
      create: async () => {
        throw new SecurityError("disk-full", "full");
      },
    });
    await expect(run).rejects.toMatchObject({ code: "disk-full" });
  });
});
