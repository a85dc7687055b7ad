import type { AuditAnchor } from "../audit/anchor.ts";
import type { HashHex, MacHex } from "../audit/entry.ts";
import { type AuditVerdict, verifyChain, type Witnesses } from "../audit/verify-chain.ts";
import { asSecurityError } from "../core/error.ts";
import { type AuditEntry, parseAuditEntry } from "../schema/audit-entry.ts";
import type { AuditHeadFile, AuditKeyFile } from "../schema/audit-files.ts";

export interface AuditReadDeps {
  /** Files of the log, oldest first; one character per byte. */
  readonly readFiles: () => Iterable<{ readonly name: string; readonly text: string }>;
  /** Changes when something was appended. */
  readonly filesState: () => string;
}

export interface AuditVerifyDeps extends AuditReadDeps {
  readonly loadHead: () => Promise<AuditHeadFile | null>;
  readonly loadKey: () => Promise<AuditKeyFile | null>;
  /** Of this log's folder, oldest first. */
  readonly loadAnchors: () => Promise<readonly AuditAnchor[]>;
  readonly sha256Hex: HashHex;
  readonly hmacSha256Hex: MacHex;
}

/** Others may append while the files are read; a doubt is then looked at again. */
const ATTEMPTS = 5;

/**
 * Verifies the whole log against itself and against everything that was kept apart from it.
 * @param verificationKeyHex a first key that its owner kept elsewhere
 */
export async function verifyLog(deps: AuditVerifyDeps, verificationKeyHex: string | null): Promise<AuditVerdict> {
  for (let attempt = 1; ; attempt += 1) {
    const verdict = await verifyOnce(deps, verificationKeyHex);
    if (verdict.status === "intact" || attempt === ATTEMPTS) return verdict.verdict;
    if (verdict.before === stateOf(deps)) return verdict.verdict;
  }
}

interface Attempt {
  readonly status: AuditVerdict["status"];
  readonly verdict: AuditVerdict;
  readonly before: string;
}

async function verifyOnce(deps: AuditVerifyDeps, verificationKeyHex: string | null): Promise<Attempt> {
  const before = stateOf(deps);
  try {
    // Read before the log, so that what is appended meanwhile only makes the log longer than they say.
    const [keys, head, anchors] = await Promise.all([deps.loadKey(), deps.loadHead(), deps.loadAnchors()]);
    const witnesses: Witnesses = {
      head,
      key: keys?.current ?? null,
      pendingKey: keys?.pending ?? null,
      verificationKeyHex,
      anchors,
    };
    const verifier = verifyChain(witnesses, deps.sha256Hex, deps.hmacSha256Hex);
    for (const { name, text } of deps.readFiles()) verifier.read(name, text);
    const verdict = verifier.finish();
    return { status: verdict.status, verdict, before };
  } catch (thrown) {
    const { code, message } = asSecurityError(thrown);
    const status = code === "audit-broken" ? "tampered" : "unknown";
    const verdict = {
      status,
      code: status === "tampered" ? "log-replaced" : "unreadable",
      message,
      records: 0,
      notes: [],
    } as const;
    return { status, verdict, before };
  }
}

function stateOf({ filesState }: AuditReadDeps): string {
  try {
    return filesState();
  } catch (thrown) {
    return asSecurityError(thrown).message;
  }
}

/**
 * The last records, oldest first. Lines that are no records are left out; `verifyLog` tells of them.
 * @param last at most so many
 */
export function readLastEntries({ readFiles }: AuditReadDeps, last: number): readonly AuditEntry[] {
  let entries: AuditEntry[] = [];
  for (const { text } of readFiles()) {
    const found = text
      .split("\n")
      .slice(-last - 1)
      .flatMap((line) => entryOrNone(line));
    entries = [...entries, ...found].slice(-last);
  }
  return entries;
}

function entryOrNone(line: string): readonly AuditEntry[] {
  if (line === "") return [];
  try {
    return [parseAuditEntry(line)];
  } catch (thrown) {
    if (asSecurityError(thrown).code === "internal") throw thrown;
    return [];
  }
}
