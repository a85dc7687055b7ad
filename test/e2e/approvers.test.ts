import { execFileSync } from "node:child_process";
import { chmod, chown, mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, vi } from "vitest";
import { itUnless } from "../helpers/requires.ts";
import {
  cse,
  makePerson,
  type Person,
  readBack,
  TYPE_CODE,
  typeInstead,
  writePolicy,
} from "../helpers/run-in-terminal.ts";
import { PASSWORD, sudoUser, sudoUsersObstacle } from "../helpers/sudo-users.ts";

const OBSTACLE = sudoUsersObstacle();
vi.setConfig({ testTimeout: 180_000 });

const PHONE = "ab".repeat(32);
const AGENT = "cd".repeat(32);
const HOST = "ef".repeat(32);
const AGREE = { ...TYPE_CODE, expect: "type the code (\\w+)\\r\\n> " };
const GIVE_PASSWORD = { expect: "assword[^\\r\\n]*: ?", send: `${PASSWORD}\n` };

/** A state folder as OpenClaw leaves it: a phone, a device that let itself in, and its own identity. */
async function makeOwner(name: "cse-sudo" | "cse-password" = "cse-sudo"): Promise<Person> {
  const person = await makePerson(name);
  const path = join(person.home, ".openclaw/state/openclaw.sqlite");
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const database = new DatabaseSync(path);
  database.exec(`
    CREATE TABLE device_identities (identity_key TEXT, device_id TEXT, private_key_pem TEXT);
    CREATE TABLE device_pairing_paired (device_id TEXT, operator_label TEXT, display_name TEXT, platform TEXT,
      client_id TEXT, approved_via TEXT, remote_ip TEXT, scopes_json TEXT, approved_at_ms INTEGER);
    INSERT INTO device_identities VALUES ('primary', '${HOST}', 'x');`);
  const add = database.prepare("INSERT INTO device_pairing_paired VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)");
  const scopes = '["operator.approvals"]';
  add.run(PHONE, "My phone", "iPhone", "ios", "openclaw-ios", "owner", "192.0.2.7", scopes, 1_795_000_000_000);
  add.run(AGENT, null, "My phone\u202e\u001b[2J", "linux", "cli", "silent", null, scopes, 1_795_000_001_000);
  add.run(HOST, null, "OpenClaw CLI", "linux", "cli", "silent", null, scopes, 1_795_000_002_000);
  database.close();
  const { uid, gid } = sudoUser(name);
  execFileSync("chown", ["-R", `${uid}:${gid}`, person.home]);
  await chmod(join(person.home, ".openclaw"), 0o700);
  return person;
}

const file = (person: Person): string => join(person.security, "approvers.json");

async function listed(person: Person): Promise<{ exitCode: number | null; output: string }> {
  return await cse(person, ["approvers", "list"]);
}

describe("cse approvers", () => {
  itUnless(
    OBSTACLE,
    "lists what OpenClaw let in, how and from where, with nothing that acts on the terminal",
    async () => {
      const { output, exitCode } = await listed(await makeOwner());
      expect(exitCode).toBe(0);
      expect(output).toContain("0 enrolled approvers");
      expect(output).toContain("My phone (openclaw-ios, ios): not enrolled");
      expect(output).toContain("paired 2026-11-18T11:06:40Z from 192.0.2.7, owner");
      expect(output).toContain("My phone\\u{202e}\\u{1b}[2J (cli, linux): not enrolled");
      expect(output).toContain("from this machine, let in by itself");
      expect(output).toContain("key on this machine: cannot be enrolled");
    },
  );

  itUnless(OBSTACLE, "enrols without proof where sudo wants no password, and says so", async () => {
    const person = await makeOwner();
    const run = await cse(person, ["approvers", "enroll", PHONE.slice(0, 8)], { steps: [AGREE] });
    expect(run).toMatchObject({ exitCode: 0 });
    expect(run.output).toContain("Level L0");
    expect((await stat(file(person))).mode & 0o777).toBe(0o600);
    expect(JSON.parse(await readFile(file(person), "utf8"))).toMatchObject({
      approvers: [{ kind: "device", id: PHONE, name: "My phone", proof: "none" }],
    });
    expect((await listed(person)).output).toContain("no proof (L0)");
    expect(await readBack(person)).toEqual({ verified: 0, events: ["approver-enrolled"] });
  });

  itUnless(
    OBSTACLE,
    "has root write the list where sudo takes a password, and lets nothing else claim that",
    async () => {
      const person = await makeOwner("cse-password");
      const steps = [AGREE, GIVE_PASSWORD];
      expect(await cse(person, ["approvers", "enroll", PHONE], { steps })).toMatchObject({ exitCode: 0 });
      expect(await stat(file(person))).toMatchObject({ uid: 0, nlink: 1 });
      expect((await listed(person)).output).toContain("a password was given");

      // The account can put a file of its own there, and the claim is not believed any more.
      const text = await readFile(file(person), "utf8");
      const { uid, gid } = sudoUser("cse-password");
      await chown(file(person), uid, gid);
      const forged = await listed(person);
      expect(forged.exitCode).toBe(4);
      expect(forged.output).toContain("approvers-invalid");
      expect(text).toContain('"proof": "password"');
    },
  );

  itUnless(OBSTACLE, "takes one away, root's list with the password", async () => {
    const person = await makeOwner("cse-password");
    const steps = [AGREE, GIVE_PASSWORD];
    await cse(person, ["approvers", "enroll", PHONE], { steps });
    const without = await cse(person, ["approvers", "revoke", PHONE], { steps: [typeInstead("no\n")] });
    expect(without.exitCode).toBe(5);
    expect(await cse(person, ["approvers", "revoke", PHONE], { steps })).toMatchObject({ exitCode: 0 });
    expect((await listed(person)).output).toContain("0 enrolled approvers, written by root");
  });

  itUnless(OBSTACLE, "changes nothing without a wrong code, a terminal, or a device that may be enrolled", async () => {
    const person = await makeOwner();
    const wrong = await cse(person, ["approvers", "enroll", PHONE], { steps: [typeInstead("AAAAAA\n")] });
    expect(wrong.exitCode).toBe(5);
    const host = await cse(person, ["approvers", "enroll", HOST]);
    expect(host.exitCode).toBe(3);
    expect(host.output).toContain("OpenClaw's own identity on this machine");
    const nobody = await cse(person, ["approvers", "enroll", "12".repeat(32)]);
    expect(nobody.exitCode).toBe(3);
    const alone = await cse(person, ["approvers", "enroll", PHONE], { isControlling: false });
    expect(alone.exitCode).toBe(2);
    await expect(stat(file(person))).rejects.toThrow("ENOENT");
  });

  itUnless(OBSTACLE, "reads no list that others may write", async () => {
    const person = await makeOwner();
    const text = '{"schemaVersion":1,"approvers":[]}';
    await writePolicy(person, "approvers.json", text, 0o666);
    expect((await listed(person)).exitCode).toBe(4);
    await writeFile(file(person), text.replace("[]", "[1]"));
    await chmod(file(person), 0o600);
    expect((await listed(person)).exitCode).toBe(4);
  });
});
