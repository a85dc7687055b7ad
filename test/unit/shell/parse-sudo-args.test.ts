import { describe, expect, it } from "vitest";
import { parseSudoArgs, type SudoRequest } from "../../../src/shell/parse-sudo-args.ts";
import { INFORMATIVE_WORDS } from "../../../src/shell/sudo-option.ts";
import { SUDO_REFUSAL_CODES, sudoRefusalHelp } from "../../../src/shell/sudo-refusal.ts";

const P = "/usr/local/bin/probe";
const PLAIN: SudoRequest = {
  kind: "request",
  argv: [P],
  runAs: "root",
  env: {},
  cwd: null,
  timeoutMs: null,
  fresh: false,
  nonInteractive: false,
};

function codeOf(argv: unknown): string {
  const parsed = parseSudoArgs(argv as string[]);
  return parsed.kind === "refuse" ? parsed.code : parsed.kind;
}

describe("what passes through to real sudo", () => {
  it.each(INFORMATIVE_WORDS)("is %s as the only word", (word) => {
    expect(parseSudoArgs([word])).toEqual({ kind: "passthrough", argv: [word] });
  });

  it.each(INFORMATIVE_WORDS)("is not %s beside a command", (word) => {
    expect(parseSudoArgs([word, P]).kind).not.toBe("passthrough");
    expect(parseSudoArgs(["-n", word]).kind).not.toBe("passthrough");
    expect(parseSudoArgs([word, "--"]).kind).not.toBe("passthrough");
  });
});

describe("a request", () => {
  it.each<[string[], Partial<SudoRequest>]>([
    [[P], {}],
    [["--", P, "x"], { argv: [P, "x"] }],
    [["apt-get", "update"], { argv: ["apt-get", "update"] }],
    [["-n", P], { nonInteractive: true }],
    [["--non-interactive", P], { nonInteractive: true }],
    [["-u", "bob", P], { runAs: "bob" }],
    [["-ubob", P], { runAs: "bob" }],
    [["--user=bob", P], { runAs: "bob" }],
    [["--user", "bob", P], { runAs: "bob" }],
    [["-nu", "bob", P], { runAs: "bob", nonInteractive: true }],
    [["-nubob", P], { runAs: "bob", nonInteractive: true }],
    [["-kn", P], { fresh: true, nonInteractive: true }],
    [["-k", "--reset-timestamp", P], { fresh: true }],
    [["-H", "-B", "-N", "-p", "text", "-pmore", "--prompt=x", P], {}],
    [["-D", "/srv/www", P], { cwd: "/srv/www" }],
    [["--chdir=/srv/www/", P], { cwd: "/srv/www" }],
    [["-D/", P], { cwd: "/" }],
    [["-T", "5", P], { timeoutMs: 5000 }],
    [["-T1h30m5", P], { timeoutMs: 5_405_000 }],
    [["--command-timeout", "1D", P], { timeoutMs: 86_400_000 }],
    [["DEBIAN_FRONTEND=noninteractive", P], { env: { DEBIAN_FRONTEND: "noninteractive" } }],
    [["LANG=C", "-n", "TZ=", "--", P], { env: { LANG: "C", TZ: "" }, nonInteractive: true }],
    [["--", "/opt/a=b", "LANG=C"], { argv: ["/opt/a=b", "LANG=C"] }],
    [["/opt/a=b"], { argv: ["/opt/a=b"] }],
    [[P, "", "a b", "n\nl", "é", "--", "-x", "FOO=1"], { argv: [P, "", "a b", "n\nl", "é", "--", "-x", "FOO=1"] }],
  ])("is read from %j", (argv, expected) => {
    expect(parseSudoArgs(argv)).toEqual({ ...PLAIN, ...expected });
  });

  it("H01: is what -k with a command means, not a call that passes through", () => {
    expect(parseSudoArgs(["-k", "/usr/bin/id"])).toEqual({ ...PLAIN, argv: ["/usr/bin/id"], fresh: true });
  });
});

