/**
 * The rules by which one record follows another. Appending, opening and verifying all go through
 * here, so that nothing can be written that would not verify.
 */
import type { OpenIntent } from "./audit-event.ts";
import type { CanonicalValue } from "./canonical-json.ts";
import { type Fields, type HashHex, isHash, NO_HASH, readEntry, type StoredEntry } from "./entry.ts";

export type ChainProblemCode =
  | "not-canonical"
  | "record-repeated"
  | "record-missing"
  | "chain-broken"
  | "epoch-wrong"
  | "event-wrong";

export interface ChainProblem {
  readonly code: ChainProblemCode;
  readonly message: string;
}

/** What has been read so far; everything that the next record must fit. */
export interface Chain {
  /** Of the last record; 0 before the first. */
  seq: number;
  /** SHA-256 of its line. */
  head: string;
  /** Of the next record. */
  epoch: number;
  /** Fingerprint of the first key of the records to come. */
  lineage: string;
  logId: string;
  /** First record of the file it began with. */
  firstSeq: number;
  checkpoint: { readonly seq: number; readonly hash: string } | null;
  readonly open: Map<number, OpenIntent>;
  /** Set when the last record closed its file: the name which that file gets. */
  rotatedTo: string | null;
  recovered: number;
}

/** A chain that takes the first record of any file as its beginning. */
export function newChain(): Chain {
  return {
    seq: 0,
    head: NO_HASH,
    epoch: 0,
    lineage: "",
    logId: "",
    firstSeq: 0,
    checkpoint: null,
    open: new Map(),
    rotatedTo: null,
    recovered: 0,
  };
}

/** Takes the next line in, or says why it cannot be the next; the chain is then as it was. */
export function advance(chain: Chain, line: string, sha256Hex: HashHex): StoredEntry | ChainProblem {
  const entry = readEntry(line);
  if (entry === null) return problem("not-canonical", "the line is not a record in the one form that records have");
  if (chain.seq === 0) return begin(chain, line, entry, sha256Hex);
  if (entry.seq <= chain.seq) {
    return problem("record-repeated", `record ${entry.seq} stands where ${chain.seq + 1} belongs: repeated, or moved`);
  }
  if (entry.seq > chain.seq + 1) {
    return problem("record-missing", `records ${chain.seq + 1} to ${entry.seq - 1} are missing`);
  }
  if (entry.prev !== chain.head) {
    return problem("chain-broken", `record ${entry.seq} does not follow from what stands before it`);
  }
  if (entry.epoch !== chain.epoch) {
    return problem("epoch-wrong", `record ${entry.seq} claims key ${entry.epoch} where key ${chain.epoch} counts`);
  }
  const wrong = apply(chain, line, entry, sha256Hex);
  return wrong ?? entry;
}

export function isProblem(result: StoredEntry | ChainProblem): result is ChainProblem {
  return "code" in result;
}

function problem(code: ChainProblemCode, message: string): ChainProblem {
  return { code, message };
}

function begin(chain: Chain, line: string, entry: StoredEntry, sha256Hex: HashHex): StoredEntry | ChainProblem {
  const fields = entry.fields();
  if (typeof fields["logId"] !== "string" || typeof fields["lineage"] !== "string") {
    return problem("event-wrong", `record ${entry.seq} is not the first of a file`);
  }
  if (entry.event === "created") {
    if (entry.seq !== 1 || entry.prev !== NO_HASH || entry.epoch !== 0) {
      return problem("event-wrong", "a log begins with record 1, key 0 and nothing before it");
    }
  } else if (entry.event === "continued") {
    const carried = readCarried(fields);
    if (carried === null) return problem("event-wrong", `record ${entry.seq} does not say what it continues`);
    chain.checkpoint = carried.checkpoint;
    for (const intent of carried.open) chain.open.set(intent.intentSeq, intent);
  } else {
    return problem("event-wrong", `record ${entry.seq} is not the first of a file`);
  }
  chain.logId = fields["logId"];
  chain.lineage = fields["lineage"];
  chain.firstSeq = entry.seq;
  step(chain, line, entry, sha256Hex);
  return entry;
}

