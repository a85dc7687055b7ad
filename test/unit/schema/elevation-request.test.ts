import { describe, expect, it } from "vitest";
import {
  envProblem,
  MAX_ARGV_BYTES,
  MAX_STDIN_BYTES,
  parseElevationRequest,
  parseRunRequest,
  type RequestDefaults,
} from "../../../src/schema/elevation-request.ts";

const DEFAULTS: RequestDefaults = { cwd: "/srv", timeoutMs: 60_000, maxTimeoutMs: 600_000 };
const GOOD = { argv: ["/usr/bin/id", "-u"], reason: "see who I am" };

function parse(changes: object): unknown {
  return parseElevationRequest({ ...GOOD, ...changes }, DEFAULTS);
}

function codeOf(value: unknown): unknown {
  const result = parseElevationRequest(value, DEFAULTS);
  return "kind" in result ? result.code : "accepted";
}

const codeWith = (changes: object): unknown => codeOf({ ...GOOD, ...changes });

describe("parseElevationRequest", () => {
  it("fills in what was left out", () => {
    expect(parse({})).toEqual({
      argv: ["/usr/bin/id", "-u"],
      reason: "see who I am",
      runAs: "root",
      cwd: "/srv",
      env: {},
      stdin: null,
      timeoutMs: 60_000,
      keepSession: false,
      isNonInteractive: false,
    });
  });

  it("takes every field", () => {
    const changes = {
      argv: ["/bin/p", "", "a b", "n\nl", "é", "--", "-x"],
      runAs: "www-data",
      cwd: "/",
      env: { TZ: "UTC", DEBIAN_FRONTEND: "noninteractive" },
      stdin: "aé",
      timeoutMs: 1,
      keepSession: true,
      isNonInteractive: true,
    };
    expect(parse(changes)).toEqual({ ...GOOD, ...changes, stdin: new TextEncoder().encode("aé") });
  });

  it("cannot be changed afterwards through what was given or what was returned", () => {
    const stdin = new Uint8Array([1, 2, 3]);
    const argv = ["/usr/bin/id"];
    const env = { LANG: "C" };
    const request = parseElevationRequest({ argv, env, stdin, reason: "x" }, DEFAULTS);
    stdin[0] = 9;
    argv.push("--evil");
    env.LANG = "evil";
    expect(request).toMatchObject({ argv: ["/usr/bin/id"], env: { LANG: "C" }, stdin: new Uint8Array([1, 2, 3]) });
    expect(Object.isFrozen(request)).toBe(true);
  });

  it("copies input out of memory that another thread could still write to", () => {
    const shared = new Uint8Array(new SharedArrayBuffer(3));
    const request = parseElevationRequest({ ...GOOD, stdin: shared }, DEFAULTS);
    shared[0] = 9;
    expect(request).toMatchObject({ stdin: new Uint8Array([0, 0, 0]) });
  });

  it.each([undefined, null, 1, "x", [], () => GOOD, new Map(), Symbol("x")])(
    "T36: refuses %s, which is no request",
    (value) => {
      expect(codeOf(value)).toBe("invalid-request");
    },
  );

  it("T36: refuses a proxy and a getter that throws", () => {
    expect(codeOf(new Proxy(GOOD, {}))).toBe("invalid-request");
    const throwing = Object.defineProperty({ ...GOOD }, "argv", {
      enumerable: true,
      get: () => {
        throw new Error("no");
      },
    });
    expect(codeOf(throwing)).toBe("invalid-request");
  });

  it("T36: reads a getter once, so that it cannot answer twice", () => {
    let reads = 0;
    const changing = {
      reason: "x",
      get argv(): string[] {
        reads += 1;
        return reads === 1 ? ["/usr/bin/id"] : ["/bin/sh"];
      },
    };
    expect(parseElevationRequest(changing, DEFAULTS)).toMatchObject({ argv: ["/usr/bin/id"] });
    expect(reads).toBe(1);
  });

  it.each([
    ["no argv", { argv: undefined }],
    ["H51: an empty argv", { argv: [] }],
    ["an empty command", { argv: [""] }],
    ["a text for argv", { argv: "/usr/bin/id" }],
    ["a number in argv", { argv: ["/usr/bin/id", 1] }],
    ["a nested argv", { argv: [["/usr/bin/id"]] }],
    // oxlint-disable-next-line no-sparse-arrays
    ["a hole in argv", { argv: ["/usr/bin/id", , "x"] }],
    ["T23: 257 words", { argv: ["/usr/bin/id", ...Array.from({ length: 256 }, () => "x")] }],
    ["T23: a word of 200 kB", { argv: ["/usr/bin/id", "x".repeat(200_000)] }],
    ["more bytes than characters", { argv: ["/usr/bin/id", "é".repeat(MAX_ARGV_BYTES / 2)] }],
    ["H51: a NUL", { argv: ["/usr/bin/id", "a\0b"] }],
    ["H51: half a surrogate pair", { argv: ["/usr/bin/id", "\ud800"] }],
    ["U+FFFD, which stands for lost bytes", { argv: ["/usr/bin/id", "a\ufffd"] }],
    ["an unknown key", { command: "x" }],
    ["a key of another spelling", { keepsession: true }],
    ["a prototype as a key", JSON.parse('{"__proto__": {}}') as object],
    ["a grant", { grantId: "x" }],
    ["a reason that is no text", { reason: 1 }],
    ["half a surrogate pair in the reason", { reason: "x\udc00" }],
    ["H50: a reason of 120 kB", { reason: "x".repeat(120_000) }],
    ["a reason of 301 characters", { reason: "😀".repeat(301) }],
    ["a text for keepSession", { keepSession: "true" }],
    ["no time", { timeoutMs: 0 }],
    ["a part of a millisecond", { timeoutMs: 1.5 }],
    ["a time that is no number", { timeoutMs: Number.NaN }],
    ["endless time", { timeoutMs: Number.POSITIVE_INFINITY }],
    ["H19: more time than the owner allows", { timeoutMs: 600_001 }],
    ["a number for stdin", { stdin: 1 }],
    ["a list for stdin", { stdin: [1, 2] }],
    ["wider numbers for stdin", { stdin: new Uint16Array(2) }],
    ["half a surrogate pair on stdin", { stdin: "\ud800" }],
  ])("refuses %s as invalid-request", (_title, changes) => {
    const whole = { ...GOOD };
    for (const [key, value] of Object.entries(changes)) Object.defineProperty(whole, key, { value, enumerable: true });
    expect(codeOf(whole)).toBe("invalid-request");
  });

  it.each([undefined, "", "  \t\n", "\u200b\u2060", "\u3164 \u00a0"])(
    "T36: refuses the reason %j as missing",
    (reason) => {
      expect(codeWith({ reason })).toBe("reason-missing");
    },
  );

  it("takes a reason of 300 characters beyond the basic plane", () => {
    expect(codeWith({ reason: "😀".repeat(300) })).toBe("accepted");
  });

  it.each(["id", "./id", "~/id", "usr/bin/id", " /usr/bin/id"])("refuses the command %s as not absolute", (command) => {
    expect(codeWith({ argv: [command] })).toBe("command-not-absolute");
  });

  it.each([
    "",
    "#0",
    "#-1",
    "#4294967295",
    "%wheel",
    "-root",
    "Root",
    "root ",
    "ro ot",
    "a".repeat(33),
    "root\n",
    "1a",
  ])("refuses to run as %j", (runAs) => {
    expect(codeWith({ runAs })).toBe("run-as-unknown");
  });

  it.each(["", "srv", "./srv", "/a\0b", "/\ufffd", "/\ud800", `/${"x".repeat(4_095)}`])(
    "refuses the working folder %j",
    (cwd) => {
      expect(codeWith({ cwd })).toBe("cwd-invalid");
    },
  );

  it("judges the default folder and time like given ones", () => {
    expect(parseElevationRequest(GOOD, { ...DEFAULTS, cwd: "" })).toMatchObject({ code: "cwd-invalid" });
    expect(parseElevationRequest(GOOD, { ...DEFAULTS, maxTimeoutMs: 1 })).toMatchObject({ code: "invalid-request" });
    expect(parseElevationRequest(GOOD, { ...DEFAULTS, timeoutMs: Number.NaN })).toMatchObject({
      code: "invalid-request",
    });
  });

  it("takes 1 MiB of input and no byte more", () => {
    expect(codeWith({ stdin: new Uint8Array(MAX_STDIN_BYTES) })).toBe("accepted");
    expect(codeWith({ stdin: new Uint8Array(MAX_STDIN_BYTES + 1) })).toBe("stdin-too-large");
    expect(codeWith({ stdin: "x".repeat(MAX_STDIN_BYTES + 1) })).toBe("stdin-too-large");
    expect(codeWith({ stdin: "é".repeat(MAX_STDIN_BYTES / 2 + 1) })).toBe("stdin-too-large");
  });

  it("tells empty input from none", () => {
    expect(parse({ stdin: "" })).toMatchObject({ stdin: new Uint8Array() });
    expect(parse({ stdin: null })).toMatchObject({ stdin: null });
  });

  it.each(["LD_PRELOAD", "PATH", "NODE_OPTIONS", "lang", "LANG ", "TZ=x", "", "constructor"])(
    "refuses the variable %j",
    (name) => {
      expect(codeWith({ env: { [name]: "x" } })).toBe("env-not-allowed");
    },
  );

  it("refuses a variable that only a prototype has, and one named __proto__", () => {
    expect(codeWith({ env: JSON.parse('{"__proto__": "x"}') as object })).toBe("env-not-allowed");
    expect(parse({ env: Object.create({ LD_PRELOAD: "x" }) as object })).toMatchObject({ env: {} });
  });
});

