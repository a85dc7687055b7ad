import { chmod, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { PortRuleRecord } from "../../src/schema/approved-ports.ts";
import { assessWith, type AssessRun, giveTree, makeHomeOfUser, type RunCse } from "./assess-run.ts";
import { giveToUser, makeUserFolders, reportOf, writeUserFile } from "./cli.ts";
import type { TestHome } from "./homes.ts";
import { GATEWAY_VERSION, makeOwnHost, type OwnHost } from "./own-host.ts";

export const GATEWAY_PORT = 18_789;

/** A host where everything this release can measure is as it should be, and what the tests change about it. */
export interface HardenedHost extends TestHome {
  readonly host: OwnHost;
  readonly securityDir: string;
  readonly cse: RunCse;
  readonly assess: (args?: readonly string[]) => Promise<AssessRun>;
  /** Changes the config as a value. */
  readonly editConfig: (change: (config: ConfigValue) => void) => Promise<void>;
  readonly stopGateway: () => Promise<void>;
}

/** Loose on purpose: tests write what a person might. */
export type ConfigValue = Record<string, Record<string, unknown>>;

export async function makeHardenedHost(): Promise<HardenedHost> {
  const made = await makeHomeOfUser("hardened");
  const host = await makeOwnHost();
  const securityDir = join(made.stateDir, "security");
  const cse: RunCse = async (args) => await host.cse(args, made.home);
  await writeUserFile(
    join(securityDir, "command-policy.json"),
    JSON.stringify({
      schemaVersion: 2,
      unmatched: "deny",
      rules: [{ id: "restart-web", effect: "allow", binary: "/usr/bin/systemctl", args: ["restart", "web"] }],
    }),
  );
  await writeUserFile(
    join(securityDir, "egress_allowlist.json"),
    JSON.stringify({
      schemaVersion: 2,
      rules: [{ cidr: "192.0.2.0/24", protocol: "tcp", port: 443, justification: "a network of its own" }],
    }),
  );
  await writeUserFile(
    join(securityDir, "prompt-policy.json"),
    JSON.stringify({ require_confirmation_for_untrusted: true }),
  );
  await writeDatabase(made, new Date().toISOString());
  const stopGateway = await host.startGateway({ host: "127.0.0.1", port: GATEWAY_PORT });
  reportOf(await cse(["baseline", "generate", "--json"]));
  await reviewAll(join(securityDir, "approved_ports.json"));
  return {
    ...made,
    host,
    securityDir,
    cse,
    stopGateway,
    assess: async (args = []) => await assessWith(cse, join(made.home, "out"), args),
    editConfig: async (change) => {
      const config = JSON.parse(await readFile(made.configPath, "utf8")) as ConfigValue;
      change(config);
      await writeFile(made.configPath, JSON.stringify(config));
    },
  };
}

/** What a person does in `cse baseline review`, for every entry. */
export async function reviewAll(path: string): Promise<void> {
  const file = JSON.parse(await readFile(path, "utf8")) as { rules: PortRuleRecord[] };
  const rules = file.rules.map((rule) => ({
    ...rule,
    reviewed: true,
    owner: "platform team",
    justification: "end-to-end test",
    expires: "2099-01-01",
  }));
  await writeFile(path, JSON.stringify({ ...file, rules }));
}

/** OpenClaw's database with a backup an hour old and an answer of the registry. */
export async function writeDatabase(
  { home, stateDir }: TestHome,
  askedAt: string,
  latest: string = GATEWAY_VERSION,
): Promise<void> {
  const archive = join(home, "backups/openclaw.tar.gz");
  await writeUserFile(archive, "archive");
  const path = join(stateDir, "state/openclaw.sqlite");
  await makeUserFolders(dirname(path));
  const database = new DatabaseSync(path);
  database.exec(`
    DROP TABLE IF EXISTS backup_runs;
    DROP TABLE IF EXISTS config_machine_state;
    CREATE TABLE backup_runs (id TEXT, created_at INTEGER, archive_path TEXT, status TEXT, manifest_json TEXT);
    CREATE TABLE config_machine_state (state_key TEXT PRIMARY KEY, value_json TEXT, updated_at_ms INTEGER);
  `);
  database
    .prepare("INSERT INTO backup_runs VALUES ('1', ?, ?, 'ok', '{\"kind\":\"archive\"}')")
    .run(Date.now() - 3_600_000, archive);
  database
    .prepare("INSERT INTO config_machine_state VALUES ('update.checkState', ?, 0)")
    .run(JSON.stringify({ lastCheckedAt: askedAt, lastAvailableVersion: latest }));
  database.close();
  await chmod(path, 0o600);
  await giveToUser(path);
  await giveTree(dirname(archive));
}
