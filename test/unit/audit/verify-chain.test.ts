import { describe, expect, it } from "vitest";
import { type CanonicalValue, renderCanonical } from "../../../src/audit/canonical-json.ts";
import { beginKey } from "../../../src/audit/audit-key.ts";
import {
  busyLog,
  CURRENT,
  filesOf,
  FIRST_KEY,
  hmacSha256Hex,
  LOG_ID,
  passthrough,
  type SampleFiles,
  type SampleLog,
  sampleLog,
  sha256Hex,
  SUBJECT,
  verifySample,
} from "../../helpers/audit-chain.ts";

/** The files of a log after something was done to the lines of one of them. */
function changed(log: SampleLog, index: number, change: (lines: string[]) => readonly string[]): SampleFiles {
  return filesOf(log).map(({ name, text }, at) => {
    const lines = at === index ? change(text.split("\n").slice(0, -1)) : text.split("\n").slice(0, -1);
    return { name, text: lines.map((line) => `${line}\n`).join("") };
  });
}

/** Rewrites every record from one on so that the chain fits again; without the keys the seals cannot. */
function forgeFrom(
  lines: readonly string[],
  from: number,
  edit: (record: Record<string, CanonicalValue>) => void,
): string[] {
  const forged = lines.slice(0, from);
  for (const line of lines.slice(from)) {
    const record = JSON.parse(line) as Record<string, CanonicalValue>;
    if (forged.length === from) edit(record);
    else record["prev"] = sha256Hex(forged.at(-1) ?? "");
    if (record["event"] === "checkpoint") record["root"] = record["prev"] ?? null;
    forged.push(renderCanonical(record));
  }
  return forged;
}

