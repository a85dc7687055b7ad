import { describe, expect, it } from "vitest";
import { createProcFiles } from "../../../src/collect/proc-file.ts";
import { parseStat, readIdentity } from "../../../src/collect/proc-process.ts";
import { parsePasswd } from "../../../src/collect/proc-user.ts";
import { makeProcTree } from "../../helpers/proc-tree.ts";

const AFTER_NAME = "S 7 8 9 0 -1 4194304 102 0 0 0 0 0 0 0 20 0 1 0 123145 2998272 390";

describe("parseStat", () => {
  it.each([
    ["a plain name", "sshd"],
    ["a name with spaces", "my server"],
    ["a name that closes the parenthesis", "x) R 1 1 1 ("],
    ["a name of escape codes", "\u001b[31m"],
    ["an empty name", ""],
  ])("finds the fields behind %s", (_what, name) => {
    expect(parseStat(`4711 (${name}) ${AFTER_NAME}\n`)).toEqual({
      comm: name,
      parent: 7,
      group: 8,
      session: 9,
      startTime: "123145",
    });
  });

  it.each([
    ["", "no text"],
    ["4711", "no name"],
    ["4711 (x) S 1", "a cut line"],
    [")(", "parentheses the wrong way round"],
  ])("gives null for %j: %s", (text) => {
    expect(parseStat(text)).toBeNull();
  });
});

describe("readIdentity", () => {
  it("names no process that got the pid of the one that is meant", () => {
    const files = createProcFiles(makeProcTree({}, { 42: { exe: "/usr/sbin/nginx", start: 200 } }));
    expect(readIdentity(files, 42, "200")).toMatchObject({ exe: "/usr/sbin/nginx" });
    expect(readIdentity(files, 42, "100")).toBeNull();
  });
});

describe("parsePasswd", () => {
  it("keeps the first name of a uid and skips lines that are no entry", () => {
    const text =
      "root:x:0:0:root:/root:/bin/bash\ntoor:x:0:0::/:/bin/sh\n\n+::::::\nbad:x:abc:1::/:\nweb:x:33:33::/var/www:/bin/false\n";
    expect([...parsePasswd(text)]).toEqual([
      [0, "root"],
      [33, "web"],
    ]);
  });
});
