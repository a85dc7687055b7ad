import { createHash } from "node:crypto";
import { realpathSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { asSecurityError, SecurityError } from "../core/error.ts";
import { type Evidence, measured, unmeasured } from "../core/evidence.ts";
import type { ConfigBaseline } from "../core/setup-evidence.ts";
import { type EpochMs, isoFromEpoch } from "../core/time.ts";
import { readTextFile } from "../state/read-file.ts";

/** The config and what it includes, beside the checksums its owner accepted (lines as `sha256sum` writes them). */
export async function collectConfigBaseline(
  path: string,
  files: readonly string[],
  now: () => EpochMs,
): Promise<Evidence<ConfigBaseline>> {
  const at = isoFromEpoch(now());
  const fail = (thrown: unknown): Evidence<ConfigBaseline> => {
    const { code, message } = asSecurityError(thrown);
    return unmeasured(code, message, path, at);
  };
  let accepted: ReadonlyMap<string, string>;
  try {
    accepted = parse(
      await readTextFile(path, { maxBytes: 65_536, trust: "trusted", what: "baseline of the config" }),
      path,
    );
  } catch (thrown) {
    if (!(thrown instanceof SecurityError && thrown.code === "file-missing")) return fail(thrown);
    return measured({ path, accepted: false, changed: [], unlisted: [], missing: [] }, path, at);
  }
  const changed: string[] = [];
  const missing: string[] = [];
  try {
    for (const [file, sum] of accepted) {
      const found = await checksum(file);
      if (found === null) missing.push(file);
      else if (found !== sum) changed.push(file);
    }
  } catch (thrown) {
    return fail(new SecurityError("file-unreadable", "A file of the config cannot be read", { cause: thrown }));
  }
  const listed = new Set([...accepted.keys()].map(real));
  const unlisted = files.filter((file) => !listed.has(real(file)));
  return measured({ path, accepted: true, changed, unlisted, missing }, path, at);
}

const MAX_FILES = 128;
const MAX_BYTES = 16_777_216;

function parse(text: string, path: string): ReadonlyMap<string, string> {
  const sums = new Map<string, string>();
  for (const line of text.split("\n")) {
    if (line.trim() === "") continue;
    const match = /^([0-9a-f]{64}) [ *](\/.+)$/.exec(line);
    if (match?.[1] === undefined || match[2] === undefined || sums.size >= MAX_FILES) {
      throw new SecurityError("baseline-invalid", `${path} is not what sha256sum writes for absolute paths`, {
        hint: "Write it again with `sha256sum`, naming each file by its absolute path.",
      });
    }
    sums.set(match[2], match[1]);
  }
  if (sums.size === 0) throw new SecurityError("baseline-invalid", `${path} names no file`);
  return sums;
}

async function checksum(path: string): Promise<string | null> {
  try {
    const bytes = await readFile(path);
    return createHash("sha256").update(bytes.subarray(0, MAX_BYTES)).digest("hex");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw cause;
  }
}

function real(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    // Not there; it then counts by its name.
    return path;
  }
}
