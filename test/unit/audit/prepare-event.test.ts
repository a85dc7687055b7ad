import { describe, expect, it } from "vitest";
import type { AuditEvent, RequestEvent } from "../../../src/audit/audit-event.ts";
import { renderCanonical } from "../../../src/audit/canonical-json.ts";
import { maskedWords, prepareEvent } from "../../../src/audit/prepare-event.ts";
import { hmacSha256Hex, SUBJECT } from "../../helpers/audit-chain.ts";

const REQUEST: RequestEvent = {
  ...SUBJECT,
  event: "request",
  argv: ["/usr/bin/id"],
  reason: "to see",
  runAs: "root",
  cwd: "/",
  env: { LANG: "C.UTF-8" },
  stdinBytes: null,
  timeoutMs: 60_000,
  keepSession: false,
  isNonInteractive: false,
};

function hashSecret(secret: string): string {
  return hmacSha256Hex("55".repeat(32), secret);
}

function prepare(event: AuditEvent): Readonly<Record<string, unknown>> {
  return prepareEvent(event, hashSecret);
}

describe("prepareEvent", () => {
  it("keeps an event without secrets as it is", () => {
    expect(prepare(REQUEST)).toEqual({ ...REQUEST });
  });

  it("R-59: masks secrets in words, environment and texts, and keeps a keyed hash of each whole", () => {
    const prepared = prepare({
      ...REQUEST,
      argv: ["/usr/bin/x", "--token=S1"],
      env: { LANG: "C", API_KEY: "S2" },
      reason: "password=S3 please",
    });
    expect(prepared).toMatchObject({
      argv: ["/usr/bin/x", "--token=***"],
      env: { LANG: "C", API_KEY: "***" },
      reason: "password=*** please",
    });
    expect(prepared["masked"]).toEqual(
      [
        { at: "argv.1", hmac: hashSecret("--token=S1").slice(0, 32) },
        { at: "reason", hmac: hashSecret("password=S3 please").slice(0, 32) },
        { at: "env.API_KEY", hmac: hashSecret("S2").slice(0, 32) },
      ].sort(
        (a, b) => ["argv.1", "reason", "env.API_KEY"].indexOf(a.at) - ["argv.1", "reason", "env.API_KEY"].indexOf(b.at),
      ),
    );
    expect(JSON.stringify(prepared)).not.toMatch(/S[123]/);
  });

  it("T87: bounds words, lists, texts and environment, and says how much is missing", () => {
    const prepared = prepare({
      ...REQUEST,
      argv: [
        "/usr/bin/x",
        "w".repeat(100_000),
        ...Array.from({ length: 300 }, (_, index) => `word ${index}`.padEnd(200)),
      ],
      reason: "r".repeat(5_000),
      env: Object.fromEntries(
        Array.from({ length: 1_000 }, (_, index) => [`N${index}`.padEnd(300, "n"), "v".repeat(5_000)]),
      ),
    });
    const argv = prepared["argv"] as string[];
    expect(argv[1]).toBe(`${"w".repeat(1_024)}[+98976]`);
    expect(argv.at(-1)).toMatch(/^\[\+2\d\d words\]$/);
    expect(prepared["reason"]).toBe(`${"r".repeat(1_024)}[+3976]`);
    expect(Object.keys(prepared["env"] as object).length).toBe(64);
    expect(renderCanonical(prepared as never).length).toBeLessThan(200_000);
  });

  it("T87: masks a secret that the cut would part", () => {
    const prepared = prepare({ ...REQUEST, argv: ["x", `a token="${"s".repeat(5_000)}"`] });
    expect(prepared["argv"]).toEqual(["x", "a token=***[+2962]"]);
  });

  it("writes numbers as whole ones, and what is no number as null", () => {
    const finish: AuditEvent = {
      ...SUBJECT,
      event: "exec-finish",
      intentSeq: 3,
      outcome: "exited",
      exitCode: 0,
      signal: null,
      timedOut: false,
      pipeHeld: false,
      durationMs: 12.7,
      childPid: Number.NaN,
      childStartTime: null,
      errno: null,
      message: null,
      output: null,
    };
    expect(prepare(finish)).toMatchObject({ durationMs: 13, childPid: null });
  });
});

describe("maskedWords", () => {
  it("shows the words of a command as the log has them", () => {
    const argv = [
      "/usr/bin/x",
      "--token=SECRET",
      "plain",
      "y".repeat(3_000),
      ...Array.from({ length: 300 }, () => "z".repeat(60)),
    ];
    const shown = maskedWords(argv);
    expect(shown).toEqual(prepare({ ...REQUEST, argv })["argv"]);
    expect(shown.slice(0, 3)).toEqual(["/usr/bin/x", "--token=***", "plain"]);
    expect(shown.at(-1)).toMatch(/^\[\+\d+ words\]$/);
  });
});
