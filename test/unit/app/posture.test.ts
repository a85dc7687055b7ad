import { describe, expect, it } from "vitest";
import { posture, sudoersFragment, type SudoersDeps, type SudoersOptions } from "../../../src/app/posture.ts";
import type { BinaryIdentity, ElevationRequest, ResolvedCommand } from "../../../src/core/elevation.ts";
import { SecurityError } from "../../../src/core/error.ts";
import { refuse } from "../../../src/core/refusal.ts";
import { GATEWAY, NOW, seen, unseen } from "../../helpers/assess-evidence.ts";
import { bestPosture } from "../../helpers/posture-evidence.ts";

const SHA256 = "ab".repeat(32);
const PLAIN: SudoersOptions = { digests: false, allowRootEquivalent: false };

function resolved(request: ElevationRequest, change: Partial<ResolvedCommand> = {}, path?: string): ResolvedCommand {
  const file = { dev: "1", ino: "2", size: 3, mtimeNs: "4", ctimeNs: "5", uid: 0, mode: 0o755, sha256: SHA256 };
  const binary: BinaryIdentity = {
    ...file,
    path: path ?? request.argv[0],
    realPath: path ?? request.argv[0],
    hops: [],
  };
  return {
    request,
    binary,
    interpreter: null,
    operands: [],
    target: { user: "root", uid: 0, gid: 0 },
    cwd: { path: request.cwd, dev: "1", ino: "1" },
    limits: [],
    ...change,
  };
}

interface Setup {
  readonly policy: unknown;
  readonly change?: Partial<SudoersDeps>;
  readonly options?: Partial<SudoersOptions>;
}

async function write({ policy, change, options }: Setup): ReturnType<typeof sudoersFragment> {
  const deps: SudoersDeps = {
    now: () => NOW,
    account: async () => await Promise.resolve(seen(GATEWAY)),
    loadPolicy: async () => await Promise.resolve({ path: "/p", text: JSON.stringify(policy) }),
    resolve: async (request) => await Promise.resolve(resolved(request)),
    ownFolder: "/own",
    logsJson: async () => await Promise.resolve(true),
    check: async () => await Promise.resolve(null),
    ...change,
  };
  return await sudoersFragment(deps, { ...PLAIN, ...options });
}

function v2(...rules: readonly Record<string, unknown>[]): unknown {
  return { schemaVersion: 2, unmatched: "ask", rules };
}

const UPDATE = { id: "up", effect: "allow", binary: "/usr/bin/uptime", args: ["-p"] };

async function codesOf(setup: Setup): Promise<unknown> {
  const report = await write(setup);
  return [report.written.map(({ id }) => id), report.refused.map(({ id, code }) => [id, code])];
}

describe("posture", () => {
  it("gives the level with the facts behind it, but not the configuration", async () => {
    const report = await posture({ now: () => NOW, collect: async () => await Promise.resolve(bestPosture()) });
    expect(report).toMatchObject({ level: "L2", account: "openclaw", account_basis: "process", status: "ok" });
    expect(Object.keys(report.evidence)).not.toContain("config");
  });

  it("has a level also where the account is not known", async () => {
    const evidence = bestPosture({ account: unseen() });
    const report = await posture({ now: () => NOW, collect: async () => await Promise.resolve(evidence) });
    expect(report).toMatchObject({ level: "L0", account: null, account_basis: null });
  });
});

