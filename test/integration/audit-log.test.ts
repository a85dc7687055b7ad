import { spawnSync } from "node:child_process";
import { chown, readFile, stat, symlink } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { auditOutcome, runAuditProgram } from "../helpers/audit-program.ts";
import { IS_ROOT, STRANGER } from "../helpers/outcome.ts";
import { itUnless } from "../helpers/requires.ts";
import { makeUserFolder } from "../helpers/unprivileged.ts";

let folder: string;

beforeEach(async () => {
  folder = join(await makeUserFolder(), "security");
});

async function outcome(body: string): Promise<unknown> {
  return await auditOutcome(body, folder);
}

describe("openAuditLog", () => {
  it("begins a log, appends to it, and leaves it verifiable", async () => {
    const body = `
      const log = await open();
      const first = await log.append(word("a"));
      const second = await log.append(word("b"));
      await log.close();
      return { first, second, events: eventsOf(), verdict: await verify() };`;
    expect(await outcome(body)).toEqual({
      value: {
        first: { seq: 3 },
        second: { seq: 4 },
        events: ["created", "checkpoint", "passthrough", "passthrough", "checkpoint"],
        verdict: { status: "intact", records: 5 },
      },
    });
  });

  it("T86, H46: makes a folder and files for its owner alone, also with umask 000", async () => {
    const body = `
      process.umask(0);
      const log = await open();
      await log.append(word("a"));
      await log.close();
      return fs.readdirSync(folder).sort().map((name) => [name, fs.statSync(join(folder, name)).mode & 0o777]);`;
    expect(await outcome(body)).toEqual({
      value: ["audit-head.json", "audit-key.json", "privileged-audit.jsonl", "privileged-audit.lock"].map((name) => [
        name,
        0o600,
      ]),
    });
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
  });

  it("goes on where another process stopped", async () => {
    const body = `
      for (const text of ["a", "b"]) {
        const log = await open();
        await log.append(word(text));
        await log.close();
      }
      return { events: eventsOf(), verdict: await verify() };`;
    expect(await outcome(body)).toMatchObject({ value: { verdict: { status: "intact", records: 6 } } });
  });

  it("refuses everything after it was closed", async () => {
    const body = `
      const log = await open();
      await log.close();
      await log.close();
      return await log.append(word("late"));`;
    expect(await outcome(body)).toEqual({ code: "audit-unavailable" });
  });

  it("lets two logs of one process append in turn", async () => {
    const body = `
      const [a, b] = [await open(), await open()];
      await Promise.all(Array.from({ length: 100 }, (_, index) => (index % 2 ? a : b).append(word(index))));
      await a.close();
      await b.append(word("after"));
      await b.close();
      return await verify();`;
    expect(await outcome(body)).toMatchObject({ value: { status: "intact" } });
  });
});

describe("what is at the log's path", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["a folder", "fs.mkdirSync(file);"],
    ["H44: a FIFO, without waiting for its other end", 'execFileSync("/usr/bin/mkfifo", [file]);'],
    ["H43: a link to /dev/null", 'fs.symlinkSync("/dev/null", file);'],
    ["H43: a link to /dev/full", 'fs.symlinkSync("/dev/full", file);'],
    ["a link to nowhere", 'fs.symlinkSync(join(folder, "nowhere"), file);'],
    ["a file with a second name", 'fs.writeFileSync(file, "", { mode: 0o600 }); fs.linkSync(file, file + ".2");'],
    ["an empty file", 'fs.writeFileSync(file, "", { mode: 0o600 });'],
    ["another text", 'fs.writeFileSync(file, "hello\\n", { mode: 0o600 });'],
  ];
  it.each(cases)("refuses %s", async (_what, make) => {
    const body = `fs.mkdirSync(folder, { mode: 0o700 }); ${make} return [await outcome(open), (await verify()).status];`;
    expect(await outcome(body)).toEqual({ value: [{ code: "audit-broken" }, expect.not.stringMatching("intact")] });
  });

  it("refuses a log that others may read, until its mode is put right", async () => {
    const body = `
      await (await open()).close();
      fs.chmodSync(file, 0o644);
      const refused = await outcome(open);
      fs.chmodSync(file, 0o600);
      await (await open()).close();
      return refused;`;
    expect(await outcome(body)).toEqual({ value: { code: "audit-unavailable" } });
  });

  it("H25: refuses a folder that is a link, and one that others may write to", async () => {
    await outcome("return (await open()).close();");
    const link = join(await makeUserFolder(), "link");
    await symlink(folder, link);
    expect(await auditOutcome("return await open();", link)).toEqual({ code: "audit-unavailable" });
    expect(await outcome("fs.chmodSync(folder, 0o777); return await open();")).toEqual({ code: "audit-unavailable" });
  });

  itUnless(
    IS_ROOT ? null : "only root can give a file away",
    "refuses a log that belongs to somebody else",
    async () => {
      await outcome("return (await open()).close();");
      await chown(join(folder, "privileged-audit.jsonl"), STRANGER, STRANGER);
      expect(await outcome("return await open();")).toMatchObject({ code: expect.stringMatching(/^audit-/) });
    },
  );
});