describe("verifyChain", () => {
  it("finds a log intact over its files, and says what vouches for the end", () => {
    const log = busyLog();
    log.append(passthrough("since the last checkpoint"));
    expect(verifySample(log, filesOf(log))).toEqual({
      status: "intact",
      records: 11,
      message: "All 11 records are as they were written",
      notes: ["the present key vouches for the records from 11 on"],
    });
  });

  it("R-55: a first key kept elsewhere vouches for every record from it on, across checkpoints and files", () => {
    const log = busyLog();
    const verdict = verifySample(log, filesOf(log), { verificationKeyHex: FIRST_KEY });
    expect(verdict).toMatchObject({ status: "intact", notes: ["the verification key vouches for records 1 to 10"] });
  });

  it("R-55: a key taken later vouches from there on, until somebody takes another", () => {
    const log = busyLog();
    log.rekey("22".repeat(32));
    log.append(passthrough("a"));
    log.checkpoint();
    log.rekey("33".repeat(32));
    log.append(passthrough("b"));
    const verdict = verifySample(log, filesOf(log), { verificationKeyHex: "22".repeat(32) });
    expect(verdict.status).toBe("intact");
    expect(verdict.notes).toContain("the verification key vouches for records 12 to 14");
    expect(verifySample(log, filesOf(log), { verificationKeyHex: "44".repeat(32) })).toMatchObject({
      status: "unknown",
      code: "key-unknown",
    });
  });

  it("R-57: names the record that was edited in the middle", () => {
    const log = busyLog();
    const files = changed(log, 1, (lines) => lines.map((line) => line.replace("word 1", "word 9")));
    expect(verifySample(log, files)).toMatchObject({ status: "tampered", code: "chain-broken", firstBadSeq: 8 });
  });

  it("R-57: names the record whose link was edited", () => {
    const log = busyLog();
    const files = changed(log, 1, (lines) =>
      lines.map((line) => (line.includes("word 1") ? line.replace(/"prev":"..../, '"prev":"ffff') : line)),
    );
    expect(verifySample(log, files)).toMatchObject({ status: "tampered", code: "chain-broken", firstBadSeq: 8 });
  });

  it("R-57: finds the last record edited, which nothing follows", () => {
    const log = busyLog();
    log.append(passthrough("last"));
    const files = changed(log, 1, (lines) => lines.map((line) => line.replace('"last"', '"lost"')));
    expect(verifySample(log, files)).toMatchObject({ status: "tampered", code: "mac-wrong", firstBadSeq: 11 });
  });

  it.each([
    ["deleted", 8, "record-missing", (lines: string[]) => lines.toSpliced(2, 1)],
    [
      "swapped with the next",
      8,
      "record-missing",
      (lines: string[]) => [...lines.slice(0, 2), lines[3] ?? "", lines[2] ?? "", ...lines.slice(4)],
    ],
    ["repeated", 9, "record-repeated", (lines: string[]) => lines.toSpliced(3, 0, lines[2] ?? "")],
    ["moved to the end", 8, "record-missing", (lines: string[]) => [...lines.toSpliced(2, 1), lines[2] ?? ""]],
    ["followed by an empty line", 9, "not-canonical", (lines: string[]) => lines.toSpliced(3, 0, "")],
    [
      "followed by another text",
      9,
      "not-canonical",
      (lines: string[]) => lines.toSpliced(3, 0, '{"event":"decision"}'),
    ],
  ])("R-57: finds a record %s", (_what, firstBadSeq, code, change) => {
    const log = busyLog();
    expect(verifySample(log, changed(log, 1, change))).toMatchObject({ status: "tampered", code, firstBadSeq });
  });

  it("H45: finds a forged record at the end, however well it is linked", () => {
    const log = busyLog();
    const files = changed(log, 1, (lines) => {
      const last = JSON.parse(lines.at(-1) ?? "") as Record<string, CanonicalValue>;
      const forged = {
        ...last,
        event: "decision",
        decision: "allow-once",
        seq: 11,
        epoch: log.key.epoch,
        prev: sha256Hex(lines.at(-1) ?? ""),
      };
      return [...lines, renderCanonical(forged)];
    });
    expect(verifySample(log, files)).toMatchObject({ status: "tampered", code: "mac-wrong", firstBadSeq: 11 });
  });

  it("R-55: finds a record that claims another key than that of its time", () => {
    const log = sampleLog();
    log.append(passthrough("a"));
    const files = changed(log, 0, (lines) =>
      lines.map((line) => line.replace('"epoch":0,"event":"pass', '"epoch":7,"event":"pass')),
    );
    expect(verifySample(log, files, { key: null })).toMatchObject({
      status: "tampered",
      code: "epoch-wrong",
      firstBadSeq: 2,
    });
  });

  it("R-57: finds a rewritten log by its head file, and by the verification key where the rewriting began", () => {
    const log = busyLog();
    const files = changed(log, 1, (lines) => forgeFrom(lines, 2, (record) => (record["argv"] = ["other"])));
    expect(verifySample(log, files)).toMatchObject({ status: "tampered", code: "head-mismatch" });
    const forgedHead = {
      head: {
        ...log.head,
        logId: LOG_ID,
        seq: 10,
        sha256: sha256Hex(files[1]?.text.trimEnd().split("\n").at(-1) ?? ""),
      },
    };
    expect(verifySample(log, files, forgedHead)).toMatchObject({ status: "intact" });
    expect(verifySample(log, files, { ...forgedHead, verificationKeyHex: FIRST_KEY })).toMatchObject({
      status: "tampered",
      code: "mac-wrong",
      firstBadSeq: 8,
    });
  });

  it("R-56: finds a rewritten log, head file included, by an anchor", () => {
    const log = busyLog();
    const anchor = { place: "0".repeat(16), logId: LOG_ID, seq: log.head?.seq ?? 0, sha256: log.head?.sha256 ?? "" };
    const files = changed(log, 1, (lines) => forgeFrom(lines, 2, (record) => (record["argv"] = ["other"])));
    const sha256 = sha256Hex(files[1]?.text.trimEnd().split("\n").at(-1) ?? "");
    const witnesses = { head: { logId: LOG_ID, seq: 10, sha256 }, anchors: [anchor] };
    expect(verifySample(log, files, witnesses)).toMatchObject({
      status: "tampered",
      code: "anchor-mismatch",
      firstBadSeq: 10,
    });
    expect(verifySample(log, filesOf(log), { anchors: [anchor] }).notes).toContain(
      "the system's log confirms the records up to 10",
    );
  });

  it("R-57: finds the end cut off, by the head file and by an anchor", () => {
    const log = busyLog();
    const files = changed(log, 1, (lines) => lines.slice(0, -1));
    const anchors = [{ place: "0".repeat(16), logId: LOG_ID, seq: 10, sha256: log.head?.sha256 ?? "" }];
    expect(verifySample(log, files)).toMatchObject({ status: "tampered", code: "truncated", firstBadSeq: 10 });
    expect(verifySample(log, files, { head: null, anchors })).toMatchObject({ status: "tampered", code: "truncated" });
  });

  it("R-57: finds an older copy put back with its head file, by the key that went on", () => {
    const log = sampleLog();
    log.checkpoint();
    const old = { files: filesOf(log), head: log.head };
    log.append(passthrough("later"));
    log.checkpoint();
    expect(verifySample(log, old.files, { head: old.head })).toMatchObject({ status: "tampered", code: "rolled-back" });
  });

  it("R-57: finds another log in its place", () => {
    const log = busyLog();
    const other = { logId: "bb".repeat(16), seq: 10, sha256: "0".repeat(64) };
    expect(verifySample(log, filesOf(log), { head: { ...other, seq: 5_000 } })).toMatchObject({
      status: "tampered",
      code: "log-replaced",
    });
    const key = beginKey("77".repeat(32), 4, sha256Hex);
    expect(verifySample(log, filesOf(log), { key: { ...key, epoch: log.key.epoch } })).toMatchObject({
      code: "rolled-back",
    });
  });

  it("T90: finds a file missing in the middle, and does not call a log whole that lost its first", () => {
    const log = busyLog();
    log.rotate();
    log.checkpoint();
    const files = filesOf(log);
    expect(verifySample(log, files).status).toBe("intact");
    const withoutMiddle = verifySample(log, files.toSpliced(1, 1));
    expect(withoutMiddle).toMatchObject({ status: "tampered", code: "segment-missing", firstBadSeq: 6 });
    expect(verifySample(log, files.slice(1))).toMatchObject({ status: "unknown", code: "earlier-records-missing" });
    expect(verifySample(log, files.slice(0, 2))).toMatchObject({ status: "tampered", code: "truncated" });
  });

  it("R-54: accepts what a crash left when the next record accounts for it, and only then", () => {
    const log = busyLog();
    const torn = '{"agent":"ma\u0000\u00ff';
    const tornSha256 = sha256Hex(Buffer.from(torn, "latin1"));
    log.add({ event: "recovered", tornBytes: torn.length, tornSha256 });
    const withTorn = (text: string): SampleFiles => changed(log, 1, (lines) => lines.toSpliced(-1, 0, text));
    expect(verifySample(log, withTorn(torn))).toMatchObject({
      status: "intact",
      notes: expect.arrayContaining(["1 writes were cut by a crash; their remains are accounted for"]),
    });
    for (const other of [`${torn}x`, torn.replace("ma", "mb")]) {
      expect(verifySample(log, withTorn(other))).toMatchObject({ status: "tampered", code: "not-canonical" });
    }
  });

  it("R-54: a cut last line is neither fine nor tampered with", () => {
    const log = busyLog();
    const [first, second] = filesOf(log);
    const cut = [first!, { name: CURRENT, text: `${second?.text}{"agent":"ma` }];
    expect(verifySample(log, cut)).toMatchObject({ status: "unknown", code: "torn", records: 10 });
    const open = [first!, { name: CURRENT, text: second?.text.slice(0, -1) ?? "" }];
    expect(verifySample(log, open)).toMatchObject({ status: "unknown", code: "torn", records: 10 });
  });

  it("says that it cannot tell without the head file, without the key, and without any record", () => {
    const log = busyLog();
    expect(verifySample(log, filesOf(log), { head: null })).toMatchObject({ status: "unknown", code: "head-missing" });
    expect(verifySample(log, filesOf(log), { key: null })).toMatchObject({ status: "unknown", code: "key-missing" });
    expect(verifySample(log, [])).toMatchObject({ status: "unknown", code: "log-missing", records: 0 });
  });

  it("says when the system's log knows an earlier log of the same folder", () => {
    const log = busyLog();
    const anchors = [{ place: "0".repeat(16), logId: "cc".repeat(16), seq: 900, sha256: "0".repeat(64) }];
    expect(verifySample(log, filesOf(log), { anchors })).toMatchObject({
      status: "unknown",
      code: "earlier-log-missing",
    });
  });

  it("finds a checkpoint that fixes something else than what stands before it", () => {
    const log = sampleLog();
    const lines = [...(log.files[0]?.lines ?? [])];
    log.checkpoint();
    const record = JSON.parse(log.files[0]?.lines.at(-1) ?? "") as Record<string, CanonicalValue>;
    lines.push(renderCanonical({ ...record, root: "0".repeat(64) }));
    const files = [{ name: CURRENT, text: `${lines.join("\n")}\n` }];
    expect(verifySample(log, files, { head: null })).toMatchObject({
      status: "tampered",
      code: "event-wrong",
      firstBadSeq: 2,
    });
  });

  it("binds the masked words to the key of their time", () => {
    const log = sampleLog();
    log.append({ ...SUBJECT, event: "passthrough", argv: ["--token=SECRET"] });
    const { masked } = JSON.parse(log.files[0]?.lines.at(-1) ?? "") as { masked: { at: string; hmac: string }[] };
    expect(masked).toEqual([{ at: "argv.0", hmac: hmacSha256Hex(FIRST_KEY, "--token=SECRET").slice(0, 32) }]);
  });
});
