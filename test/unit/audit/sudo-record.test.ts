import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parseSudoContinuation, parseSudoJson, parseSudoMessage } from "../../../src/audit/sudo-record.ts";

const SAMPLES = join(import.meta.dirname, "../../fixtures/sudo-logs");

describe("parseSudoMessage", () => {
  it("reads a command with its user, and keeps everything after COMMAND=", () => {
    const message =
      "   bob : TTY=pts/0 ; PWD=/x ; USER=root ; ENV=A=b ; COMMAND=/bin/echo a ; USER=eve ; COMMAND=/bin/x";
    expect(parseSudoMessage(message, 5)).toEqual({
      at: 5,
      user: "bob",
      runAs: "root",
      command: "/bin/echo a ; USER=eve ; COMMAND=/bin/x",
    });
  });

  it.each([
    ["a refusal", "bob : command not allowed ; TTY=pts/0 ; PWD=/x ; USER=root ; COMMAND=/bin/ls"],
    ["a wrong password", "bob : 3 incorrect password attempts ; TTY=pts/0 ; PWD=/x ; USER=root ; COMMAND=/bin/ls"],
    ["a listing", "bob : TTY=pts/0 ; PWD=/x ; USER=root ; COMMAND=list"],
    ["a listing of a command", "bob : TTY=pts/0 ; PWD=/x ; USER=root ; COMMAND=list /bin/id"],
    ["a validation", "bob : TTY=pts/0 ; PWD=/x ; USER=root ; COMMAND=validate"],
    ["the end of a command", "bob : PWD=/x ; USER=root ; COMMAND=/bin/id ; EXIT=0"],
    ["the killed end of a command", "bob : PWD=/x ; USER=root ; COMMAND=/bin/id ; SIGNAL=KILL"],
    ["no target user", "bob : PWD=/x ; COMMAND=/bin/id"],
    ["another message", "pam_unix(sudo:session): session opened for user root(uid=0) by (uid=0)"],
    ["nothing", ""],
  ])("takes %s for no execution", (_what, message) => {
    expect(parseSudoMessage(message, 0)).toBeNull();
  });

  it("knows the rest of a long command", () => {
    expect(parseSudoContinuation("  bob : (command continued) more words")).toEqual({
      user: "bob",
      text: "more words",
    });
    expect(parseSudoContinuation("  bob : PWD=/ ; USER=root ; COMMAND=/bin/id")).toBeNull();
  });
});

describe("parseSudoJson", () => {
  it("reads what was accepted from a file whose one object repeats its keys", () => {
    expect(parseSudoJson(readFileSync(join(SAMPLES, "sudo.json"), "utf8"))).toEqual([
      { at: 1_795_426_667_000, user: "nobody", runAs: "root", command: "/usr/bin/id -u" },
      {
        at: 1_795_426_668_000,
        user: "nobody",
        runAs: "root",
        command: "/usr/bin/printf %s\\n a b x\ty é --token=SEC RET back\\slash",
      },
    ]);
  });

  it.each([
    ["cut off", '{\n    "accept": {\n        "submituser": "bob",\n'],
    ["not JSON inside", '{\n    "accept": {\n        "submituser": \n    }\n}\n'],
    ["without its fields", '{\n    "accept": {\n        "submituser": "bob"\n    }\n}\n'],
    ["with fields of other kinds", '{\n    "accept": {\n        "submituser": "bob", "server_time": null\n    }\n}\n'],
  ])("passes over an entry that is %s", (_what, text) => {
    expect(parseSudoJson(text)).toEqual([]);
  });
});
