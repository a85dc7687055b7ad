import type { BinaryIdentity } from "../core/elevation.ts";
import { baseName } from "../core/path.ts";
import { type Refusal, refuse } from "../core/refusal.ts";
import { clip, escapeControl } from "../core/text.ts";
import { securePath } from "./child-environment.ts";
import { type HashCache, identifyFile } from "./file-identity.ts";
import { isElevator } from "./known-programs.ts";
import { type PathWalk, walkPath } from "./path-chain.ts";
import { parseScriptHead } from "./script-interpreter.ts";

const MAX_BINARY_BYTES = 1024 * 1024 * 1024;

export interface ReadBinary {
  readonly binary: BinaryIdentity;
  readonly head: Buffer;
}

/** Pins down a program that root alone can change, with every folder and link on the way to it. */
export async function resolveBinary(path: string, hashes: HashCache): Promise<ReadBinary | Refusal> {
  const shown = clip(path, 200);
  const walk = await walkPath(path);
  const names = walk.kind === "walked" ? [baseName(path), ...walkNames(walk)] : [baseName(path)];
  const elevator = names.find(isElevator);
  if (elevator !== undefined)
    return refuse("nested-elevation", `${shown} is ${elevator}, itself a way to become somebody else`);
  if (walk.kind === "refused") return walk;
  const mode = Number(walk.stats.mode);
  if (!walk.stats.isFile()) return refuse("command-not-regular", `${shown} is not a regular file`);
  if (walk.stats.uid !== 0n) return refuse("command-not-root-owned", `${shown} belongs to uid ${walk.stats.uid}`);
  if ((mode & 0o022) !== 0) return refuse("command-not-root-owned", `${shown} can be changed by others than root`);
  if ((mode & 0o6000) !== 0) return refuse("command-setuid", `${shown} is a setuid or setgid file`);
  if ((mode & 0o111) === 0) return refuse("command-not-regular", `${shown} is not executable`);
  const reading = await identifyFile(walk.realPath, hashes, MAX_BINARY_BYTES);
  if (reading.kind !== "read") {
    const why = reading.kind === "unreadable" ? reading.errno : reading.kind;
    return refuse("command-not-regular", `${shown} cannot be read, so what would run cannot be pinned down: ${why}`);
  }
  const { identity, head } = reading;
  if (identity.dev !== String(walk.stats.dev) || identity.ino !== String(walk.stats.ino)) {
    return refuse("request-changed", `${shown} was replaced while it was being looked at`);
  }
  return { binary: { ...identity, path: walk.canonical, realPath: walk.realPath, hops: walk.hops }, head };
}

/** The program that runs a script with this head; null when it is no script. */
export async function resolveInterpreter(head: Buffer, hashes: HashCache): Promise<BinaryIdentity | Refusal | null> {
  const script = parseScriptHead(head);
  if (script.kind === "program") return null;
  if (script.kind === "unknown") return refuse("interpreter-refused", script.message);
  if (script.kind === "script") return await interpreterAt(script.interpreter, hashes);
  const env = await interpreterAt(script.env, hashes);
  if ("code" in env) return env;
  for (const folder of await securePath()) {
    const found = await interpreterAt(`${folder}/${script.name}`, hashes);
    if (!("code" in found) || !found.message.includes("ENOENT")) return found;
  }
  return refuse("interpreter-refused", `${script.name} is in no folder of the fixed path`);
}

async function interpreterAt(path: string, hashes: HashCache): Promise<BinaryIdentity | Refusal> {
  const found = await resolveBinary(path, hashes);
  if ("code" in found) return refuse("interpreter-refused", `${found.message} (${found.code})`);
  if (parseScriptHead(found.head).kind === "program") return found.binary;
  return refuse("interpreter-refused", `${escapeControl(path)} is itself a script`);
}

function walkNames(walk: PathWalk): readonly string[] {
  const links = walk.hops.filter((hop) => hop.kind === "link").map((hop) => baseName(hop.path));
  return [baseName(walk.canonical), ...links, baseName(walk.realPath)];
}
