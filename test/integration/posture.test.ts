import { writeFile, mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { PostureReport, SudoersReport } from "../../src/app/posture.ts";
import { giveToUser } from "../helpers/cli.ts";
import { itUnless, itWith, toolPath } from "../helpers/requires.ts";
import { sudoUser, type SudoUserName, sudoUsersObstacle } from "../helpers/sudo-users.ts";
import { askSudo, sudoersObstacle } from "../helpers/sudoers-oracle.ts";
import { makeUserFolder, ordinaryUser, runAsUser } from "../helpers/unprivileged.ts";

const USE = `
import { wire } from "#src/deps/wire.ts";
const [what, stateDir] = process.argv.slice(2);
const cases = wire({ stateDir });
const plain = { digests: false, allowRootEquivalent: false };
const report = what === "posture" ? await cases.posture() : await cases.sudoersFragment({ ...plain, digests: what === "digests" });
process.stdout.write(JSON.stringify(report));
`;

async function run<T>(what: "posture" | "sudoers" | "digests", stateDir: string, user?: SudoUserName): Promise<T> {
  const account = user === undefined ? {} : { user: sudoUser(user), home: "/" };
  const done = await runAsUser(USE, { args: [what, stateDir], ...account });
  if (done.exitCode !== 0) throw new Error(done.stderr);
  return JSON.parse(done.stdout) as T;
}

async function stateWith(policy: unknown): Promise<string> {
  const stateDir = await makeUserFolder();
  const folder = join(stateDir, "security");
  await mkdir(folder, { mode: 0o700 });
  await giveToUser(folder);
  await writeFile(join(folder, "command-policy.json"), JSON.stringify(policy), { mode: 0o600 });
  await giveToUser(join(folder, "command-policy.json"));
  return stateDir;
}

const ALLOW = { effect: "allow" } as const;
const POLICY = {
  schemaVersion: 2,
  unmatched: "ask",
  rules: [
    { id: "merged", ...ALLOW, binary: "/bin/true", args: [] },
    { id: "odd", ...ALLOW, binary: "/usr/bin/printf", args: ["a=b,c:d\\e*", "#1"] },
    { id: "spaced", ...ALLOW, binary: "/usr/bin/printf", args: ["a b"] },
    { id: "missing", ...ALLOW, binary: "/usr/bin/no-such-program", args: [] },
    { id: "setuid", ...ALLOW, binary: "/usr/bin/passwd", args: [] },
    { id: "shell", ...ALLOW, binary: "/usr/bin/bash", args: ["-c", "true"] },
    { id: "denied", ...ALLOW, binary: "/usr/bin/id", args: [] },
    { id: "no-id", effect: "deny", binary: "id", args: "any" },
  ],
};

describe("cse posture on this host", () => {
  it("gives an ordinary account a level with reasons, and promises no more than that level", async () => {
    const report = await run<PostureReport>("posture", await makeUserFolder());
    expect(report.status).toBe("ok");
    expect(["L0", "L1"]).toContain(report.level);
    // Nothing here is boxed in or enrolled.
    expect(report.reasons.map(({ id }) => id)).toEqual(expect.arrayContaining(["tools_contained", "approver_apart"]));
    expect(report.guaranteed.join(" ")).not.toContain("cannot start sudo");
    expect(report.account).toBe((await ordinaryUser()).name);
  });

  itUnless(sudoUsersObstacle(), "says L0 of an account that becomes root without a password", async () => {
    const report = await run<PostureReport>("posture", await makeUserFolder(), "cse-sudo");
    expect(report.level).toBe("L0");
    expect(report.reasons.find(({ id }) => id === "no_passwordless_root")).toMatchObject({
      measured: true,
      // Other tests leave setuid files in /tmp for a moment, which then are named too.
      said: expect.stringMatching(/^cse-sudo reaches root without a password: .*sudo ALL$/),
    });
  });

  itUnless(
    sudoUsersObstacle(),
    "does not take the silence of a sudo that wants a password for a closed door",
    async () => {
      const report = await run<PostureReport>("posture", await makeUserFolder(), "cse-password");
      expect(report.level).toBe("L0");
      expect(report.reasons.map(({ id }) => id)).toEqual(
        expect.arrayContaining(["every_way_to_root_seen", "password_not_cached"]),
      );
    },
  );
});

describe("cse posture --sudoers on this host", () => {
  itWith(
    ["visudo", "bash", "passwd"],
    "prints what visudo accepts, names what it left out, and leaves no file behind",
    async () => {
      const stateDir = await stateWith(POLICY);
      const report = await run<SudoersReport>("sudoers", stateDir);
      expect(report.written.map(({ command }) => command)).toEqual([
        '/usr/bin/true ""',
        "/usr/bin/printf a\\=b\\,c\\:d\\\\\\\\e\\* \\#1",
      ]);
      expect(report.refused.map(({ id, code }) => [id, code])).toEqual([
        ["missing", "binary-unusable"],
        ["setuid", "binary-unusable"],
        ["shell", "root-equivalent"],
        ["denied", "denied-by-policy"],
        ["spaced", "inexpressible"],
      ]);
      expect(await readdir(join(stateDir, "security/tmp"))).toEqual([]);
    },
  );

  const obstacle = sudoersObstacle() ?? (toolPath("visudo") === null ? "visudo not installed" : null);
  itUnless(
    obstacle,
    "lets real sudo run exactly the policy's commands, as long as the program has the same bytes",
    async () => {
      const stateDir = await stateWith(POLICY);
      const { name } = await ordinaryUser();
      const queries = [
        ["/usr/bin/true"],
        ["/bin/true"],
        ["/usr/bin/printf", "a=b,c:d\\e*", "#1"],
        ["/usr/bin/true", "x"],
        ["/usr/bin/printf", "a=b,c:d\\ex", "#1"],
        ["/usr/bin/printf"],
        ["/usr/bin/bash", "-c", "true"],
        ["/usr/bin/id"],
      ];
      const expected = [true, true, true, false, false, false, false, false];
      for (const what of ["sudoers", "digests"] as const) {
        const { text } = await run<SudoersReport>(what, stateDir);
        expect(await askSudo(text ?? "", name, queries)).toEqual(expected);
        const other = text?.replaceAll(/sha256:[0-9a-f]{64}/g, `sha256:${"0".repeat(64)}`) ?? "";
        const changed = what === "digests" ? expected.map(() => false) : expected;
        expect(await askSudo(other, name, queries)).toEqual(changed);
      }
    },
  );
});
