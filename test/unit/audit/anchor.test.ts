import { describe, expect, it } from "vitest";
import { type AuditAnchor, parseAnchor, placeOf, renderAnchor } from "../../../src/audit/anchor.ts";
import { keyAt, beginKey } from "../../../src/audit/audit-key.ts";
import { FIRST_KEY, hmacSha256Hex, sha256Hex } from "../../helpers/audit-chain.ts";

const ANCHOR: AuditAnchor = { place: "ab".repeat(8), logId: "cd".repeat(16), seq: 64, sha256: "ef".repeat(32) };

describe("an anchor", () => {
  it("reads back from the line of a system log that holds it", () => {
    expect(parseAnchor(`Nov 23 09:38:12 vm openclaw-audit: ${renderAnchor(ANCHOR)}`)).toEqual(ANCHOR);
  });

  it.each([
    ["of another version", renderAnchor(ANCHOR).replace("/1", "/2")],
    ["cut off", renderAnchor(ANCHOR).slice(0, -1)],
    ["with a longer hash", `${renderAnchor(ANCHOR)}0`],
    ["of record 0", renderAnchor({ ...ANCHOR, seq: 0 })],
    ["with other text", "hello"],
  ])("is none when %s", (_what, text) => {
    expect(parseAnchor(text)).toBeNull();
  });

  it("names the folder without giving it away", () => {
    expect(placeOf("/home/a", sha256Hex)).toMatch(/^[0-9a-f]{16}$/);
    expect(placeOf("/home/a", sha256Hex)).not.toBe(placeOf("/home/b", sha256Hex));
  });
});

describe("the key", () => {
  it("R-55: goes forward and never back", () => {
    const first = beginKey(FIRST_KEY, 3, sha256Hex);
    const later = keyAt(first, 5, hmacSha256Hex);
    expect(later).toMatchObject({ epoch: 5, lineage: first.lineage });
    expect(later?.keyHex).not.toBe(first.keyHex);
    expect(keyAt(first, 3, hmacSha256Hex)).toEqual(first);
    expect(keyAt(first, 2, hmacSha256Hex)).toBeNull();
    expect(keyAt(keyAt(first, 4, hmacSha256Hex) ?? first, 5, hmacSha256Hex)).toEqual(later);
  });
});