describe("T91: what happens to the log while it is open", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["moved away", 'fs.renameSync(file, file + ".away");'],
    ["moved away and begun anew", 'fs.renameSync(file, file + ".away"); fs.writeFileSync(file, "", { mode: 0o600 });'],
    ["replaced by its own copy", 'fs.copyFileSync(file, file + ".copy"); fs.renameSync(file + ".copy", file);'],
    ["truncated to nothing", "fs.truncateSync(file, 0);"],
    ["cut by one record", "fs.truncateSync(file, fs.statSync(file).size - linesOf().at(-1).length - 1);"],
    [
      "given a forged record",
      'fs.appendFileSync(file, linesOf().at(-1).replace(/"seq":\\d+/, (seq) => seq + "0") + "\\n");',
    ],
    ["given its last record again", 'fs.appendFileSync(file, linesOf().at(-1) + "\\n");'],
    ["given a second name", 'fs.linkSync(file, file + ".2");'],
    ["replaced by a link to itself", 'fs.renameSync(file, file + ".away"); fs.symlinkSync(file + ".away", file);'],
  ];
  it.each(cases)("refuses to append once it was %s, and goes on refusing", async (_what, change) => {
    const body = `
      const log = await open();
      await log.append(word("a"));
      ${change}
      return [await outcome(() => log.append(intent)), await outcome(() => log.append(intent))];`;
    expect(await outcome(body)).toEqual({ value: [{ code: "audit-broken" }, { code: "audit-broken" }] });
  });

  it("R-57: refuses to open an older copy that was put back, with its head file", async () => {
    const body = `
      const names = ["privileged-audit.jsonl", "audit-head.json"];
      await (await open()).close();
      for (const name of names) fs.copyFileSync(join(folder, name), join(folder, name + ".old"));
      const log = await open();
      await log.append(word("later"));
      await log.close();
      for (const name of names) fs.renameSync(join(folder, name + ".old"), join(folder, name));
      return [await outcome(open), await verify()];`;
    expect(await outcome(body)).toEqual({
      value: [{ code: "audit-broken" }, expect.objectContaining({ status: "tampered", code: "rolled-back" })],
    });
  });

  it.each(["audit-head.json", "audit-key.json", "privileged-audit.jsonl"])(
    "refuses to open when %s is gone",
    async (name) => {
      const body = `
      const log = await open();
      for (let count = 0; count < 5; count += 1) await log.append(word(count));
      await log.close();
      fs.unlinkSync(join(folder, ${JSON.stringify(name)}));
      return [await outcome(open), (await verify()).status];`;
      expect(await outcome(body)).toEqual({ value: [{ code: "audit-broken" }, expect.not.stringMatching("intact")] });
    },
  );

  it("refuses a head file or key that is no such file", async () => {
    const body = `
      await (await open()).close();
      const head = fs.readFileSync(join(folder, "audit-head.json"));
      fs.writeFileSync(join(folder, "audit-head.json"), "{");
      const first = await outcome(open);
      fs.writeFileSync(join(folder, "audit-head.json"), head);
      fs.writeFileSync(join(folder, "audit-key.json"), '{"schemaVersion":9}');
      return [first, await outcome(open)];`;
    expect(await outcome(body)).toEqual({ value: [{ code: "audit-broken" }, { code: "audit-broken" }] });
  });

  it("refuses when something else is where its lock belongs, and lives with the lock being removed", async () => {
    const body = `
      const log = await open();
      fs.unlinkSync(join(folder, "privileged-audit.lock"));
      await log.append(word("a"));
      fs.unlinkSync(join(folder, "privileged-audit.lock"));
      execFileSync("/usr/bin/mkfifo", [join(folder, "privileged-audit.lock")]);
      return await log.append(word("b"));`;
    expect(await outcome(body)).toEqual({ code: "audit-broken" });
  });
});