describe("a refusal", () => {
  it.each<[string[], string]>([
    [[], "command-missing"],
    [["--"], "command-missing"],
    [["-k", "--"], "command-missing"],
    [["LANG=C"], "command-missing"],
    [["-n", "-u", "bob"], "command-missing"],
    [[""], "command-invalid"],
    [["-"], "command-invalid"],
    [["--", "-u", "root", P], "command-invalid"],
    [["--", "LANG=C", P], "command-invalid"],
    [["=x"], "command-invalid"],
    [["/"], "command-invalid"],
    [["/usr/bin/"], "command-invalid"],
    [["/usr/bin/.."], "command-invalid"],
    [["./tool"], "command-not-absolute"],
    [["bin/tool"], "command-not-absolute"],
    [["sudo", "id"], "nested-elevation"],
    [["/usr/bin//su"], "nested-elevation"],
    [["doas"], "nested-elevation"],
    [["/usr/bin/pkexec", "id"], "nested-elevation"],
    [["run0"], "nested-elevation"],
    [["sudoedit", "x"], "sudoedit"],
    [["/usr/bin/sudoedit", "/etc/hosts"], "sudoedit"],
    [["-l", P], "not-alone"],
    [["--list", "-k"], "not-alone"],
    [["-kl"], "not-alone"],
    [["-V", "-k"], "not-alone"],
    [["-K", P], "not-alone"],
    [["-h", "localhost", P], "option-host"],
    [["-hlocalhost", P], "option-host"],
    [["--host=x", P], "option-host"],
    [["-Z"], "option-unknown"],
    [["-n=", P], "option-unknown"],
    [["--nonsense", P], "option-unknown"],
    [["--res", P], "option-abbreviated"],
    [["--preserve", P], "option-abbreviated"],
    [["--non-interactive=1", P], "option-value-unexpected"],
    [["-u"], "option-value-missing"],
    [["-p", "--", "LANG=C", P], "option-value-missing"],
    [["--user=--", P], "option-value-missing"],
    [["-u", "bob", "-uroot", P], "option-repeated"],
    [["-T5", "-T", "5", P], "option-repeated"],
    [["-D/", "-D/", P], "option-repeated"],
    [["-kN", P], "option-conflict"],
    [["-u=bob", P], "run-as-invalid"],
    [["-u", "#0", P], "run-as-invalid"],
    [["-u#-1", P], "run-as-invalid"],
    [["-u", "#4294967295", P], "run-as-invalid"],
    [["-u", "%sudo", P], "run-as-invalid"],
    [["-u", "", P], "run-as-invalid"],
    [["-u", "0", P], "run-as-invalid"],
    [["-D", "srv", P], "cwd-invalid"],
    [["-D", "", P], "cwd-invalid"],
    [["-D", "~bob", P], "cwd-invalid"],
    [["-D", "/srv/../etc", P], "cwd-invalid"],
    [["-D", "//srv", P], "cwd-invalid"],
    [["-T", "0", P], "timeout-invalid"],
    [["-T", "", P], "timeout-invalid"],
    [["-T", "-5", P], "timeout-invalid"],
    [["-T", "5x", P], "timeout-invalid"],
    [["-T", "5m1h", P], "timeout-invalid"],
    [["-T", "2d", P], "timeout-invalid"],
    [["LD_PRELOAD=/tmp/x.so", P], "env-not-allowed"],
    [["FOO=1", "-V"], "env-not-allowed"],
    [["./x=y", "/usr/bin/id"], "env-ambiguous"],
    [["a-b=1", P], "env-ambiguous"],
    [["LANG=C", "LANG=C", P], "env-repeated"],
    [["TZ=../../etc/passwd", P], "env-value-invalid"],
    [["LANG=%n", P], "env-value-invalid"],
    [["LANG=a\nb", P], "env-value-invalid"],
    [["LANG=() { :; }", P], "env-value-invalid"],
    [[`LANG=${"x".repeat(257)}`, P], "env-value-invalid"],
    [["-E", P], "option-preserve-env"],
    [["--preserve-env", P], "option-preserve-env"],
    [["--preserve-env=FOO", P], "option-preserve-env"],
    [["-i"], "option-login"],
    [["-s", P], "option-shell"],
    [["-e", "/etc/hosts"], "option-edit"],
    [["-b", P], "option-background"],
    [["-P", P], "option-preserve-groups"],
    [["-v"], "option-validate"],
    [["-S", P], "option-stdin"],
    [["-A", P], "option-askpass"],
    [["-g", "bob", P], "option-group"],
    [["-C", "3", P], "option-close-from"],
    [["-R", "/", P], "option-chroot"],
    [["-r", "x", P], "option-role"],
    [["-t", "x", P], "option-type"],
    [["-a", "x", P], "option-auth-type"],
    [["-c", "x", P], "option-login-class"],
    [["-U", "bob", "-l"], "option-other-user"],
    [["-nkE", P], "option-preserve-env"],
    [[P, "\0"], "argv-not-text"],
    [[P, "\ufffd"], "argv-not-text"],
    [[P, "\ud800"], "argv-not-text"],
  ])("of %j is called %s", (argv, code) => {
    expect(codeOf(argv)).toBe(code);
  });

  it("of too many or too long words is the same", () => {
    const lines = [Array.from({ length: 300 }, () => P), [P, "x".repeat(200_000)], [P, "é".repeat(70_000)]];
    expect(lines.map(codeOf)).toEqual(["argv-too-long", "argv-too-long", "argv-too-long"]);
  });

  it("answers what is no list of strings instead of throwing", () => {
    const revoked = Proxy.revocable([], {});
    revoked.revoke();
    const throwing: string[] = [P];
    Object.defineProperty(throwing, 0, {
      get: () => {
        throw new Error("no");
      },
    });
    const values = [undefined, null, 7, "id", {}, { length: 1, 0: P }, [P, 1], [[P]], [P, undefined], revoked.proxy];
    expect([...values, throwing, Array.from({ length: 2 })].map(codeOf)).toEqual(
      Array.from({ length: 12 }, () => "argv-invalid"),
    );
  });

  it("reads each word once, so that a word cannot change between judging and running", () => {
    const argv = [P, "x"];
    let reads = 0;
    Object.defineProperty(argv, 0, { get: () => (++reads === 1 ? P : "/usr/bin/evil") });
    expect(parseSudoArgs(argv)).toEqual({ ...PLAIN, argv: [P, "x"] });
  });

  it("shows hostile words escaped", () => {
    const parsed = parseSudoArgs(["-u", "a\u001b[8m", P]);
    expect(parsed.kind === "refuse" ? parsed.message : "").toContain("a\\u{1b}[8m");
  });

  it("has a line of help for each code", () => {
    expect(SUDO_REFUSAL_CODES.filter((code) => !/^.{20,120}\.$/.test(sudoRefusalHelp(code)))).toEqual([]);
  });
});
