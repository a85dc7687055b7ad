import { describe, expect, it } from "vitest";
import { parseDoas, parseSudoList, parseTimestampTimeout } from "../../../src/collect/sudo-rules.ts";

/** Head of what sudo 1.9.13 prints in the C locale, captured on Debian 12. */
const HEAD = `Matching Defaults entries for agent on vm:
    env_reset, mail_badpass,
    secure_path=/usr/local/sbin\\:/usr/local/bin\\:/usr/sbin\\:/usr/bin\\:/sbin\\:/bin,
    use_pty

User agent may run the following commands on vm:
`;

describe("parseSudoList", () => {
  it.each([
    ["everything with a password", "    (ALL : ALL) ALL\n", [["ALL", "password"]]],
    ["everything without one", "    (ALL : ALL) NOPASSWD: ALL\n", [["ALL", "passwordless"]]],
    [
      "one command without a password",
      "    (root) NOPASSWD: /usr/bin/apt-get update\n",
      [["/usr/bin/apt-get update", "unknown"]],
    ],
    [
      "one program with whatever it is given",
      "    (root) NOPASSWD: /usr/bin/env\n",
      [["/usr/bin/env", "passwordless"]],
    ],
    [
      "a program that is told what to do by a wildcard",
      "    (root) NOPASSWD: /bin/tar -C /srv *\n",
      [["/bin/tar -C /srv *", "passwordless"]],
    ],
    [
      "an editor of one file",
      "    (root) NOPASSWD: /usr/bin/vim /etc/motd\n",
      [["/usr/bin/vim /etc/motd", "passwordless"]],
    ],
    ["a whole folder of programs", "    (root) NOPASSWD: /usr/bin/\n", [["/usr/bin/", "passwordless"]]],
    ["a program that may not be given anything", '    (root) NOPASSWD: /bin/sh ""\n', [['/bin/sh ""', "passwordless"]]],
    [
      "su to root, and to another",
      "    (root) NOPASSWD: /bin/su -, /bin/su - git\n",
      [
        ["/bin/su -", "passwordless"],
        ["/bin/su - git", "unknown"],
      ],
    ],
    ["a script of one's own", "    (root) NOPASSWD: /bin/bash /opt/x.sh\n", [["/bin/bash /opt/x.sh", "unknown"]]],
    [
      "a command behind a checksum",
      "    (root) NOPASSWD: sha224:0a+/= /bin/ls\n",
      [["sha224:0a+/= /bin/ls", "unknown"]],
    ],
    [
      "a tag that holds until it is taken back",
      "    (root) NOPASSWD: /bin/a, /bin/b, PASSWD: /bin/c\n",
      [
        ["/bin/a", "unknown"],
        ["/bin/b", "unknown"],
        ["/bin/c", "password"],
      ],
    ],
    ["several tags and a setting", "    (root) CWD=/tmp SETENV: NOPASSWD: /bin/a\n", [["/bin/a", "unknown"]]],
    [
      "a rule over two lines",
      "    (root) NOPASSWD: /bin/a,\n        /bin/b\n",
      [
        ["/bin/a", "unknown"],
        ["/bin/b", "unknown"],
      ],
    ],
    ["an escaped comma in arguments", "    (root) /bin/a x\\,y\n", [["/bin/a x\\,y", "password"]]],
    [
      "another target user, whose own ways are not known",
      "    (postgres) NOPASSWD: ALL\n",
      [["ALL, as postgres", "unknown"]],
    ],
    ["another target user behind a password", "    (postgres) ALL\n", []],
    ["a group to act as", "    (agent : docker) NOPASSWD: ALL\n", [["ALL, as agent : docker", "unknown"]]],
    ["root among other targets", "    (postgres, root) /bin/a\n", [["/bin/a", "password"]]],
    ["all but root, which old versions let through", "    (ALL, !root) /bin/a\n", [["/bin/a", "password"]]],
    ["a command that is taken away", "    (ALL) ALL, !/bin/su\n", [["ALL", "password"]]],
    ["leave to list only", "    (root) list\n", []],
  ])("reads %s", (_title, rules, expected) => {
    const list = parseSudoList(HEAD + rules, "");
    expect(list).toEqual({
      kind: "rules",
      timestampMinutes: null,
      paths: expected.map(([what, strength]) => ({ via: "sudo", what, strength })),
    });
  });

  it.each([
    ["an account without rules", "User nobody is not allowed to run sudo on vm.\n", "", "none"],
    ["an account without rules, asked by itself", "", "Sorry, user agent may not run sudo on vm.\n", "none"],
    ["a password being wanted", "", "sudo: a password is required\n", "password"],
    ["silence", "", "", "unclear"],
    ["a listing without rules", HEAD, "", "unclear"],
    ["another language", "L'utilisateur agent peut utiliser les commandes suivantes :\n    (ALL) ALL\n", "", "unclear"],
  ])("tells %s", (_title, stdout, stderr, kind) => {
    expect(parseSudoList(stdout, stderr)).toEqual({ kind });
  });

  it.each([
    ["authentication is switched off for the account", "use_pty, !authenticate", ["claw"], "passwordless"],
    ["a group of the account is exempt", "exempt_group=ops, use_pty", ["ops"], "passwordless"],
    ["another group is exempt", "exempt_group=ops", ["claw"], "password"],
  ])("knows what a rule without a tag means when %s", (_title, defaults, groups, strength) => {
    const list = parseSudoList(`${HEAD.replace("use_pty", defaults)}    (ALL) ALL, PASSWD: /bin/a\n`, "", groups);
    expect(list.kind === "rules" ? list.paths : null).toEqual([
      { via: "sudo", what: "ALL", strength },
      {
        via: "sudo",
        what: "/bin/a",
        strength: defaults.includes("exempt") && groups.includes("ops") ? "unknown" : "password",
      },
    ]);
  });

  it("reads what sudo 1.9.13 prints for commands with settings of their own", () => {
    const text = `${HEAD.replace("User agent", "Runas and Command-specific defaults for agent:\n    Defaults!/bin/cat !authenticate\n\nUser agent")}    (ALL : ALL) ALL\n    (agent : mail) NOPASSWD: /bin/cat\n`;
    const list = parseSudoList(text, "");
    expect(list.kind === "rules" ? list.paths : null).toEqual([
      { via: "sudo", what: "ALL", strength: "password" },
      { via: "sudo", what: "/bin/cat, as agent : mail", strength: "unknown" },
    ]);
  });

  it("takes the timeout from the Defaults it lists", () => {
    const list = parseSudoList(`${HEAD.replace("use_pty", "use_pty, timestamp_timeout=5")}    (ALL) ALL\n`, "");
    expect(list.kind === "rules" ? list.timestampMinutes : null).toBe(5);
  });

  it.each([
    ["nothing else, so a forgotten password for one command says nothing", "use_pty", 0, null],
    ["more, which stays", "use_pty, timestamp_timeout=15", 0, 15],
    ["less, which one command undoes", "use_pty, timestamp_timeout=0", 3, 3],
    ["less, which one command undoes for ever", "use_pty, timestamp_timeout=0", -1, -1],
  ])("takes the worse of the general timeout and a command's own: %s", (_title, general, special, minutes) => {
    const own = [
      "Runas and Command-specific defaults for agent:",
      `    Defaults!/usr/bin/true "" env_reset, !setenv, passprompt="a text that wraps",`,
      `    timestamp_timeout=${special}`,
      "",
      "User agent may run",
    ].join("\n");
    const head = HEAD.replace("use_pty", general).replace("User agent may run", own);
    const list = parseSudoList(`${head}    (ALL) ALL\n`, "");
    expect(list.kind === "rules" ? list.timestampMinutes : "not rules").toBe(minutes);
  });
});