/** Events whose records say something about those after them. */
const HAS_EFFECT: ReadonlySet<string> = new Set([
  "continued",
  "checkpoint",
  "rotated",
  "rekeyed",
  "exec-finish",
  "outcome-unknown",
]);

/** What a record does to those after it. */
function apply(chain: Chain, line: string, entry: StoredEntry, sha256Hex: HashHex): ChainProblem | null {
  const { event } = entry;
  if ((event === "continued") !== (chain.rotatedTo !== null)) {
    return problem(
      "event-wrong",
      `record ${entry.seq} is in the wrong place: files are joined by rotated and continued`,
    );
  }
  const fields = HAS_EFFECT.has(event) ? entry.fields() : {};
  switch (event) {
    case "created":
      return problem("event-wrong", `record ${entry.seq} begins a log within a log`);
    case "continued":
      if (
        fields["logId"] !== chain.logId ||
        fields["lineage"] !== chain.lineage ||
        fields["from"] !== chain.rotatedTo
      ) {
        return problem("event-wrong", `record ${entry.seq} continues another file`);
      }
      chain.rotatedTo = null;
      break;
    case "checkpoint":
      if (fields["root"] !== chain.head || fields["prevCheckpoint"] !== (chain.checkpoint?.hash ?? null)) {
        return problem("event-wrong", `checkpoint ${entry.seq} fixes something else than what stands before it`);
      }
      break;
    case "rotated":
      if (typeof fields["to"] !== "string") return problem("event-wrong", `record ${entry.seq} names no file`);
      chain.rotatedTo = fields["to"];
      break;
    case "rekeyed":
      if (typeof fields["fingerprint"] !== "string") return problem("event-wrong", `record ${entry.seq} names no key`);
      chain.lineage = fields["fingerprint"];
      break;
    case "recovered":
      chain.recovered += 1;
      break;
    case "exec-intent":
      chain.open.set(entry.seq, intentOf(entry.seq, entry.fields()));
      break;
    case "exec-finish":
    case "outcome-unknown":
      if (typeof fields["intentSeq"] === "number") chain.open.delete(fields["intentSeq"]);
      break;
    default:
  }
  step(chain, line, entry, sha256Hex);
  return null;
}

function step(chain: Chain, line: string, entry: StoredEntry, sha256Hex: HashHex): void {
  chain.seq = entry.seq;
  chain.head = sha256Hex(line);
  chain.epoch = entry.epoch;
  if (entry.event === "checkpoint" || entry.event === "rekeyed") chain.epoch += 1;
  if (entry.event === "checkpoint") chain.checkpoint = { seq: entry.seq, hash: chain.head };
}

function intentOf(seq: number, fields: Fields): OpenIntent {
  return {
    intentSeq: seq,
    requestId: textOrNull(fields["requestId"]),
    digest: textOrNull(fields["digest"]),
    session: textOrNull(fields["session"]),
    agent: textOrNull(fields["agent"]),
    boot: textOrNull(fields["boot"]) ?? "",
    pid: typeof fields["pid"] === "number" ? fields["pid"] : 0,
    startTime: textOrNull(fields["startTime"]),
  };
}

function textOrNull(value: CanonicalValue | undefined): string | null {
  return typeof value === "string" ? value : null;
}

function readCarried(
  fields: Fields,
): { readonly checkpoint: Chain["checkpoint"]; readonly open: readonly OpenIntent[] } | null {
  const { checkpoint, open } = fields;
  if (!Array.isArray(open) || !isRecord(checkpoint)) return null;
  const { seq, hash } = checkpoint;
  if (typeof seq !== "number" || !isHash(hash)) return null;
  const intents: OpenIntent[] = [];
  for (const one of open as readonly CanonicalValue[]) {
    if (!isRecord(one) || typeof one["intentSeq"] !== "number") return null;
    intents.push(intentOf(one["intentSeq"], one));
  }
  return { checkpoint: { seq, hash }, open: intents };
}

function isRecord(value: CanonicalValue | undefined): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
