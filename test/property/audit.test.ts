import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { AuditEvent } from "../../src/audit/audit-event.ts";
import { type CanonicalValue, parseCanonical, renderCanonical } from "../../src/audit/canonical-json.ts";
import { readEntry, readSlowly, type StoredEntry } from "../../src/audit/entry.ts";
import { maskArgv } from "../../src/audit/mask-secret.ts";
import { prepareEvent } from "../../src/audit/prepare-event.ts";
import { scanCanonical } from "../../src/audit/scan-canonical.ts";
import { busyLog, filesOf, sampleLog, type SampleFiles, SUBJECT, verifySample } from "../helpers/audit-chain.ts";

const anyText = fc.string({ unit: "binary", maxLength: 60 });
const canonicalValue = fc.letrec<{ value: CanonicalValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    fc.constant(null),
    fc.boolean(),
    fc.maxSafeInteger().map((number) => (Object.is(number, -0) ? 0 : number)),
    anyText,
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(anyText, tie("value"), { maxKeys: 4 }),
  ),
})).value;

const anyEvent: fc.Arbitrary<AuditEvent> = fc
  .record({
    requestId: fc.option(anyText),
    digest: fc.option(anyText),
    session: anyText,
    agent: fc.option(anyText),
    channel: fc.constantFrom("terminal", "gateway", "shim", "library"),
  })
  .chain((subject) =>
    fc.oneof(
      fc
        .record({ argv: fc.array(anyText, { maxLength: 8 }) })
        .map((rest): AuditEvent => ({ ...subject, event: "passthrough", ...rest })),
      fc
        .record({
          argv: fc.array(anyText, { maxLength: 8 }),
          reason: anyText,
          runAs: anyText,
          cwd: anyText,
          env: fc.dictionary(anyText, anyText, { maxKeys: 5 }),
          stdinBytes: fc.option(fc.nat()),
          timeoutMs: fc.double({ noNaN: true }),
          keepSession: fc.boolean(),
          isNonInteractive: fc.boolean(),
        })
        .map((rest): AuditEvent => ({ ...subject, event: "request", ...rest })),
      fc.record({ code: anyText, message: anyText }).map((rest): AuditEvent => ({ event: "policy-broken", ...rest })),
      fc.record({ kind: fc.constantFrom("terminal", "device", "channel"), id: anyText }).map((by): AuditEvent => ({
        ...subject,
        event: "late-decision",
        approver: "gateway",
        decision: "allow-once",
        by,
      })),
    ),
  );

/** One log for all changes: making it is what takes time. */
const LOG = busyLog(5);
const FILES = filesOf(LOG);
const ALL = FILES.map(({ text }) => text).join("");

/** The files after a change to the bytes of all of them together. */
function split(all: string): SampleFiles {
  const first = FILES[0]?.text.length ?? 0;
  return [
    { name: FILES[0]?.name ?? "", text: all.slice(0, first) },
    { name: FILES[1]?.name ?? "", text: all.slice(first) },
  ];
}

function statusOf(files: SampleFiles): string {
  return verifySample(LOG, files).status;
}

describe("canonical JSON", () => {
  it("gives back every value from its text, in printable ASCII", () => {
    fc.assert(
      fc.property(canonicalValue, (value) => {
        const text = renderCanonical(value);
        expect(text).toMatch(/^[ -~]*$/);
        expect(parseCanonical(text)).toEqual(JSON.parse(text));
        expect(renderCanonical(parseCanonical(text) ?? null)).toBe(text);
      }),
    );
  });

  it("has no second text for a value that JSON knows another text of", () => {
    fc.assert(
      fc.property(canonicalValue, (value) => {
        const other = JSON.stringify(value, null, 1);
        fc.pre(other !== renderCanonical(value));
        expect(parseCanonical(other)).toBeUndefined();
      }),
    );
  });
});

/** With the fields read, so that two can be compared. */
function whole(entry: StoredEntry | null): unknown {
  return entry === null ? null : { ...entry, fields: entry.fields() };
}

describe("the quick way to read a record", () => {
  const object = fc.dictionary(fc.oneof(anyText, fc.constantFrom("a", "b", "10", "9", "__proto__")), canonicalValue, {
    maxKeys: 6,
  });
  /** What stands where in a text decides what may stand there, so these are the characters that matter. */
  const piece = fc.constantFrom(
    ...'{}[],:"\\ -01.eEtfnua\u007f\u00e9'.split(""),
    "\\u00e9",
    "\\u0041",
    "\\u000a",
    "\\n",
    ',"a":1',
    "null",
  );

  it("passes no text that the slow way refuses, whatever was put in or left out", () => {
    fc.assert(
      fc.property(object, fc.nat(), fc.nat({ max: 3 }), fc.option(piece), (value, place, left, put) => {
        const text = renderCanonical(value);
        const at = place % (text.length + 1);
        const changed = `${text.slice(0, at)}${put ?? ""}${text.slice(at + left)}`;
        expect(scanCanonical(changed) !== null && parseCanonical(changed) === undefined).toBe(false);
      }),
      { numRuns: 5_000 },
    );
  });

  it("says where the members of an object are", () => {
    fc.assert(
      fc.property(object, (value) => {
        const text = renderCanonical(value);
        const members = scanCanonical(text);
        if (members === null) return;
        const found: Record<string, unknown> = Object.create(null);
        for (let at = 0; at < members.length; at += 3) {
          const [key, keyEnd, end] = members.slice(at, at + 3);
          found[text.slice(key, keyEnd)] = JSON.parse(text.slice((keyEnd ?? 0) + 2, end));
        }
        expect(renderCanonical(found as CanonicalValue)).toBe(text);
      }),
      { numRuns: 1_000 },
    );
  });

  it("is taken for every record of a log, and reads what the slow way reads", () => {
    for (const line of ALL.split("\n").slice(0, -1)) {
      expect(scanCanonical(line)).not.toBeNull();
      expect(whole(readEntry(line))).toEqual(whole(readSlowly(line)));
    }
  });

  it("reads a record that was changed anywhere as the slow way does", () => {
    const lines = ALL.split("\n").slice(0, -1);
    fc.assert(
      fc.property(
        fc.constantFrom(...lines),
        fc.nat(),
        fc.nat({ max: 2 }),
        fc.option(piece),
        (line, place, left, put) => {
          const at = place % (line.length + 1);
          const changed = `${line.slice(0, at)}${put ?? ""}${line.slice(at + left)}`;
          expect(whole(readEntry(changed))).toEqual(whole(readSlowly(changed)));
        },
      ),
      { numRuns: 3_000 },
    );
  });
});

