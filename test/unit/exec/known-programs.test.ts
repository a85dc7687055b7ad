import { describe, expect, it } from "vitest";
import { isElevator, isInterpreter, isLauncher, loadsFromFolder } from "../../../src/exec/known-programs.ts";

describe("programs that run what a word names", () => {
  it.each(
    `sh bash dash ash zsh ksh mksh fish csh tcsh rbash busybox python python3 python3.11 pypy3 perl perl5.36.0 ruby3.1
    node nodejs node24 php php8.2 lua5.4 luajit tclsh8.6 awk mawk gawk nawk original-awk make gmake gdb
    ld-linux-x86-64.so.2 ld.so ld-musl-x86_64.so.1`.split(/\s+/),
  )("know %s as an interpreter", (name) => {
    expect(isInterpreter(name)).toBe(true);
  });

  it.each([
    "ssh",
    "push",
    "flush",
    "ld",
    "makedev",
    "perldoc",
    "nodemon",
    "cat",
    "id",
    "rsync",
    "python-config",
    "bin",
  ])("do not take %s for one", (name) => {
    expect(isInterpreter(name)).toBe(false);
  });

  it.each(["env", "nice", "timeout", "xargs", "find", "strace", "chroot"])("know %s as a launcher", (name) => {
    expect(isLauncher(name)).toBe(true);
  });

  it.each(["sudo", "sudo-rs", "su", "doas", "pkexec", "run0", "sudoedit", "runuser"])(
    "know %s as an elevator",
    (name) => {
      expect(isElevator(name)).toBe(true);
      expect(isElevator(`${name}x`)).toBe(false);
    },
  );
});

describe("loadsFromFolder", () => {
  it.each([
    ["python3", true],
    ["python3 -c text", true],
    ["python3 -uc text", true],
    ["python3 -m module", true],
    ["python3 -B -m module", true],
    ["python3 -I -c text", false],
    ["python3 -PBc text", false],
    ["python3 /root/script.py -c", false],
    ["python3 -u /root/script.py", false],
    ["make", true],
    ["make -f /root/Makefile", true],
    ["bash -c text", false],
    ["perl -e text", false],
  ])("of %j is %j", (line, expected) => {
    const argv = line.split(" ");
    expect(loadsFromFolder([argv[0] ?? ""], argv)).toBe(expected);
  });
});
