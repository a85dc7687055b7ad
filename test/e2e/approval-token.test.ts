import { existsSync } from "node:fs";
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, vi } from "vitest";
import { itUnless } from "../helpers/requires.ts";
import { cse, makePerson, makeSecurityFolder, type Person } from "../helpers/run-in-terminal.ts";
import { sudoUser, sudoUsersObstacle } from "../helpers/sudo-users.ts";
import { runAsUser } from "../helpers/unprivileged.ts";

const OBSTACLE = sudoUsersObstacle();
vi.setConfig({ testTimeout: 120_000 });

const TOKEN = "correct horse battery";
const ID = "1f58b914";
/** The side of the gateway: one yes that waits for the token. */
const GATEWAY = `
import { confirmToken } from "#src/approve/confirm-token.ts";
import { closeConfirmation, openConfirmation, takeProof } from "#src/state/confirmation-desk.ts";
const [folder, token, seconds] = process.argv.slice(2);
const desk = {
  open: async (confirmation) => await openConfirmation(folder, confirmation),
  takeProof: async (id, signal) => await takeProof(folder, id, signal),
  close: async (id) => await closeConfirmation(folder, id),
};
const shown = { id: "${ID}", title: "Run as \\"root\\"? [${ID}]", lines: ['  "/usr/bin/id"', "a\\u202eb"], expiresAt: "2026-11-23T08:00:00Z" };
process.stdout.write(await confirmToken(desk, token, shown, AbortSignal.timeout(Number(seconds) * 1000)));
`;

interface Waiting {
  readonly person: Person;
  readonly folder: string;
  readonly answer: Promise<string>;
}

async function makeWaiting(seconds = 60): Promise<Waiting> {
  const person = await makePerson();
  await makeSecurityFolder(person);
  const folder = join(person.security, "confirmations");
  const user = sudoUser("cse-sudo");
  const run = runAsUser(GATEWAY, { home: person.home, user, args: [folder, TOKEN, String(seconds)] });
  while (!existsSync(join(folder, `${ID}.json`))) await sleep(50);
  return {
    person,
    folder,
    answer: run.then(({ stdout, stderr }) => stdout + stderr),
  };
}

const typing = (send: string): { expect: string; send: string } => ({ expect: "\\(not shown\\): ", send });

describe("cse approvers confirm", () => {
  itUnless(OBSTACLE, "completes the yes to what it shows, and shows the token nowhere", async () => {
    const { person, folder, answer } = await makeWaiting();
    const steps = [typing("something else\n"), typing(`${TOKEN}\n`)];
    const { exitCode, output } = await cse(person, ["approvers", "confirm"], { steps });
    expect(await answer).toBe("yes");
    expect(exitCode).toBe(0);
    expect(output).toContain('  "/usr/bin/id"');
    expect(output).toContain("a\\u{202e}b");
    expect(output).toContain("That is not it.");
    expect(output).not.toContain(TOKEN);
    expect(await readdir(folder)).toEqual([]);
  });

  itUnless(OBSTACLE, "gives up after three wrong ones, and so does the yes", async () => {
    const { person, answer } = await makeWaiting();
    const steps = ["one\n", "two\n", "three\n"].map(typing);
    await cse(person, ["approvers", "confirm", ID], { steps });
    expect(await answer).toBe("token-wrong");
  });

  itUnless(OBSTACLE, "is no use without a question, and no question outlives its time", async () => {
    const { person, answer } = await makeWaiting(1);
    expect(await answer).toBe("approval-expired");
    for (const id of [ID, "../../x", "0000000"]) {
      const run = await cse(person, ["approvers", "confirm", id]);
      expect({ id, exitCode: run.exitCode }).toEqual({ id, exitCode: 3 });
    }
  });

  itUnless(OBSTACLE, "shows what the proof will be for: a changed text gives a proof that is of no use", async () => {
    const { person, folder, answer } = await makeWaiting(8);
    // Whoever can write the folder can show a harmless command in the place of the real one.
    const forged = { schemaVersion: 1, id: ID, title: "Run?", lines: ["/usr/bin/true"], expires_at: "" };
    await writeFile(join(folder, `${ID}.json`), JSON.stringify(forged));
    const steps = [typing(`${TOKEN}\n`), typing("\n")];
    await cse(person, ["approvers", "confirm", ID], { steps });
    expect(await answer).toBe("approval-expired");
  });
});