describe("parseTimestampTimeout", () => {
  it.each([
    ["Defaults timestamp_timeout=-1", -1],
    ["Defaults:agent timestamp_timeout = 2.5", 2.5],
    ["Defaults !timestamp_timeout", 0],
    ["Defaults timestamp_timeout=5\nDefaults timestamp_timeout=60", 60],
    ["# Defaults timestamp_timeout=5", null],
    ["Defaults!/usr/bin/true timestamp_timeout=0", null],
    ["Defaults!/usr/bin/true env_reset, \\\n  timestamp_timeout=0", null],
    ["Defaults>bob timestamp_timeout=0\nDefaults timestamp_timeout=7", 7],
    ["Defaults env_reset", null],
  ])("reads %s", (text, minutes) => {
    expect(parseTimestampTimeout(text)).toBe(minutes);
  });
});

describe("parseTimestampTimeout in sudoers", () => {
  it.each([
    ["Defaults:agent timestamp_timeout=5", 5],
    ["Defaults:%wheel,other timestamp_timeout=6", 6],
    ["Defaults@thishost timestamp_timeout=7", 7],
    ["Defaults:other timestamp_timeout=-1", null],
    ["Defaults>postgres timestamp_timeout=-1", null],
    ["Defaults!/bin/ls timestamp_timeout=-1", null],
  ])("takes what counts for the account: %s", (text, minutes) => {
    expect(parseTimestampTimeout(text, { user: "agent", uid: 1001, groups: ["wheel"] })).toBe(minutes);
  });
});

describe("parseDoas", () => {
  it.each([
    ["permit nopass agent", [["permit nopass agent", "passwordless"]]],
    ["permit persist :wheel as root cmd /bin/a", [["permit persist :wheel as root cmd /bin/a", "password"]]],
    ["permit nopass agent cmd /usr/bin/env", [["permit nopass agent cmd /usr/bin/env", "passwordless"]]],
    ["permit nopass agent cmd /bin/a args update", [["permit nopass agent cmd /bin/a args update", "unknown"]]],
    ["permit nopass 1001", [["permit nopass 1001", "passwordless"]]],
    ["permit setenv { A=1 B } nopass agent", [["permit setenv { A=1 B } nopass agent", "passwordless"]]],
    ["permit nopass agent as postgres", [["permit nopass agent as postgres", "unknown"]]],
    ["permit agent as postgres", []],
    ["permit nopass other", []],
    ["deny agent", []],
    ["# permit nopass agent", []],
  ])("reads %s", (text, expected) => {
    expect(parseDoas(text, { user: "agent", uid: 1001, groups: ["wheel"] })).toEqual(
      expected.map(([what, strength]) => ({ via: "doas", what, strength })),
    );
  });
});
