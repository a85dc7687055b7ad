import { describe, expect, it } from "vitest";
import type { Listener } from "../../../src/core/network.ts";
import { epochFromIso } from "../../../src/core/time.ts";
import {
  diffBaselineFile,
  generateBaselineFile,
  reviewBaselineFile,
  type BaselineDeps,
  type ReviewQuestion,
} from "../../../src/app/baseline.ts";
import { reportPorts } from "../../../src/app/scan-ports.ts";
import type { ReviewDecision } from "../../../src/scan/baseline-generate.ts";
import { parseApprovedPorts } from "../../../src/schema/approved-ports.ts";
import { listenerWith } from "../../helpers/listener.ts";

const NOW = epochFromIso("2026-06-15T12:00:00Z") ?? 0;
const PATH = "/state/security/approved_ports.json";
const APPROVE: ReviewDecision = { kind: "approve", owner: "platform", justification: "internal API" };

/** A baseline file in memory, and what listens beside it. */
function hostWith(text: string | null, listeners: readonly Listener[]): BaselineDeps & { text: () => string | null } {
  let stored = text;
  return {
    load: () => Promise.resolve(stored === null ? null : { path: PATH, text: stored }),
    save: (next) => {
      stored = next;
      return Promise.resolve(PATH);
    },
    exclusively: (work) => work(),
    collect: () =>
      Promise.resolve({
        collector: "proc",
        collected_at: "2026-06-15T12:00:00Z",
        complete: true,
        unresolved: 0,
        denied: 0,
        listeners,
        connections: [],
        problems: [],
      }),
    now: () => NOW,
    text: () => stored,
  };
}

const answering =
  (...answers: (ReviewDecision | null)[]) =>
  (question: ReviewQuestion): Promise<ReviewDecision | null> =>
    Promise.resolve(answers[question.position - 1] ?? null);

describe("generate, then review", () => {
  it("makes the finding of a listener go away only after the review", async () => {
    const host = hostWith(null, [listenerWith({ port: 3999 })]);
    const types = async (): Promise<string[]> => {
      const file = await host.load();
      const baseline = file === null ? null : parseApprovedPorts(JSON.parse(file.text));
      return reportPorts(await host.collect({ udp: true }), baseline, PATH, NOW).findings.map(({ type }) => type);
    };
    expect(await types()).toEqual(["unapproved-port"]);
    expect(await generateBaselineFile(host)).toEqual({
      schemaVersion: 1,
      path: PATH,
      complete: true,
      rules: 1,
      reviewed: 0,
      unreviewed: ["tcp 3999 on loopback, /usr/bin/python3.11 as app"],
    });
    expect(await types()).toEqual(["unapproved-port"]);
    expect(await reviewBaselineFile({ ...host, ask: answering(APPROVE) })).toEqual({
      schemaVersion: 1,
      path: PATH,
      approved: 1,
      dropped: 0,
      remaining: 0,
    });
    expect(await types()).toEqual([]);
  });
});

describe("generateBaselineFile", () => {
  it("never replaces a file it cannot read as a baseline", async () => {
    const host = hostWith('{"rules": []}', [listenerWith()]);
    await expect(generateBaselineFile(host)).rejects.toMatchObject({ code: "baseline-invalid" });
    expect(host.text()).toBe('{"rules": []}');
  });

  it("saves nothing when somebody edits the file while it scans", async () => {
    const host = hostWith("[]", [listenerWith()]);
    const edited = '[{"port": 22, "protocol": "tcp"}]';
    const deps: BaselineDeps = {
      ...host,
      collect: async (want) => {
        await host.save(edited);
        return host.collect(want);
      },
    };
    await expect(generateBaselineFile(deps)).rejects.toMatchObject({ code: "file-changed" });
    expect(host.text()).toBe(edited);
  });
});

describe("a baseline that must not be lost", () => {
  it("is not replaced by text that could not be read again", async () => {
    // The original form takes any command; the form that is written takes a base name.
    const original = '[{"port": 22, "protocol": "tcp", "command": "/usr/sbin/sshd"}]';
    const host = hostWith(original, [listenerWith()]);
    await expect(generateBaselineFile(host)).rejects.toMatchObject({ code: "baseline-invalid" });
    expect(host.text()).toBe(original);
  });

  it("is compared and replaced while no other command may save it", async () => {
    const host = hostWith("[]", [listenerWith()]);
    const steps: string[] = [];
    const deps: BaselineDeps = {
      ...host,
      load: async () => {
        steps.push("load");
        return await host.load();
      },
      save: async (text) => {
        steps.push("save");
        return await host.save(text);
      },
      exclusively: async (work) => {
        steps.push("lock");
        const path = await work();
        steps.push("unlock");
        return path;
      },
    };
    await generateBaselineFile(deps);
    expect(steps).toEqual(["load", "lock", "load", "save", "unlock"]);
  });
});

