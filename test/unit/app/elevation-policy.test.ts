import { describe, expect, it } from "vitest";
import type { PolicyAnswer, PolicyNow } from "../../../src/app/elevate.ts";
import { loadPolicyNow, type LoadPolicyDeps } from "../../../src/app/elevation-policy.ts";
import type { PolicyFileName } from "../../../src/app/init.ts";
import type { ResolvedCommand } from "../../../src/core/elevation.ts";
import { SecurityError } from "../../../src/core/error.ts";
import type { Refusal } from "../../../src/core/refusal.ts";
import { sampleBinary, sampleCommand, sampleFile, sha256Hex, START } from "../../helpers/sample-question.ts";

type Compiled = LoadPolicyDeps["compiled"];
type Files = Partial<Record<PolicyFileName, unknown>>;
const DENY_ALL = { schemaVersion: 2, unmatched: "deny", rules: [] };
const WHOLE: Files = {
  "command-policy.json": DENY_ALL,
  "approved_ports.json": { schemaVersion: 2, rules: [] },
  "egress_allowlist.json": { schemaVersion: 2, rules: [] },
  "prompt-policy.json": { require_confirmation_for_untrusted: false },
};

/** A text is the file's text as it is, an error is thrown, anything else becomes JSON. */
async function load(files: Files, isRequired = false, compiled: Compiled = new Map()): Promise<PolicyNow | Refusal> {
  return await loadPolicyNow({
    load: async (name) => {
      const content = files[name];
      if (content === undefined) return null;
      if (content instanceof Error) throw content;
      return { path: `/policy/${name}`, text: typeof content === "string" ? content : JSON.stringify(content) };
    },
    isRequired,
    now: () => START.wallMs,
    sha256Hex,
    compiled,
  });
}

async function loaded(files: Files, isRequired = false): Promise<PolicyNow> {
  const policy = await load(files, isRequired);
  if ("kind" in policy) throw new Error(`refused: ${policy.message}`);
  return policy;
}

const refusalOf = async (files: Files, isRequired = false): Promise<string> => {
  const policy = await load(files, isRequired);
  return "kind" in policy ? policy.code : "loaded";
};

const verdict = (answer: PolicyAnswer): string => (answer.kind === "deny" ? answer.refusal.code : answer.kind);

async function decide(policy: unknown, command: ResolvedCommand = sampleCommand()): Promise<PolicyAnswer> {
  return (await loaded({ "command-policy.json": policy })).decide(command);
}

describe("a policy that was compiled before", () => {
  const denies = async (files: Files, compiled: Compiled): Promise<string> => {
    const policy = await load(files, false, compiled);
    return "kind" in policy ? policy.code : verdict(policy.decide(sampleCommand()));
  };

  it("is used again for the same file only: an edit counts at once", async () => {
    const compiled: Compiled = new Map();
    const [deny, ask] = [
      { "command-policy.json": DENY_ALL },
      { "command-policy.json": { ...DENY_ALL, unmatched: "ask" } },
    ];
    expect(await denies(deny, compiled)).toBe("policy-unmatched");
    const [first] = compiled.values();
    expect(await denies(deny, compiled)).toBe("policy-unmatched");
    expect([compiled.size, [...compiled.values()][0] === first]).toEqual([1, true]);
    expect(await denies(ask, compiled)).toBe("permit");
    expect(await denies(deny, compiled)).toBe("policy-unmatched");
    expect(await denies({}, compiled)).toBe("permit");
  });

  it("is no way around a broken one, and few are kept", async () => {
    const compiled: Compiled = new Map();
    expect(await denies({ "command-policy.json": "{" }, compiled)).toBe("policy-broken");
    expect(compiled.size).toBe(0);
    for (let index = 0; index < 20; index += 1)
      await denies({ "command-policy.json": { deny: [`x${index}`] } }, compiled);
    expect(compiled.size).toBeLessThan(5);
  });
});

