import type { HashHex, MacHex } from "./entry.ts";

/**
 * The key that seals the next records. It only goes forward: who reads it later cannot seal, or mask
 * anew, what came before the last checkpoint. Whoever can read it *now* can seal what comes next, so
 * at L0, where an agent shares the account, it proves nothing by itself about the records since then.
 */
export interface AuditKey {
  readonly epoch: number;
  readonly keyHex: string;
  /** Fingerprint of the key that this one was derived from. */
  readonly lineage: string;
}

/** Names a first key without giving it away. */
function fingerprintKey(keyHex: string, sha256Hex: HashHex): string {
  return sha256Hex(`openclaw-audit/key-fingerprint\n${keyHex}`).slice(0, 32);
}

/** A key that starts to count at `epoch`. */
export function beginKey(keyHex: string, epoch: number, sha256Hex: HashHex): AuditKey {
  return { epoch, keyHex, lineage: fingerprintKey(keyHex, sha256Hex) };
}

/** The key of a later epoch; null when that epoch is past, for there is no way back. */
export function keyAt(key: AuditKey, epoch: number, mac: MacHex): AuditKey | null {
  if (epoch < key.epoch) return null;
  let { keyHex } = key;
  // Not a record: every record begins with a brace.
  for (let at = key.epoch; at < epoch; at += 1) keyHex = mac(keyHex, "openclaw-audit/next-epoch");
  return { ...key, epoch, keyHex };
}
