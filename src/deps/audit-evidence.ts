import { join } from "node:path";
import { examineAuditLog } from "../app/audit-evidence.ts";
import { collectAnchors } from "../collect/audit-anchor.ts";
import { collectSudoLog } from "../collect/sudo-log.ts";
import { SecurityError } from "../core/error.ts";
import { type Evidence, measured } from "../core/evidence.ts";
import type { AuditLogState, GatewayProcess } from "../core/host-evidence.ts";
import { isoFromEpoch } from "../core/time.ts";
import type { RunTool } from "../exec/run-tool.ts";
import { AUDIT_LOG_NAME } from "../state/audit-file.ts";
import { type AuditFileText, readAuditFiles } from "../state/audit-reader.ts";
import { verifyDeps } from "./audit.ts";
import type { Effects } from "./effects.ts";

/** An assessment takes well under a second; what takes longer is for a command of its own. */
const TOOL_TIMEOUT_MS = 300;
const MAX_SYSTEM_LOG_BYTES = 8 * 1024 * 1024;
/** Verified in about a third of a second; one character per byte. */
const MAX_LOG_CHARS = 24 * 1024 * 1024;

/** The log of this state folder beside the records of the system and of sudo, as far as they can be read quickly. */
export async function collectAuditEvidence(
  effects: Effects,
  gateway: Evidence<GatewayProcess>,
): Promise<Evidence<AuditLogState>> {
  const { now, locateTool } = effects;
  const path = join(effects.securityDir(), AUDIT_LOG_NAME);
  const runTool: RunTool = async (request) => await effects.runTool({ ...request, timeoutMs: TOOL_TIMEOUT_MS });
  const account = gateway.kind === "measured" ? gateway.value : null;
  const uid = account?.uid ?? process.getuid?.() ?? -1;
  const loadAnchors = async (place: string) => {
    const { anchors } = await collectAnchors({ runTool, locateTool }, uid, undefined, MAX_SYSTEM_LOG_BYTES);
    return anchors.filter((anchor) => anchor.place === place);
  };
  const state = await examineAuditLog({
    ...verifyDeps(path, loadAnchors),
    readFiles: () => withinSize(readAuditFiles(path)),
    path,
    now: now(),
    user: account?.user ?? null,
    loadSudoLog: async (since) =>
      await collectSudoLog({ now, runTool, locateTool, maxBytes: MAX_SYSTEM_LOG_BYTES }, since),
  });
  return measured(state, path, isoFromEpoch(now()));
}

function* withinSize(files: Iterable<AuditFileText>): Generator<AuditFileText> {
  let chars = 0;
  for (const file of files) {
    chars += file.text.length;
    if (chars > MAX_LOG_CHARS) {
      throw new SecurityError("file-too-large", "The log is too large to be verified in an assessment", {
        hint: "Verify it with `cse audit verify`.",
      });
    }
    yield file;
  }
}