describe("H38: a broken policy refuses everything", () => {
  it.each<[string, unknown]>([
    ["truncated JSON", '{"deny": ['],
    ["an empty file", ""],
    ["a list", []],
    ["null", "null"],
    ["a text in place of a list", { deny: "." }],
    ["a key in another case", { Deny: ["."] }],
    ["an unknown key", { deny: ["."], extra: 1 }],
    ["a key twice", '{"deny": ["."], "deny": []}'],
    ["a bad pattern", { deny: ["("] }],
    ["another version", { schemaVersion: 3, rules: [] }],
    ["an unreadable file", new SecurityError("file-unreadable", "mode 000")],
    ["a file that others can change", new SecurityError("state-file-insecure-mode", "0666")],
    ["an error of another kind", new Error("EIO")],
  ])("%s", async (_title, content) => {
    expect(await refusalOf({ "command-policy.json": content })).toBe("policy-broken");
  });

  it.each<[string, unknown]>([
    ["truncated JSON", "{"],
    ["no key", {}],
    ["a text for a boolean", { require_confirmation_for_untrusted: "no" }],
    ["an unreadable file", new SecurityError("file-unreadable", "mode 000")],
  ])("also a prompt policy with %s", async (_title, content) => {
    expect(await refusalOf({ "prompt-policy.json": content })).toBe("policy-broken");
  });

  it("says where the defect is", async () => {
    expect(await load({ "command-policy.json": "{" })).toMatchObject({
      message: expect.stringContaining("/policy/command-policy.json") as string,
    });
  });
});

describe("OPENCLAW_REQUIRE_POLICY_FILES", () => {
  it("elevates with all files there and valid", async () => {
    expect(await refusalOf(WHOLE, true)).toBe("loaded");
  });

  it.each(["command-policy.json", "approved_ports.json", "egress_allowlist.json"] as const)(
    "refuses while %s is missing, and names it",
    async (name) => {
      const { [name]: _missing, ...rest } = WHOLE;
      expect(await load(rest, true)).toMatchObject({ code: "policy-missing", message: `${name} does not exist` });
      expect(await refusalOf(rest)).toBe("loaded");
    },
  );

  it.each(["command-policy.json", "approved_ports.json", "egress_allowlist.json", "prompt-policy.json"] as const)(
    "refuses while %s is invalid or unreadable",
    async (name) => {
      expect(await refusalOf({ ...WHOLE, [name]: "{" }, true)).toBe("policy-broken");
      expect(await refusalOf({ ...WHOLE, [name]: { surprise: true } }, true)).toBe("policy-broken");
      const unreadable = new SecurityError("permission-denied", "mode 000");
      expect(await refusalOf({ ...WHOLE, [name]: unreadable }, true)).toBe("policy-broken");
    },
  );

  it("needs no prompt policy", async () => {
    const { "prompt-policy.json": _missing, ...rest } = WHOLE;
    expect(await refusalOf(rest, true)).toBe("loaded");
  });
});

describe("R-43: the digest of the policy", () => {
  it("differs with every byte of the files that decide, and with their absence", async () => {
    const variants: readonly Files[] = [
      {},
      { "command-policy.json": "{}" },
      { "command-policy.json": "{} " },
      { "command-policy.json": DENY_ALL },
      { "prompt-policy.json": { require_confirmation_for_untrusted: true } },
      { "prompt-policy.json": { require_confirmation_for_untrusted: false } },
      { "command-policy.json": "{}", "prompt-policy.json": { require_confirmation_for_untrusted: false } },
    ];
    const digests = await Promise.all(variants.map(async (files) => (await loaded(files)).sha256));
    expect(new Set(digests).size).toBe(variants.length);
    expect((await loaded({})).sha256).toBe(digests[0]);
  });
});