describe("the record of any event", () => {
  it("T87: is one line of printable ASCII that reads back and verifies", () => {
    fc.assert(
      fc.property(fc.array(anyEvent, { minLength: 1, maxLength: 5 }), (events) => {
        const log = sampleLog();
        for (const event of events) log.append(event);
        log.checkpoint();
        const [file] = filesOf(log);
        expect(file?.text).toMatch(/^[ -~\n]*$/);
        const lines = file?.text.split("\n").slice(0, -1) ?? [];
        expect(lines.length).toBe(events.length + 2);
        for (const [index, event] of events.entries())
          expect(readEntry(lines[index + 1] ?? "")?.event).toBe(event.event);
        expect(verifySample(log, filesOf(log)).status).toBe("intact");
      }),
    );
  });

  it("R-59: keeps no secret given under a name that says so", () => {
    const secret = fc.stringMatching(/^[A-Za-z0-9_=+/-]{6,30}$/).map((text) => `S${text}Z`);
    fc.assert(
      fc.property(
        fc.constantFrom("--token=", "--password=", "DB_PASSWORD=", "api-key=", "https://user:"),
        secret,
        fc.array(anyText, { maxLength: 3 }),
        (prefix, value, others) => {
          const word = prefix.endsWith(":") ? `${prefix}${value}@host/` : `${prefix}${value}`;
          fc.pre(!others.some((other) => other.includes(value)) && !(prefix.endsWith(":") && value.includes("/")));
          const event: AuditEvent = { ...SUBJECT, event: "passthrough", argv: ["/usr/bin/x", word, ...others] };
          expect(JSON.stringify(prepareEvent(event, () => "0".repeat(64)))).not.toContain(value);
        },
      ),
    );
  });

  it("masks word by word: every word keeps its place", () => {
    fc.assert(
      fc.property(fc.array(anyText, { maxLength: 10 }), (argv) => {
        expect(maskArgv(argv).length).toBe(argv.length);
      }),
    );
  });
});

describe("verifyChain", () => {
  it("finds every single byte changed", () => {
    fc.assert(
      fc.property(fc.nat({ max: ALL.length - 1 }), fc.nat({ max: 255 }), (at, byte) => {
        const char = String.fromCharCode(byte);
        fc.pre(ALL[at] !== char);
        expect(statusOf(split(`${ALL.slice(0, at)}${char}${ALL.slice(at + 1)}`))).not.toBe("intact");
      }),
      { numRuns: 1_000 },
    );
  });

  it("finds every byte left out or put in", () => {
    fc.assert(
      fc.property(fc.nat({ max: ALL.length - 1 }), fc.nat({ max: 255 }), fc.boolean(), (at, byte, isPutIn) => {
        const change = isPutIn ? String.fromCharCode(byte) : "";
        const all = `${ALL.slice(0, at)}${change}${ALL.slice(isPutIn ? at : at + 1)}`;
        expect(statusOf(split(all))).not.toBe("intact");
      }),
      { numRuns: 500 },
    );
  });

  it("finds every line dropped, swapped, repeated or put in, and says which is the first to be wrong", () => {
    const lines = FILES.flatMap(({ text }) => text.split("\n").slice(0, -1));
    const firstFile = FILES[0]?.text.split("\n").length ?? 0;
    const filesFrom = (changed: readonly string[], shift: number): SampleFiles => {
      const end = firstFile - 1 + shift;
      const join = (part: readonly string[]): string => part.map((line) => `${line}\n`).join("");
      return [
        { name: FILES[0]?.name ?? "", text: join(changed.slice(0, end)) },
        { name: FILES[1]?.name ?? "", text: join(changed.slice(end)) },
      ];
    };
    const position = fc.nat({ max: lines.length - 1 });
    fc.assert(
      fc.property(
        position,
        position,
        fc.constantFrom("drop", "swap", "repeat", "insert"),
        anyText,
        (a, b, kind, text) => {
          const changed = [...lines];
          let shift = 0;
          if (kind === "drop") {
            changed.splice(a, 1);
            shift = a < firstFile - 1 ? -1 : 0;
          } else if (kind === "swap") {
            fc.pre(a !== b);
            changed[a] = lines[b] ?? "";
            changed[b] = lines[a] ?? "";
          } else {
            changed.splice(a, 0, kind === "repeat" ? (lines[b] ?? "") : text.replaceAll("\n", " "));
            shift = a < firstFile - 1 ? 1 : 0;
          }
          const verdict = verifySample(LOG, filesFrom(changed, shift));
          expect(verdict.status).toBe("tampered");
          const first = kind === "swap" ? Math.min(a, b) : a;
          expect(verdict.firstBadSeq).toBeLessThanOrEqual(lines.length + 1);
          expect(verdict.firstBadSeq).toBeGreaterThanOrEqual(Math.min(first, lines.length - 1));
        },
      ),
      { numRuns: 500 },
    );
  });
});