describe("envProblem", () => {
  it.each(["C.UTF-8", "de_DE@euro", "UTC", "CET-1CEST", "", "a=b"])("lets LANG be %j", (value) => {
    expect(envProblem("LANG", value)).toBe(null);
  });

  it.each([
    "/x",
    "a/b",
    "%s",
    "a\nb",
    "a\rb",
    "a\0b",
    "\u001b[8m",
    "\u0085",
    "() { :; }",
    "x".repeat(257),
    "\ufffd",
    "\ud800",
  ])("does not let LANG be %j", (value) => {
    expect(envProblem("LANG", value)).not.toBe(null);
  });
});

describe("parseRunRequest", () => {
  it("takes the id of a grant besides", () => {
    expect(parseRunRequest({ ...GOOD, grantId: "abc_-9" }, DEFAULTS)).toMatchObject({ grantId: "abc_-9" });
    expect(parseRunRequest(GOOD, DEFAULTS)).toMatchObject({ grantId: null, request: { argv: GOOD.argv } });
  });

  it.each(["", "a b", "x".repeat(101), "\n"])("refuses the grant %j", (grantId) => {
    expect(parseRunRequest({ ...GOOD, grantId }, DEFAULTS)).toMatchObject({ code: "grant-unknown" });
  });

  it("refuses what the request itself would be refused for", () => {
    expect(parseRunRequest({ ...GOOD, argv: ["id"] }, DEFAULTS)).toMatchObject({ code: "command-not-absolute" });
    expect(parseRunRequest({ ...GOOD, session: "x" }, DEFAULTS)).toMatchObject({ code: "invalid-request" });
    expect(parseRunRequest(null, DEFAULTS)).toMatchObject({ code: "invalid-request" });
  });
});
