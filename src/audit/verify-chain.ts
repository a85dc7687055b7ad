/**
 * Tells whether a log is as it was written: record by record, then against what was kept apart from it
 * (the head file, the key, the anchors). It only reads what it is given.
 */
import type { AuditAnchor } from "./anchor.ts";
import { type AuditKey, beginKey, keyAt } from "./audit-key.ts";
import { type Chain, type ChainProblemCode, newChain } from "./chain.ts";
import { type HashHex, isSealedWith, type MacHex, readEntry, type StoredEntry } from "./entry.ts";
import { type LinesRead, readLines } from "./read-lines.ts";

/** The last checkpoint as kept in a file of its own. */
export interface AuditHead {
  readonly logId: string;
  readonly seq: number;
  /** SHA-256 of the checkpoint's line. */
  readonly sha256: string;
}

export type VerdictCode =
  | ChainProblemCode
  | "mac-wrong"
  | "segment-missing"
  | "truncated"
  | "head-mismatch"
  | "anchor-mismatch"
  | "rolled-back"
  | "log-replaced"
  | "log-missing"
  | "head-missing"
  | "key-missing"
  | "key-unknown"
  | "torn"
  | "earlier-records-missing"
  | "earlier-log-missing"
  | "unreadable";

export interface AuditVerdict {
  /** `unknown`: nothing contradicts the log, but something needed to say that it is whole is missing. */
  readonly status: "intact" | "tampered" | "unknown";
  /** Records that fit, from the first one on. */
  readonly records: number;
  /** First record that is not as it was written, as far as that can be told. */
  readonly firstBadSeq?: number;
  readonly code?: VerdictCode;
  /** One sentence on the status. */
  readonly message: string;
  /** Further things a reader should know, such as which records a key vouches for. */
  readonly notes: readonly string[];
}

/** What was kept apart from the log. */
export interface Witnesses {
  readonly head: AuditHead | null;
  /** The key of the records to come. */
  readonly key: AuditKey | null;
  /** A new first key whose record may not have been written before a crash. */
  readonly pendingKey: AuditKey | null;
  /** A first key that its owner kept elsewhere: checks every record from that key on. */
  readonly verificationKeyHex: string | null;
  /** Of this log's folder, oldest first. */
  readonly anchors: readonly AuditAnchor[];
}

export interface ChainVerifier {
  /** What was read so far. */
  readonly chain: Chain;
  /** Takes the files of the log, oldest first; `text` holds one character per byte. After a problem it takes nothing more. */
  read(name: string, text: string): LinesRead;
  finish(): AuditVerdict;
}

const NOTHING_READ: LinesRead = { problem: null, consumed: 0, endsOpen: false, torn: "" };

export function verifyChain(witnesses: Witnesses, sha256Hex: HashHex, mac: MacHex): ChainVerifier {
  const chain = newChain();
  const anchors = new Map<number, AuditAnchor[]>();
  for (const anchor of witnesses.anchors) anchors.set(anchor.seq, [...(anchors.get(anchor.seq) ?? []), anchor]);
  const seals = sealChecker(witnesses, sha256Hex, mac);
  let records = 0;
  let anchored = 0;
  let bad: AuditVerdict | null = null;
  let last: LinesRead = NOTHING_READ;
  let segments = 0;

  const tampered = (code: VerdictCode, message: string, firstBadSeq: number): void => {
    bad ??= { status: "tampered", records, firstBadSeq, code, message, notes: [] };
  };

  const look = (line: string, entry: StoredEntry): void => {
    if (bad !== null) return;
    if (!seals.check(line, entry)) {
      tampered("mac-wrong", `Record ${entry.seq} was not sealed with the key of its time`, entry.seq);
      return;
    }
    const { head } = witnesses;
    // Before its first checkpoint a file carries that of the file before.
    const known = entry.event === "continued" && head?.seq === chain.checkpoint?.seq ? chain.checkpoint : null;
    const hash = head?.seq === entry.seq ? chain.head : known?.hash;
    if (head !== null && hash !== undefined && head.sha256 !== hash) {
      tampered(
        "head-mismatch",
        `The head file knows another record ${head.seq}: the log was changed, or an older copy put back`,
        entry.seq,
      );
    }
    for (const anchor of anchors.get(entry.seq) ?? []) {
      if (anchor.logId !== chain.logId) continue;
      anchored = entry.seq;
      if (anchor.sha256 !== chain.head) {
        tampered(
          "anchor-mismatch",
          `The system's log knows another record ${entry.seq}: everything up to it may be rewritten`,
          entry.seq,
        );
      }
    }
    if (bad === null) records += 1;
  };

  return {
    chain,
    read: (name, text) => {
      if (bad !== null) return last;
      if (segments > 0 && chain.rotatedTo === null) {
        tampered(
          "segment-missing",
          `Before ${name} the log did not end with a turn to the next file: records or a file are missing`,
          chain.seq + 1,
        );
        return last;
      }
      segments += 1;
      last = readLines(chain, text, sha256Hex, look);
      const { problem } = last;
      if (problem !== null) {
        const at = suspect(chain, problem, witnesses, sha256Hex, mac);
        const code = problem.code === "record-missing" && chain.rotatedTo !== null ? "segment-missing" : problem.code;
        tampered(code, `In ${name}, ${problem.message}`, at);
      }
      return last;
    },
    finish: () => {
      if (bad !== null) return { ...bad, notes: seals.notes() };
      const missing = compareEnd(chain, witnesses);
      const notes = [...seals.notes()];
      if (chain.recovered > 0)
        notes.push(`${chain.recovered} writes were cut by a crash; their remains are accounted for`);
      if (anchored > 0) notes.push(`the system's log confirms the records up to ${anchored}`);
      if (missing !== null) return { ...missing, records, notes };
      if (last.torn !== "" || last.endsOpen) {
        return {
          status: "unknown",
          records,
          code: "torn",
          message: `After record ${chain.seq} a write was cut; the next start of the program accounts for it`,
          notes,
        };
      }
      const doubt = seals.doubt() ?? earlierDoubt(chain, witnesses);
      if (doubt !== null) return { status: "unknown", records, ...doubt, notes };
      return { status: "intact", records, message: `All ${records} records are as they were written`, notes };
    },
  };
}