describe("after a crash", () => {
  it("R-54: keeps a cut last line and accounts for it in the next record", async () => {
    const body = `
      const log = await open();
      await log.append(word("a"));
      await log.close();
      const torn = '{"agent":null,"ar\u00ff';
      fs.appendFileSync(file, Buffer.from(torn, "latin1"));
      const before = await verify();
      const next = await open();
      await next.append(word("b"));
      await next.close();
      const lines = linesOf();
      const { event, tornBytes, seq } = JSON.parse(lines[lines.indexOf(torn) + 1]);
      return { before, recovered: { event, tornBytes, seq }, verdict: await verify() };`;
    expect(await outcome(body)).toEqual({
      value: {
        before: { status: "unknown", code: "torn", records: 4 },
        recovered: { event: "recovered", tornBytes: 18, seq: 5 },
        verdict: { status: "intact", records: 7 },
      },
    });
  });

  it("takes a last record that only lacks its line end as it is", async () => {
    const body = `
      const log = await open();
      await log.append(word("a"));
      fs.truncateSync(file, fs.statSync(file).size - 1);
      const next = await open();
      await next.append(word("b"));
      await next.close();
      return { events: eventsOf(), verdict: await verify() };`;
    expect(await outcome(body)).toEqual({
      value: {
        events: ["created", "checkpoint", "passthrough", "passthrough", "checkpoint"],
        verdict: { status: "intact", records: 5 },
      },
    });
  });

  it("R-53: closes the intent of a process that is gone, once, and leaves that of a living one alone", async () => {
    const program = `
      if (args[0] === "die") {
        const log = await open();
        await log.append(intent);
        process.kill(process.pid, "SIGKILL");
        await sleep(60_000);
      }
      const mine = await open();
      const { seq } = await mine.append(intent);
      const child = start("die");
      await once(child, "exit");
      const second = await open();
      const third = await open();
      print({
        mine: mine.danglingIntents(),
        second: second.danglingIntents(),
        third: third.danglingIntents(),
        unknown: records().filter(({ event }) => event === "outcome-unknown"),
        seq,
      });`;
    const run = await runAuditProgram(program, folder);
    expect(run.stderr).toBe("");
    expect(JSON.parse(run.stdout)).toMatchObject({
      mine: [],
      second: [{ intentSeq: 4, requestId: "r-1", session: "s" }],
      third: [],
      unknown: [{ intentSeq: 4, why: "process-gone", requestId: "r-1", digest: "d1" }],
      seq: 3,
    });
  });

  it("R-53: closes every intent from before a reboot", async () => {
    const body = `
      const log = await open();
      await log.append(intent);
      const { seq } = await log.append(intent);
      await log.append({ ...subject, event: "exec-finish", intentSeq: seq, outcome: "exited", exitCode: 0, signal: null, timedOut: false, pipeHeld: false, durationMs: 1, childPid: null, childStartTime: null, errno: null, message: null, output: null });
      const next = await open({ bootId: "boot-2" });
      return [next.danglingIntents().map(({ intentSeq }) => intentSeq), records().at(-1).why];`;
    expect(await outcome(body)).toEqual({ value: [[3], "reboot"] });
  });

  it("R-53: carries an open intent over into the next file", async () => {
    const body = `
      const log = await open({ maxBytes: 2_000 });
      await log.append(intent);
      for (let count = 0; count < 9; count += 1) await log.append(word(count));
      const next = await open({ bootId: "boot-2" });
      return [fs.readdirSync(folder).filter((name) => name.endsWith("1.jsonl")), next.danglingIntents().map(({ intentSeq }) => intentSeq), (await verify()).status];`;
    expect(await outcome(body)).toEqual({ value: [["privileged-audit.000001.jsonl"], [3], "intact"] });
  });
});

describe("an intent that is never ended", () => {
  it("does not keep the log from going on, however many there are", async () => {
    const body = `
      const log = await open({ maxBytes: 200_000 });
      const long = { ...intent, session: "s\u0007".repeat(600), requestId: "r".repeat(2_000) };
      await Promise.all(Array.from({ length: 500 }, () => log.append(long)));
      await log.append(word("after"));
      await log.close();
      const { open: carried } = JSON.parse(linesOf()[0]);
      return [carried.length, carried.at(-1).intentSeq, await verify()];`;
    expect(await outcome(body)).toEqual({ value: [32, 502, expect.objectContaining({ status: "intact" })] });
  });
});

