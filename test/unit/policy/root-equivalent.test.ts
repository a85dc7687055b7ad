import { describe, expect, it } from "vitest";
import table from "../../../references/root-equivalent-programs.json" with { type: "json" };
import { isRootEquivalent, programNames, runsOperands } from "../../../src/policy/root-equivalent.ts";
import { parseRootEquivalentTable } from "../../../src/schema/root-equivalent.ts";

function answer(line: string): string {
  const { rootEquivalent, classes } = isRootEquivalent(line.split(" "));
  return `${rootEquivalent ? "root" : "no"} ${classes.join(",")}`.trim();
}

describe("isRootEquivalent", () => {
  it.each<[string, string]>([
    ["/bin/bash", "root shell"],
    ["/usr/bin/python3.11 /opt/job.py", "root shell"],
    ["/usr/bin/perl5.36-x86_64-linux-gnu x", "root shell"],
    ["/usr/bin/vim.basic x", "root shell,file-write"],
    ["/usr/bin/x86_64-linux-gnu-gcc-12 x", "root command,file-write"],
    ["/usr/bin/nc.openbsd -l 1", "root command,file-write"],
    ["/usr/bin/find", "root command,file-write,file-read"],
    ["/usr/bin/find . -name x", "no file-read"],
    ["/usr/bin/find . -exec id ;", "root command,file-read"],
    ["/usr/bin/find . -delete", "root file-write,file-read"],
    ["/usr/bin/apt-get update", "no"],
    ["/usr/bin/apt-get install nginx", "root command"],
    ["/usr/bin/apt-get update -o APT::Update::Pre-Invoke::=/bin/sh", "root command"],
    ["/usr/bin/apt-get -qoDebug=1 update", "root command"],
    ["/usr/bin/apt-get update --opt=x", "root command"],
    ["/usr/bin/tar cf x y", "root file-write"],
    ["/usr/bin/tar cf x y --checkpoint-act=exec=sh", "root file-write,command"],
    ["/usr/bin/git -c core.pager=sh log", "root command,file-write"],
    ["/usr/bin/systemctl restart web", "no"],
    ["/usr/bin/systemctl edit web", "root command"],
    ["/usr/bin/systemctl start /tmp/x.service", "root command"],
    ["/usr/bin/journalctl -u web", "root shell"],
    ["/usr/bin/journalctl -u web --no-pager", "no"],
    ["/usr/sbin/sysctl -a", "no"],
    ["/usr/sbin/sysctl kernel.core_pattern=|/tmp/x", "root command,privilege"],
    ["/usr/bin/sort x", "no"],
    ["/usr/bin/sort -ro /etc/passwd x", "root file-write"],
    ["/usr/bin/cat /etc/shadow", "no file-read"],
    ["/usr/sbin/service ../../tmp/x start", "root command"],
    ["/usr/sbin/service web start", "no"],
    ["/lib64/ld-linux-x86-64.so.2 /bin/sh", "root command,library-load"],
    ["/usr/bin/id", "no"],
    ["/opt/unheard-of", "no"],
  ])("of %s is: %s", (line, expected) => {
    expect(answer(line)).toBe(expected);
  });

  it("says why, and that not knowing a program proves nothing", () => {
    expect(isRootEquivalent(["/usr/bin/env", "id"])).toEqual({
      rootEquivalent: true,
      classes: ["command"],
      why: "Starts the program its operands name.",
    });
    expect(isRootEquivalent(["/opt/x\u001b[8m"]).why).toBe(
      "Nothing is known about x\\u{1b}[8m; that is no proof of safety.",
    );
    expect(isRootEquivalent(["/usr/bin/apt-get", "update"]).why).toBe(
      "Nothing is known against apt-get with these arguments.",
    );
  });

  it("assumes the worst of what is no command line, and throws for nothing", () => {
    const revoked = Proxy.revocable([], {});
    revoked.revoke();
    const values: unknown[] = [[], null, "id", [1], ["/usr/bin/id", null], revoked.proxy];
    expect(values.map((value) => isRootEquivalent(value as string[]).rootEquivalent)).toEqual(values.map(() => true));
  });

  it("answers quickly for a name made to be slow", () => {
    expect(answer(`/x/${"1.".repeat(60_000)}x`)).toBe("no");
  });
});

describe("programNames", () => {
  it.each<[string, string]>([
    ["/usr/bin/python3.11", "python"],
    ["/sbin/mkfs.ext4", "mkfs"],
    ["/usr/bin/VIM.tiny", "vim"],
    ["/usr/bin/gcc-12", "gcc"],
    ["/usr/bin/qemu-system-x86_64", "qemu-system"],
    ["/lib64/ld-linux-x86-64.so.2", "ld-linux-x86-64.so"],
  ])("of %s hold %s", (program, name) => {
    expect(programNames(program)).toContain(name);
  });
});

describe("the table", () => {
  it("has the shape its readers rely on", () => {
    expect(parseRootEquivalentTable(table)).toEqual(table);
    expect(() => parseRootEquivalentTable({ ...table, programs: [] })).toThrow("root-equivalent-programs.json");
  });

  it("has more than 120 programs, each in lower case or found regardless, and none twice in one entry", () => {
    const names = new Set(table.programs.flatMap((entry) => entry.names));
    expect(names.size).toBeGreaterThan(120);
    expect([...names].filter((name) => isRootEquivalent([name]).classes.length === 0)).toEqual([]);
  });

  it("cites a manual for each entry", () => {
    expect(
      table.programs.filter(({ source }) => !/\(\d[a-z]*\)|manual|documentation|Policy|help|reference/.test(source)),
    ).toEqual([]);
  });

  it("finds launchers", () => {
    expect(["env", "/usr/bin/xargs", "busybox", "/usr/bin/find", "sudo", "cp", "id"].map(runsOperands)).toEqual([
      true,
      true,
      true,
      true,
      true,
      false,
      false,
    ]);
  });
});