/** Which record is to blame where the chain breaks: the one before was changed when everything else about this one fits. */
function suspect(
  chain: Chain,
  problem: NonNullable<LinesRead["problem"]>,
  { key }: Witnesses,
  sha256Hex: HashHex,
  mac: MacHex,
): number {
  const here = chain.seq + 1;
  if (problem.code !== "chain-broken" || chain.seq === 0) return here;
  const entry = readEntry(problem.line);
  if (entry === null) return here;
  if (problem.next !== null) {
    return readEntry(problem.next)?.prev === sha256Hex(problem.line) ? chain.seq : here;
  }
  const sealer = key === null ? null : keyAt(key, entry.epoch, mac);
  return sealer !== null && isSealedWith(problem.line, entry, sealer.keyHex, mac) ? chain.seq : here;
}

function compareEnd(
  chain: Chain,
  { head, key, pendingKey, anchors }: Witnesses,
): Pick<AuditVerdict, "status" | "code" | "message" | "firstBadSeq"> | null {
  const gone = (code: VerdictCode, message: string) =>
    ({ status: "tampered", code, message, firstBadSeq: chain.seq + 1 }) as const;
  if (chain.seq === 0) return { status: "unknown", code: "log-missing", message: "There is no record at all" };
  if (head !== null && head.logId !== chain.logId) {
    return {
      ...gone("log-replaced", "The head file belongs to another log: this one was put in its place"),
      firstBadSeq: 1,
    };
  }
  if (head !== null && head.seq > chain.seq) {
    return gone("truncated", `The head file knows ${head.seq} records, the log ends with ${chain.seq}`);
  }
  const last = Math.max(0, ...anchors.map((anchor) => (anchor.logId === chain.logId ? anchor.seq : 0)));
  if (last > chain.seq)
    return gone("truncated", `The system's log knows ${last} records, the log ends with ${chain.seq}`);
  if (key !== null && key.lineage !== chain.lineage && pendingKey?.lineage !== chain.lineage) {
    return gone(
      "rolled-back",
      "The key belongs to other records than these: the log, or the key, was put back or replaced",
    );
  }
  if (key !== null && key.epoch > chain.epoch) {
    return gone(
      "rolled-back",
      `The key is at ${key.epoch}, the log only at ${chain.epoch}: an older copy of the log was put back`,
    );
  }
  if (head === null) {
    return {
      status: "unknown",
      code: "head-missing",
      message: "Without the head file nobody can tell whether the log ends where it ended",
    };
  }
  if (key === null) {
    return {
      status: "unknown",
      code: "key-missing",
      message: "Without the key nobody can tell whether the last records were changed",
    };
  }
  return null;
}

function earlierDoubt(chain: Chain, { anchors }: Witnesses): Pick<AuditVerdict, "code" | "message"> | null {
  if (chain.firstSeq > 1) {
    return {
      code: "earlier-records-missing",
      message: `The files with the records before ${chain.firstSeq} are not here`,
    };
  }
  const other = anchors.findLast((anchor) => anchor.logId !== chain.logId);
  if (other === undefined) return null;
  return {
    code: "earlier-log-missing",
    message: `The system's log knows another log of this folder with ${other.seq} records: it was moved away, or deleted`,
  };
}

/** Checks the seals that the keys at hand can check: those since the last checkpoint, or all from a first key on. */
function sealChecker({ key, pendingKey, verificationKeyHex }: Witnesses, sha256Hex: HashHex, mac: MacHex) {
  const first = verificationKeyHex === null ? null : beginKey(verificationKeyHex, 0, sha256Hex);
  let given: AuditKey | null = null;
  let current: AuditKey | null = key;
  let from = 0;
  let until = 0;
  let currentFrom = 0;
  let isFound = false;
  return {
    check(line: string, entry: StoredEntry): boolean {
      const { event, fields } = entry;
      if (first !== null && event === "created" && fields()["lineage"] === first.lineage) given = first;
      if (given !== null) {
        given = keyAt(given, entry.epoch, mac);
        if (given === null || !isSealedWith(line, entry, given.keyHex, mac)) return false;
        isFound = true;
        from = from === 0 ? entry.seq : from;
        until = entry.seq;
      }
      if (event === "rekeyed") {
        given =
          first !== null && fields()["fingerprint"] === first.lineage ? { ...first, epoch: entry.epoch + 1 } : null;
        isFound ||= given !== null;
      }
      if (current !== null && entry.epoch >= current.epoch) {
        current = keyAt(current, entry.epoch, mac) ?? current;
        if (!isSealedWith(line, entry, current.keyHex, mac)) return false;
        currentFrom = currentFrom === 0 ? entry.seq : currentFrom;
        if (event === "rekeyed" && fields()["fingerprint"] === pendingKey?.lineage) current = pendingKey;
      }
      return true;
    },
    notes(): string[] {
      const notes: string[] = [];
      if (from > 0) notes.push(`the verification key vouches for records ${from} to ${until}`);
      if (currentFrom > 0) notes.push(`the present key vouches for the records from ${currentFrom} on`);
      return notes;
    },
    doubt(): Pick<AuditVerdict, "code" | "message"> | null {
      if (first === null || isFound) return null;
      return { code: "key-unknown", message: "The verification key is not a key of this log" };
    },
  };
}