describe("sudoersFragment", () => {
  it("writes the rules of the policy and says where they would go", async () => {
    const report = await write({ policy: v2(UPDATE) });
    expect(report.written).toEqual([{ id: "up", alias: "CSE_998_1", command: "/usr/bin/uptime -p" }]);
    expect(report.path).toBe("/etc/sudoers.d/90-cse-openclaw");
    expect(report.text).toContain("openclaw ALL=(root) NOPASSWD: NOSETENV: CSE_998_1\n");
    expect(report.text).not.toContain("sha256:");
  });

  it("binds each command to its bytes when asked", async () => {
    const report = await write({ policy: v2(UPDATE), options: { digests: true } });
    expect(report.text).toContain(`= sha256:${SHA256} /usr/bin/uptime -p\n`);
  });

  it("writes the path of the file that was looked at", async () => {
    const rule = { ...UPDATE, binary: "/bin/uptime" };
    const change = {
      resolve: async (request: ElevationRequest) => await Promise.resolve(resolved(request, {}, "/usr/bin/uptime")),
    };
    expect((await write({ policy: v2(rule), change })).written.map(({ command }) => command)).toEqual([
      "/usr/bin/uptime -p",
    ]);
  });

  it("leaves out what a deny rule takes away, wherever it stands", async () => {
    const deny = { id: "no", effect: "deny", binary: "uptime", args: "any" };
    const expected = [[], [["up", "denied-by-policy"]]];
    expect(await codesOf({ policy: v2(UPDATE, deny) })).toEqual(expected);
    expect(await codesOf({ policy: v2(deny, UPDATE) })).toEqual(expected);
    expect(await codesOf({ policy: { allow_exact: ["/usr/bin/uptime -p"], deny: ["uptime"] } })).toEqual([
      [],
      [["allow_exact[0]", "denied-by-policy"]],
    ]);
  });

  it("counts a deny rule about one folder for a command that may start in any", async () => {
    const deny = { id: "no", effect: "deny", binary: "uptime", args: "any", cwd: "/srv" };
    expect(await codesOf({ policy: v2(UPDATE, deny) })).toEqual([[], [["up", "denied-by-policy"]]]);
    expect(await codesOf({ policy: v2({ ...UPDATE, cwd: "/" }, deny) })).toEqual([["up"], []]);
  });

  it("leaves out a command that amounts to root, unless that is asked for", async () => {
    const shell = { ...UPDATE, id: "sh", binary: "/usr/bin/bash", args: ["-c", "true"] };
    expect(await codesOf({ policy: v2(shell) })).toEqual([[], [["sh", "root-equivalent"]]]);
    expect(await codesOf({ policy: v2(shell), options: { allowRootEquivalent: true } })).toEqual([["sh"], []]);
  });

  it("sees through a link to a program that amounts to root", async () => {
    const link = { ...UPDATE, id: "link", binary: "/usr/bin/view-it", args: ["x"] };
    const change = {
      resolve: async (request: ElevationRequest) => {
        const plain = resolved(request);
        return await Promise.resolve({ ...plain, binary: { ...plain.binary, realPath: "/usr/bin/vim.basic" } });
      },
    };
    expect(await codesOf({ policy: v2(link), change })).toEqual([[], [["link", "root-equivalent"]]]);
  });

  it("leaves out a command whose file would be refused before a run", async () => {
    const change = {
      resolve: async () => await Promise.resolve(refuse("command-path-writable", "others can change it")),
    };
    expect(await codesOf({ policy: v2(UPDATE), change })).toEqual([[], [["up", "binary-unusable"]]]);
  });

  it("leaves out a command that names a file others can change, or one relative to any folder", async () => {
    const change = {
      resolve: async (request: ElevationRequest) => {
        const { binary } = resolved(request);
        return await Promise.resolve(resolved(request, { operands: [{ ...binary, path: "/tmp/x", index: 1 }] }));
      },
    };
    expect(await codesOf({ policy: v2(UPDATE), change })).toEqual([[], [["up", "mutable-operand"]]]);
    for (const word of ["./x", "../x", "a/b", ".."]) {
      expect(await codesOf({ policy: v2({ ...UPDATE, args: [word] }) })).toEqual([[], [["up", "mutable-operand"]]]);
    }
    expect(await codesOf({ policy: v2({ ...UPDATE, args: ["./x"], cwd: "/srv" }) })).toEqual([["up"], []]);
  });

  it("looks at a command without a folder from one that the account can write to", async () => {
    const folders: string[] = [];
    const change = {
      resolve: async (request: ElevationRequest) => {
        folders.push(request.cwd);
        return await Promise.resolve(resolved(request));
      },
    };
    await write({ policy: v2(UPDATE, { ...UPDATE, id: "there", cwd: "/srv" }), change });
    expect(folders).toEqual(["/own", "/srv"]);
  });

  it("shows nothing that visudo does not accept", async () => {
    const change = { check: async () => await Promise.resolve("syntax error near line 3") };
    await expect(write({ policy: v2(UPDATE), change })).rejects.toMatchObject({ code: "tool-failed" });
  });

  it("shows nothing when visudo cannot be asked", async () => {
    const change = { check: async () => await Promise.reject(new SecurityError("tool-missing", "no visudo")) };
    await expect(write({ policy: v2(UPDATE), change })).rejects.toMatchObject({ code: "tool-missing" });
  });

  it("asks nobody about lines that are not there", async () => {
    const change = { check: async () => await Promise.reject(new SecurityError("internal", "asked")) };
    expect((await write({ policy: v2(), change })).text).toBeNull();
  });

  it.each([
    ["a missing policy", { loadPolicy: async () => await Promise.resolve(null) }, "file-missing"],
    [
      "a policy with a broken pattern",
      { loadPolicy: async () => await Promise.resolve({ path: "/p", text: '{"deny":["("]}' }) },
      "policy-invalid",
    ],
    [
      "root's account",
      { account: async () => await Promise.resolve(seen({ ...GATEWAY, uid: 0, user: "root" })) },
      "invalid-argument",
    ],
    [
      "an account without a name",
      { account: async () => await Promise.resolve(seen({ ...GATEWAY, user: null })) },
      "invalid-argument",
    ],
    ["an account nobody could look at", { account: async () => await Promise.resolve(unseen()) }, "collector-failed"],
  ])("refuses %s", async (_title, change: Partial<SudoersDeps>, code) => {
    await expect(write({ policy: v2(UPDATE), change })).rejects.toMatchObject({ code });
  });
});
