import { randomUUID } from "node:crypto";
import { join } from "node:path";
import {
  type ApproverChange,
  type ApproverDeps,
  type ApproverList,
  type ApproversReport,
  enrolApprover,
  type EnrolWish,
  listApprovers,
  revokeApprover,
} from "../app/approvers.ts";
import { randomCode } from "../approve/approval-token.ts";
import { collectPairedDevices } from "../collect/paired-devices.ts";
import { SecurityError } from "../core/error.ts";
import { parseStrictJson } from "../core/json.ts";
import { lookupUser } from "../exec/passwd-user.ts";
import { resolveCommand } from "../exec/resolve-command.ts";
import { checkSudo } from "../exec/sudo-binary.ts";
import { preflightSudo } from "../exec/sudo-preflight.ts";
import { parseApprovers, renderApprovers } from "../schema/approvers.ts";
import { parseElevationRequest } from "../schema/elevation-request.ts";
import { openControllingTerminal } from "../state/controlling-terminal.ts";
import { withLock } from "../state/lock.ts";
import { readOwnedTextFile } from "../state/read-file.ts";
import { ensurePrivateFolder, replaceFile, writeFileAtomic } from "../state/write-file.ts";
import { openAudit } from "./audit.ts";
import { confirmAtTheDesk, confirmationFolder, type ConfirmReport } from "./confirm.ts";
import type { Effects } from "./effects.ts";
import { openElevation, realSudoPath } from "./elevate.ts";

export interface ApproverCommands {
  list(): Promise<ApproversReport>;
  enrol(wish: EnrolWish): Promise<ApproverChange>;
  revoke(id: string): Promise<ApproverChange>;
  /** Asks for the approval token at the controlling terminal and hands a proof of it over. */
  confirm(id: string | null): Promise<ConfirmReport>;
}

const MAX_BYTES = 100_000;
const DD = "/usr/bin/dd";
const SEAL_TIMEOUT_MS = 60_000;
const CONFIRM_WITHIN_MS = 300_000;

export function createApproverCommands(effects: Effects): ApproverCommands {
  const deps = approverDeps(effects);
  return {
    list: async () => await listApprovers(deps),
    enrol: async (wish) => await enrolApprover(deps, wish),
    revoke: async (id) => await revokeApprover(deps, id),
    confirm: async (id) => await confirmAtTheDesk(confirmationFolder(effects), id),
  };
}

/** @throws {SecurityError} approvers-invalid and those of reading a trusted file; a missing file is an empty list */
export async function loadApprovers(effects: Effects): Promise<ApproverList> {
  const path = approversPath(effects);
  try {
    const options = { maxBytes: MAX_BYTES, trust: "trusted", what: "list of approvers" } as const;
    const { text, isSealed } = await readOwnedTextFile(path, options);
    return { approvers: parseApprovers(parseStrictJson(text, path), isSealed), isSealed };
  } catch (thrown) {
    if (thrown instanceof SecurityError && thrown.code === "file-missing") return { approvers: [], isSealed: false };
    throw thrown;
  }
}

function approversPath(effects: Effects): string {
  return join(effects.securityDir(), "approvers.json");
}

function approverDeps(effects: Effects): ApproverDeps {
  const path = approversPath(effects);
  return {
    load: async () => await loadApprovers(effects),
    listDevices: () => collectPairedDevices(effects.paths().stateDir, effects.now),
    path,
    now: effects.now,
    record: async (event) => {
      const log = await openAudit(effects);
      try {
        await log.append(event);
      } finally {
        await log.close();
      }
    },
    canSeal: async (text) => await wantsPassword(effects, sealRequest(newName(path), text, "can it be sealed")),
    confirm: confirmAtTerminal,
    seal: async (text, why) => {
      await ensurePrivateFolder(effects.securityDir());
      const made = newName(path);
      await writeAsRoot(effects, sealRequest(made, text, why));
      // The folder is ours, so the file can be put in place without root; that it is root's stays.
      await replaceFile(made, path);
      const { approvers, isSealed } = await loadApprovers(effects);
      if (isSealed && renderApprovers(approvers) === text) return;
      throw new SecurityError("file-changed", `${path} is not what root wrote`, { hint: "Look at what it says now." });
    },
    write: async (text, before) => {
      await ensurePrivateFolder(effects.securityDir());
      await withLock(path, async () => {
        const { approvers, isSealed } = await loadApprovers(effects);
        const isSame = isSealed === before.isSealed && renderApprovers(approvers) === renderApprovers(before.approvers);
        if (!isSame)
          throw new SecurityError("file-changed", `${path} changed meanwhile`, { hint: "Look, and try again." });
        await writeFileAtomic(path, text);
      });
    },
  };
}

/** A name that nothing has yet. */
function newName(path: string): string {
  return `${path}.${randomUUID()}.new`;
}

/**
 * As any privileged command: asked about, recorded, and run by sudo, which takes its password at the
 * terminal. `conv=excl` makes a new file or none: no link that somebody puts there is followed.
 */
function sealRequest(path: string, text: string, reason: string): Readonly<Record<string, unknown>> {
  return {
    argv: [DD, `of=${path}`, "conv=excl,fsync", "status=none"],
    reason,
    stdin: text,
    cwd: "/",
    timeoutMs: SEAL_TIMEOUT_MS,
  };
}

async function wantsPassword(effects: Effects, raw: unknown): Promise<boolean> {
  const hashes = new Map();
  const limits = { cwd: "/", timeoutMs: SEAL_TIMEOUT_MS, maxTimeoutMs: SEAL_TIMEOUT_MS };
  const request = parseElevationRequest(raw, limits);
  if ("code" in request) return false;
  const resolved = await resolveCommand(request, { lookupUser, hashes });
  if ("code" in resolved) return false;
  const sudo = await checkSudo({ sudoPath: realSudoPath(effects), hashes, runTool: effects.runTool });
  if (sudo.kind === "refused") return false;
  return (await preflightSudo(resolved, sudo, effects.runTool))?.code === "password-required";
}

async function writeAsRoot(effects: Effects, request: unknown): Promise<void> {
  const elevation = openElevation(effects, "terminal");
  try {
    const result = await elevation.runPrivileged(request);
    if (result.status === "completed" && result.exitCode === 0) return;
    const said = result.stderr.trim() === "" ? result.message : result.stderr.trim();
    throw new SecurityError(
      "enrolment-refused",
      `Root did not write the list (${result.code ?? result.status}): ${said}`,
      {
        hint: result.mitigation ?? "`--no-proof` enrolls without root, and posture says so.",
      },
    );
  } finally {
    await elevation.close();
  }
}

/** A code that is printed with the question, so that nothing typed or piped before can be the answer. */
async function confirmAtTerminal(lines: readonly string[]): Promise<boolean> {
  const terminal = await openControllingTerminal();
  if (terminal === null) {
    throw new SecurityError("not-a-terminal", "This needs a person at a terminal", {
      hint: "Run it in a terminal of your own.",
    });
  }
  try {
    const code = randomCode();
    const level = "Level L0: no password stands behind this; a program of this account can do the same.";
    await terminal.write(`${[...lines, level].join("\n")}\n`);
    const signal = AbortSignal.timeout(CONFIRM_WITHIN_MS);
    return (await terminal.ask(`To agree, type the code ${code}\n> `, signal, false)) === code;
  } finally {
    await terminal.close();
  }
}