describe("checkpoints", () => {
  it("R-56: makes one after 64 records, erases the key before it, and keeps it in the head file", async () => {
    const body = `
      const log = await open();
      const before = JSON.parse(fs.readFileSync(join(folder, "audit-key.json"), "utf8")).current;
      for (let count = 0; count < 64; count += 1) await log.append(word(count));
      await log.append(word("after"));
      const key = JSON.parse(fs.readFileSync(join(folder, "audit-key.json"), "utf8")).current;
      const head = JSON.parse(fs.readFileSync(join(folder, "audit-head.json"), "utf8"));
      const checkpoint = records().findLast(({ event }) => event === "checkpoint");
      return { cause: checkpoint.cause, isHead: head.seq === checkpoint.seq, epochs: [before.epoch, key.epoch], isSameKey: before.keyHex === key.keyHex };`;
    expect(await outcome(body)).toEqual({
      value: { cause: "count", isHead: true, epochs: [1, 2], isSameKey: false },
    });
  });

  it("T94: makes one when asked though nothing happened, and tells the system's log", async () => {
    const body = `
      const told = [];
      const log = await open({ anchor: async (text) => told.push(text) > 0 });
      await log.checkpoint();
      const head = JSON.parse(fs.readFileSync(join(folder, "audit-head.json"), "utf8"));
      const intact = await verify({ anchors: told });
      await log.close();
      const other = told.at(-1).replace(/sha256=..../, "sha256=0000");
      return { told: told.length, isNamed: told.at(-2).includes(head.sha256), anchored: head.anchored, intact, forged: await verify({ anchors: [other] }), odd: await verify({ anchors: ["?"] }) };`;
    expect(await outcome(body)).toMatchObject({
      value: {
        isNamed: true,
        anchored: "sent",
        intact: { status: "intact" },
        forged: { status: "tampered", code: "anchor-mismatch" },
        odd: { status: "unknown", code: "anchor-unreadable" },
      },
    });
  });

  it.each(["async () => false", 'async () => { throw new Error("no"); }'])(
    "says in the head file that the system's log did not take it: %s",
    async (anchor) => {
      const body = `
        const log = await open({ anchor: ${anchor} });
        await log.close();
        return JSON.parse(fs.readFileSync(join(folder, "audit-head.json"), "utf8")).anchored;`;
      expect(await outcome(body)).toEqual({ value: "failed" });
    },
  );

  it("R-55: gives a verification key once, from which another process goes on", async () => {
    const body = `
      const [log, other] = [await open(), await open()];
      await other.append(word("before"));
      const { keyHex, fromSeq } = await log.rekey();
      const inFolder = fs.readdirSync(folder).some((name) => fs.readFileSync(join(folder, name), "latin1").includes(keyHex));
      await other.append(word("after"));
      await log.checkpoint();
      const gone = !fs.readdirSync(folder).some((name) => fs.readFileSync(join(folder, name), "latin1").includes(keyHex));
      await other.append(word("more"));
      await other.close();
      await log.close();
      return { keyHex: keyHex.length, fromSeq, inFolder, gone, verdict: await verify() };`;
    expect(await outcome(body)).toEqual({
      value: { keyHex: 64, fromSeq: 6, inFolder: true, gone: true, verdict: { status: "intact", records: 10 } },
    });
  });
});

