import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import type * as Library from "../../src/index.ts";
import type { PortReport } from "../../src/core/network.ts";
import { listenAsUser, makeUserHome, type UserHome, writeUserFile } from "../helpers/cli.ts";
import { copyPackageForUser } from "../helpers/unprivileged.ts";

type Call = (params: unknown) => Promise<unknown>;

let library: typeof Library;
let user: UserHome;
let engineer: Library.SecurityEngineer;

beforeAll(async () => {
  const { folder } = await copyPackageForUser();
  library = (await import(join(folder, "dist/index.js"))) as typeof Library;
});

beforeEach(async () => {
  user = await makeUserHome();
  engineer = library.createSecurityEngineer({
    stateDir: user.stateDir,
    assessmentsDir: join(user.home, "reports"),
    env: { HOME: user.home },
  });
  onTestFinished(async () => await engineer.close());
});

const BIG = "x".repeat(1_000_000);

/** Throws in whatever way it is touched. */
const UNTOUCHABLE: object = new Proxy(
  {},
  {
    get: () => {
      throw new Error("no");
    },
    has: () => {
      throw new Error("no");
    },
    ownKeys: () => {
      throw new Error("no");
    },
    getPrototypeOf: () => {
      throw new Error("no");
    },
  },
);

const CIRCULAR: Record<string, unknown> = {};
CIRCULAR["self"] = CIRCULAR;

/** Wrong for every tool. */
const WRONG: readonly (readonly [string, unknown])[] = [
  ["an array", []],
  ["a number", 7],
  ["a text", "includeUdp"],
  ["a text of 1 MB", BIG],
  ["true", true],
  ["a symbol", Symbol("params")],
  ["a big integer", 1n],
  ["a function", () => ({})],
  ["an unknown key", { includeUPD: true }],
  ["a key of 1 MB", { [BIG]: true }],
  ["a key that could paint a terminal", { "\u001b[31m\n": true }],
  ["a circular object", CIRCULAR],
  ["an own __proto__", JSON.parse('{ "__proto__": { "includeUdp": false } }')],
];

const WRONG_VALUES: readonly unknown[] = [null, 0, "yes", [], {}, BIG, 1n, Symbol("x"), () => true];

const FIELDS = {
  scanPorts: ["includeUdp", "baseline"],
  scanEgress: ["includeLoopback", "allowlist"],
  assess: ["checks", "refresh", "outDir"],
} as const;

function expectError(result: unknown, code: string): void {
  expect(result).toEqual({ status: "error", code, message: expect.any(String), hint: expect.any(String) });
  expect((result as { message: string }).message.length).toBeLessThan(1000);
}

describe.each(["scanPorts", "scanEgress", "assess"] as const)("%s", (name) => {
  const call = async (params: unknown): Promise<unknown> => await (engineer[name] as Call)(params);

  it.each(WRONG)("gives an error and never rejects for %s", async (_title, params) => {
    expectError(await call(params), "invalid-input");
  });

  it("gives an error and never rejects for what throws when it is touched", async () => {
    expectError(await call(UNTOUCHABLE), "internal");
  });

  it("gives an error for every wrong value of every parameter", async () => {
    const combinations = FIELDS[name].flatMap((field) => WRONG_VALUES.map((value) => ({ [field]: value })));
    // An empty list of checks and a text are right for some of them.
    const isRight = (params: Record<string, unknown>): boolean =>
      (Array.isArray(params["checks"]) && params["checks"].length === 0) ||
      ["baseline", "allowlist", "outDir"].some((field) => params[field] === "yes");
    for (const params of combinations.filter((one) => !isRight(one))) expectError(await call(params), "invalid-input");
  });

  it("gives an error for a parameter whose getter throws", async () => {
    for (const field of FIELDS[name]) {
      expectError(
        await call({
          get [field]() {
            throw new Error("from a getter");
          },
        }),
        "internal",
      );
    }
  });

  it("takes no parameters, undefined and null alike", async () => {
    for (const params of [undefined, null, {}]) {
      expect(await call(params)).toMatchObject({ status: expect.stringMatching(/^(?:ok|incomplete)$/) });
    }
  });
});

describe("createSecurityEngineer", () => {
  it("does nothing before it is asked to", async () => {
    const home = join(user.home, "fresh");
    await mkdir(home);
    library.createSecurityEngineer({ stateDir: join(home, "state"), assessmentsDir: join(home, "reports") });
    expect(await readdir(home)).toEqual([]);
  });

  it("takes an environment without a home as one, and says so by name", async () => {
    const homeless = library.createSecurityEngineer({ env: {} });
    expect(await homeless.scanPorts()).toMatchObject({ status: "error", code: "no-home" });
    expect(await homeless.scanEgress()).toMatchObject({ status: "error", code: "no-home" });
    expect(await homeless.assess()).toMatchObject({ status: "error", code: "no-home" });
  });

  it("gives a clock that throws as an error, not as a rejection", async () => {
    const broken = library.createSecurityEngineer({
      stateDir: user.stateDir,
      now: () => {
        throw new Error("no clock");
      },
    });
    expect(await broken.scanPorts()).toMatchObject({ status: "error", code: "internal" });
  });
});

describe("scanPorts", () => {
  it("called twenty times at once gives twenty times the same", async () => {
    const listener = await listenAsUser();
    const reports = (await Promise.all(
      Array.from({ length: 20 }, async () => await engineer.scanPorts()),
    )) as PortReport[];
    const about = reports.map((report) => ({
      listeners: report.listening_services.filter(({ port }) => port === listener.port),
      findings: report.findings
        .filter(({ port }) => port === listener.port)
        .map(({ type, target }) => ({ type, target })),
    }));
    expect(about).toEqual(Array.from({ length: 20 }, () => about[0]));
    expect(about[0]).toMatchObject({ listeners: [{ pid: listener.pid, exe: listener.exe }], findings: [{}] });
  });

  it("sees again, with what it remembers, what starts and stops between two calls", async () => {
    const first = await listenAsUser();
    const ports = async (): Promise<number[]> =>
      ((await engineer.scanPorts()) as PortReport).listening_services
        .map(({ port }) => port)
        .filter((port) => port === first.port || port === second?.port);
    let second: Awaited<ReturnType<typeof listenAsUser>> | undefined;
    expect(await ports()).toEqual([first.port]);
    second = await listenAsUser();
    expect((await ports()).toSorted((a, b) => a - b)).toEqual([first.port, second.port].toSorted((a, b) => a - b));
    await first.stop();
    expect(await ports()).toEqual([second.port]);
  });

  it("gives a broken baseline as the error that the command gives", async () => {
    await writeUserFile(user.baseline, "{");
    const own = process.getuid?.() === 0 ? "state-owner-mismatch" : "json-invalid";
    expect(await engineer.scanPorts()).toMatchObject({ status: "error", code: own });
  });
});
