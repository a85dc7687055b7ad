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
      [["/usr/bin/apt-get update", "passwordless"]],
    ],
    [
      "a tag that holds until it is taken back",
      "    (root) NOPASSWD: /bin/a, /bin/b, PASSWD: /bin/c\n",
      [
        ["/bin/a", "passwordless"],
        ["/bin/b", "passwordless"],
        ["/bin/c", "password"],
      ],
    ],
    ["several tags and a setting", "    (root) CWD=/tmp SETENV: NOPASSWD: /bin/a\n", [["/bin/a", "passwordless"]]],
    [
      "a rule over two lines",
      "    (root) NOPASSWD: /bin/a,\n        /bin/b\n",
      [
        ["/bin/a", "passwordless"],
        ["/bin/b", "passwordless"],
      ],
    ],
    ["an escaped comma in arguments", "    (root) /bin/a x\\,y\n", [["/bin/a x\\,y", "password"]]],
    ["another target user", "    (postgres) NOPASSWD: ALL\n", []],
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

describe("parseDoas", () => {
  it.each([
    ["permit nopass agent", [["permit nopass agent", "passwordless"]]],
    ["permit persist :wheel as root cmd /bin/a", [["permit persist :wheel as root cmd /bin/a", "password"]]],
    ["permit setenv { A=1 B } nopass agent", [["permit setenv { A=1 B } nopass agent", "passwordless"]]],
    ["permit nopass agent as postgres", []],
    ["permit nopass other", []],
    ["deny agent", []],
    ["# permit nopass agent", []],
  ])("reads %s", (text, expected) => {
    expect(parseDoas(text, "agent", ["wheel"])).toEqual(
      expected.map(([what, strength]) => ({ via: "doas", what, strength })),
    );
  });
});