describe("several processes", () => {
  it("T89: 4 processes append 1,000 records each, and every one is there in one chain", async () => {
    const program = `
      if (args[0] !== undefined) {
        const log = await open();
        for (let count = 0; count < 1_000; count += 1) await log.append(word(args[0] + "-" + count));
        await log.close();
      } else {
        const children = ["a", "b", "c", "d"].map((name) => start(name));
        const codes = await Promise.all(children.map(async (child) => (await once(child, "exit"))[0]));
        const words = records().flatMap(({ event, argv }) => (event === "passthrough" ? argv : []));
        print({ codes, words: new Set(words).size, verdict: (await verify()).status });
      }`;
    const run = await runAuditProgram(program, folder);
    expect(run.stderr).toBe("");
    expect(JSON.parse(run.stdout)).toEqual({ codes: [0, 0, 0, 0], words: 4_000, verdict: "intact" });
  }, 180_000);

  it("T90: turns to new files while 4 processes append, and finds a file missing in the middle", async () => {
    const program = `
      if (args[0] !== undefined) {
        const log = await open({ maxBytes: 32_000 });
        for (let count = 0; count < 150; count += 1) await log.append(word(args[0] + "-" + count));
        await log.close();
      } else {
        const children = ["a", "b", "c", "d"].map((name) => start(name));
        const codes = await Promise.all(children.map(async (child) => (await once(child, "exit"))[0]));
        const names = fs.readdirSync(folder).filter((name) => name.endsWith(".jsonl"));
        const words = names.flatMap((name) => records(join(folder, name))).flatMap(({ event, argv }) => (event === "passthrough" ? argv : []));
        const verdict = (await verify()).status;
        fs.renameSync(join(folder, "privileged-audit.000002.jsonl"), join(folder, "away"));
        print({ codes, words: new Set(words).size, hasFiles: names.length > 3, verdict, without: await verify() });
      }`;
    const run = await runAuditProgram(program, folder);
    expect(run.stderr).toBe("");
    expect(JSON.parse(run.stdout)).toMatchObject({
      codes: [0, 0, 0, 0],
      words: 600,
      hasFiles: true,
      verdict: "intact",
      without: { status: "tampered", code: "segment-missing" },
    });
  }, 120_000);

  it("T85: loses no acknowledged record in 200 SIGKILLs at any moment, and each intent gets its end", async () => {
    const program = `
      if (args[0] === "work") {
        const log = await open({ maxBytes: 100_000 });
        for (let count = 0; ; count += 1) {
          const { seq } = await log.append(intent);
          fs.writeSync(1, seq + "\\n");
        }
      }
      const acknowledged = [];
      const bad = [];
      const killOne = async (delayMs) => {
        const child = start("work");
        let text = "";
        child.stdout.on("data", (chunk) => (text += chunk));
        await once(child.stdout, "data");
        await sleep(delayMs);
        child.kill("SIGKILL");
        await once(child, "close");
        acknowledged.push(...text.split("\\n").slice(0, -1).map(Number));
      };
      for (let round = 0; round < 100; round += 1) {
        await Promise.all([killOne(Math.random() * 20), killOne(Math.random() * 20)]);
        const { status, code } = await verify();
        // A cut last line is all that a kill may leave.
        if (status !== "intact" && code !== "torn") bad.push({ round, status, code });
      }
      const log = await open();
      await log.close();
      const names = fs.readdirSync(folder).filter((name) => name.endsWith(".jsonl"));
      const all = names.flatMap((name) => linesOf(join(folder, name))).flatMap((line) => (line.endsWith("}") ? [JSON.parse(line)] : []));
      const intents = new Set(all.flatMap(({ event, seq }) => (event === "exec-intent" ? [seq] : [])));
      const closed = new Set(all.flatMap(({ event, intentSeq }) => (event === "outcome-unknown" ? [intentSeq] : [])));
      print({
        bad,
        lost: acknowledged.filter((seq) => !intents.has(seq)).length,
        open: [...intents].filter((seq) => !closed.has(seq)).length,
        hasRecords: acknowledged.length >= 200,
        verdict: (await verify()).status,
      });`;
    const run = await runAuditProgram(program, folder);
    expect(run.stderr).toBe("");
    expect(JSON.parse(run.stdout)).toEqual({ bad: [], lost: 0, open: 0, hasRecords: true, verdict: "intact" });
  }, 240_000);
});

describe("H47: secrets", () => {
  it("T93: are in no file of the folder, whatever form they come in", async () => {
    const body = `
      const log = await open();
      const argv = ["/usr/bin/mysql", "-pSECRET", "--token=SECRET", "--password", "SECRET", "https://u:SECRET@h/", "-H", "Authorization: Bearer SECRET"];
      await log.append({ ...intent, argv, env: { API_KEY: "SECRET" } });
      await log.append({ ...subject, event: "refused", code: "denied", message: "token=SECRET", argv });
      await log.close();`;
    expect(await outcome(body)).toEqual({ value: null });
    const found = spawnSync("/usr/bin/grep", ["-rc", "SECRET", folder], { encoding: "utf8" }).stdout;
    expect(found).toMatch(/^(?:.*:0\n)+$/);
    expect(await readFile(join(folder, "privileged-audit.jsonl"), "utf8")).toMatch(/^[ -~\n]*$/);
  });
});