describe("diffBaselineFile", () => {
  it("shows what is new and what is gone", async () => {
    const host = hostWith('[{"port": 22, "protocol": "tcp"}]', [listenerWith()]);
    const diff = await diffBaselineFile(host);
    expect(diff.added.map((listener) => listener.port)).toEqual([8080]);
    expect(diff.missing.map((rule) => rule.ports.first)).toEqual([22]);
    expect(diff.path).toBe(PATH);
  });

  it("needs a baseline", async () => {
    await expect(diffBaselineFile(hostWith(null, []))).rejects.toMatchObject({ code: "file-missing" });
  });
});

describe("reviewBaselineFile", () => {
  const rule = { protocol: "tcp", scope: "loopback", reviewed: false };
  const three = JSON.stringify({ schemaVersion: 2, rules: [1, 2, 3].map((port) => ({ ...rule, port })) });
  const portsIn = (text: string | null): string[] =>
    parseApprovedPorts(JSON.parse(text ?? "[]")).rules.map(({ ports, reviewed }) => `${ports.first} ${reviewed}`);

  it("applies each decision to the rule it was made for, also after dropped ones", async () => {
    const host = hostWith(three, []);
    const report = await reviewBaselineFile({ ...host, ask: answering({ kind: "drop" }, { kind: "keep" }, APPROVE) });
    expect(report).toMatchObject({ approved: 1, dropped: 1, remaining: 1 });
    expect(portsIn(host.text())).toEqual(["2 false", "3 true"]);
  });

  it("saves what was decided before the walk was stopped", async () => {
    const host = hostWith(three, []);
    const report = await reviewBaselineFile({ ...host, ask: answering(APPROVE, null) });
    expect(report).toMatchObject({ approved: 1, remaining: 2 });
    expect(portsIn(host.text())).toEqual(["1 true", "2 false", "3 false"]);
  });

  it("leaves the file as it is when nothing was decided", async () => {
    const host = hostWith(three, []);
    await reviewBaselineFile({ ...host, ask: answering(null) });
    expect(host.text()).toBe(three);
  });

  it("asks about unreviewed and expired rules only, and warns about what they expose", async () => {
    const rules = [
      { ...rule, port: 22, reviewed: true },
      { ...rule, port: 23, scope: "all-interfaces", exe: "/usr/sbin/telnetd" },
      { ...rule, port: 3999, reviewed: true, expires: "2026-01-01" },
      { ...rule, port: 4000, command: "node" },
    ];
    const asked: ReviewQuestion[] = [];
    const ask = (question: ReviewQuestion): Promise<ReviewDecision> => {
      asked.push(question);
      return Promise.resolve({ kind: "keep" });
    };
    await reviewBaselineFile({ ...hostWith(JSON.stringify({ schemaVersion: 2, rules }), []), ask });
    expect(
      asked.map(({ description, state, warnings, position, total }) => ({
        description,
        state,
        warnings,
        position,
        total,
      })),
    ).toEqual([
      {
        description: "tcp 23 on all-interfaces, /usr/sbin/telnetd",
        state: "unreviewed",
        warnings: [
          "It is reachable from outside this host; only a firewall limits that.",
          "23/tcp is usually telnet: A remote shell whose password and every keystroke can be read and altered on the way. SSH (port 22) with keys; remove the telnet server.",
        ],
        position: 1,
        total: 3,
      },
      {
        description: "tcp 3999 on loopback",
        state: "expired",
        warnings: ["It names no program, so whatever holds the port would be approved."],
        position: 2,
        total: 3,
      },
      {
        description: "tcp 4000 on loopback, node",
        state: "unreviewed",
        warnings: ["It names a program by its file name only, and any file can have that name; `exe` names one file."],
        position: 3,
        total: 3,
      },
    ]);
  });

  it("saves nothing when somebody edits the file meanwhile", async () => {
    const host = hostWith(three, []);
    const ask = async (): Promise<ReviewDecision> => {
      await host.save("[]");
      return APPROVE;
    };
    await expect(reviewBaselineFile({ ...host, ask })).rejects.toMatchObject({ code: "file-changed" });
    expect(host.text()).toBe("[]");
  });
});