describe("what the policy decides", () => {
  const rule = { id: "apt", effect: "allow", binary: "/usr/bin/apt-get", args: ["update"] };

  it("without a file a human may be asked", async () => {
    expect((await loaded({})).decide(sampleCommand())).toMatchObject({ kind: "permit", ruleId: null });
  });

  it("permits by a rule, denies by a rule and denies what no rule names", async () => {
    expect(await decide({ ...DENY_ALL, rules: [rule] })).toMatchObject({ kind: "permit", ruleId: "apt" });
    const denied = await decide({ ...DENY_ALL, rules: [{ ...rule, effect: "deny" }] });
    expect([verdict(denied), denied.ruleId]).toEqual(["policy-denied", "apt"]);
    expect(verdict(await decide(DENY_ALL))).toBe("policy-unmatched");
  });

  it("a non-empty allow list of the original's form denies the rest", async () => {
    expect(verdict(await decide({ allow: ["^/usr/bin/id$"] }))).toBe("policy-unmatched");
    expect(verdict(await decide({ deny: ["apt-get"] }))).toBe("policy-denied");
  });

  it("H40, T53: decides by the file that would run, not by the word that was asked", async () => {
    const command = sampleCommand(
      { argv: ["/opt/link/apt-get", "update"] },
      { binary: sampleBinary("/usr/bin/apt-get") },
    );
    expect(await decide({ ...DENY_ALL, rules: [rule] }, command)).toMatchObject({ kind: "permit", ruleId: "apt" });
    const denied = { schemaVersion: 2, unmatched: "ask", rules: [{ ...rule, effect: "deny" }] };
    expect(verdict(await decide(denied, command))).toBe("policy-denied");
  });

  it("H26: a deny rule also holds for the real file behind a link", async () => {
    const binary = { ...sampleBinary("/usr/bin/editor"), realPath: "/usr/bin/vim.basic" };
    const policy = {
      schemaVersion: 2,
      unmatched: "ask",
      rules: [{ id: "no-vim", effect: "deny", binary: "/usr/bin/vim.basic", args: "any" }],
    };
    expect(verdict(await decide(policy, sampleCommand({ argv: ["/usr/bin/editor"] }, { binary })))).toBe(
      "policy-denied",
    );
  });

  it("an allow rule for root is none for another user", async () => {
    const command = sampleCommand({ argv: ["/usr/bin/apt-get", "update"], runAs: "bob" });
    expect(verdict(await decide({ ...DENY_ALL, rules: [rule] }, command))).toBe("policy-unmatched");
  });

  it("an expired allow rule permits nothing", async () => {
    const past = { ...rule, expires: "2020-01-01" };
    const future = { ...rule, expires: "2099-01-01" };
    expect(verdict(await decide({ ...DENY_ALL, rules: [past] }))).toBe("policy-unmatched");
    expect(verdict(await decide({ ...DENY_ALL, rules: [future] }))).toBe("permit");
  });
});

describe("what a human should think of", () => {
  it("T79: a permitted shell is named as what it is; a plain program is not", async () => {
    const policy = await loaded({});
    const shell = policy.decide(sampleCommand({ argv: ["/bin/bash", "-c", "id"] }));
    expect(shell).toMatchObject({ kind: "permit", risks: [expect.stringMatching(/./)] });
    expect(policy.decide(sampleCommand({ argv: ["/usr/bin/id"] }))).toMatchObject({ kind: "permit", risks: [] });
  });

  it("H29: every operand that others can change is named", async () => {
    const operands = [{ ...sampleFile("/home/a/list"), index: 1 }];
    const answer = (await loaded({})).decide(sampleCommand({ argv: ["/usr/bin/id", "/home/a/list"] }, { operands }));
    expect(answer).toMatchObject({
      risks: ["others can change /home/a/list; its present content is part of what you approve"],
    });
  });

  it.each<[Files, boolean]>([
    [{}, true],
    [{ "prompt-policy.json": { require_confirmation_for_untrusted: true } }, true],
    [{ "prompt-policy.json": { require_confirmation_for_untrusted: false } }, false],
  ])("untrusted content is confirmed unless the policy says otherwise: %j", async (files, expected) => {
    expect((await loaded(files)).confirmsUntrusted).toBe(expected);
  });
});
