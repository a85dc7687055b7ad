import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { tokenProof } from "../approve/token-proof.ts";
import { wrapLine } from "../approve/wrap-line.ts";
import { SecurityError } from "../core/error.ts";
import { clip } from "../core/text.ts";
import { isConfirmationId } from "../schema/confirmation.ts";
import { listConfirmations, loadConfirmation, proofState, putProof } from "../state/confirmation-desk.ts";
import { type ControllingTerminal, openControllingTerminal } from "../state/controlling-terminal.ts";
import type { Effects } from "./effects.ts";

export interface ConfirmReport {
  readonly schemaVersion: 1;
  readonly id: string;
}

const TRIES = 3;
const TYPE_WITHIN_MS = 300_000;
const LOOK_EVERY_MS = 200;
/** The gateway looks four times a second. */
const LOOKED_AT_WITHIN_MS = 10_000;

/** Where the gateway and a terminal meet about a yes that needs the token. */
export function confirmationFolder(effects: Effects): string {
  return join(effects.securityDir(), "confirmations");
}

/** The token is typed here and goes no further than this process: what lies in the folder is a proof for this text. */
export async function confirmAtTheDesk(folder: string, wanted: string | null): Promise<ConfirmReport> {
  const id = wanted ?? (await onlyOne(folder));
  if (!isConfirmationId(id)) throw noSuch(id);
  const confirmation = await loadConfirmation(folder, id).catch((thrown: unknown) => {
    throw thrown instanceof SecurityError && thrown.code === "file-missing" ? noSuch(id) : thrown;
  });
  const terminal = await openControllingTerminal();
  if (terminal === null) {
    throw new SecurityError("not-a-terminal", "The token is typed at a terminal, by a person", {
      hint: "Run it in a terminal of your own.",
    });
  }
  try {
    // Written by whoever can write the folder, so nothing of it reaches the terminal as it is.
    const rows = [confirmation.title, "", ...confirmation.lines].flatMap((line) =>
      wrapLine(clip(line, 2_000), terminal.columns),
    );
    await terminal.write(`${rows.join("\n")}\n\n`);
    for (let tries = 0; tries < TRIES; tries += 1) {
      const typed = await askToken(terminal);
      await putProof(folder, id, await tokenProof(typed, confirmation));
      if ((await waitUntilLookedAt(folder, id)) === "over") return { schemaVersion: 1, id };
      await terminal.write("That is not it.\n");
    }
  } finally {
    await terminal.close();
  }
  throw new SecurityError("enrolment-refused", "The token was not right", { hint: "Ask again, and look it up." });
}

async function askToken(terminal: ControllingTerminal): Promise<string> {
  const prompt = "To complete the yes to exactly this, type the approval token (not shown): ";
  const typed = await terminal.ask(prompt, AbortSignal.timeout(TYPE_WITHIN_MS), true);
  if (typed !== null && typed !== "") return typed;
  throw new SecurityError("enrolment-refused", "No token was typed, so nothing was confirmed", { hint: "Try again." });
}

async function waitUntilLookedAt(folder: string, id: string): Promise<"wrong" | "over"> {
  for (let waited = 0; waited < LOOKED_AT_WITHIN_MS; waited += LOOK_EVERY_MS) {
    await sleep(LOOK_EVERY_MS);
    const state = await proofState(folder, id);
    if (state !== "waiting") return state;
  }
  throw new SecurityError("timeout", "No gateway took the token", { hint: "Look whether the gateway still runs." });
}

async function onlyOne(folder: string): Promise<string> {
  const [id, ...more] = await listConfirmations(folder);
  if (id !== undefined && more.length === 0) return id;
  throw new SecurityError("unknown-approver", id === undefined ? "Nothing waits for the token" : "Several wait", {
    hint: id === undefined ? "Say yes first, where you were asked." : `Name one: ${[id, ...more].join(", ")}`,
  });
}

function noSuch(id: string): SecurityError {
  return new SecurityError("unknown-approver", `Nothing waits under ${clip(id, 40)}`, {
    hint: "The 8 digits stand in the question's title; say yes there first.",
  });
}
