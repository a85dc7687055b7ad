/** A checkpoint as it is told to a place that this account cannot erase. */
export interface AuditAnchor {
  /** Names the folder of the log, so that logs of other folders are not taken for this one. */
  readonly place: string;
  readonly logId: string;
  readonly seq: number;
  /** SHA-256 of the checkpoint's line. */
  readonly sha256: string;
}

const PATTERN =
  /\bopenclaw-audit\/1 place=([0-9a-f]{16}) log=([0-9a-f]{32}) seq=([1-9][0-9]{0,14}) sha256=([0-9a-f]{64})\b/;

export function renderAnchor(anchor: AuditAnchor): string {
  return `openclaw-audit/1 place=${anchor.place} log=${anchor.logId} seq=${anchor.seq} sha256=${anchor.sha256}`;
}

/** Finds the anchor in a line of a system log; null when there is none. */
export function parseAnchor(text: string): AuditAnchor | null {
  const [, place, logId, seq, sha256] = PATTERN.exec(text) ?? [];
  if (place === undefined || logId === undefined || seq === undefined || sha256 === undefined) return null;
  return { place, logId, seq: Number(seq), sha256 };
}

/** The name of a folder in anchors. */
export function placeOf(folder: string, sha256Hex: (text: string) => string): string {
  return sha256Hex(`openclaw-audit/place\n${folder}`).slice(0, 16);
}
