import { realpath, stat } from "node:fs/promises";
import { isDeepStrictEqual } from "node:util";
import type { BinaryIdentity, ElevationRequest, ResolvedCommand } from "../core/elevation.ts";
import { baseName } from "../core/path.ts";
import { type Refusal, refuse } from "../core/refusal.ts";
import { limitsTooLow } from "../core/resource-limits.ts";
import { clip } from "../core/text.ts";
import { forbiddenNames } from "./child-environment.ts";
import type { HashCache } from "./file-identity.ts";
import { resolveOperands } from "./operands.ts";
import type { PasswdUser } from "./passwd-user.ts";
import { errnoOf } from "./path-chain.ts";
import { checkUserNamespace, readLimits } from "./proc-facts.ts";
import { resolveBinary, resolveInterpreter } from "./resolve-binary.ts";

const MAX_WORDS = 256;
const MAX_ARGV_BYTES = 128 * 1024;
const MAX_STDIN_BYTES = 1024 * 1024;
const MAX_OPERAND_BYTES = 256 * 1024 * 1024;

export interface ResolveDeps {
  readonly lookupUser: (name: string) => Promise<PasswdUser | null>;
  /** Kept by the caller, so that a file need not be read again for every request. */
  readonly hashes: HashCache;
  /** An operand larger than this cannot be bound; default 256 MiB. */
  readonly maxOperandBytes?: number;
  /** For tests; default /proc. */
  readonly procRoot?: string;
}

/** Pins down everything a request refers to. Reads only; whatever cannot be pinned down is refused. */
export async function resolveCommand(request: ElevationRequest, deps: ResolveDeps): Promise<ResolvedCommand | Refusal> {
  const wrong = checkText(request);
  if (wrong !== null) return wrong;
  const [mapped, command, target, cwd, limits] = await Promise.all([
    checkUserNamespace(deps.procRoot),
    resolveBinary(request.argv[0], deps.hashes),
    deps.lookupUser(request.runAs),
    resolveFolder(request.cwd),
    readLimits(deps.procRoot),
  ]);
  if (mapped !== null) return mapped;
  if ("code" in command) return command;
  const interpreter = await resolveInterpreter(command.head, deps.hashes);
  if (interpreter !== null && "code" in interpreter) return interpreter;
  if (target === null) return refuse("run-as-unknown", `there is no user ${clip(request.runAs, 64)}`);
  if ("code" in cwd) return cwd;
  const low = limits === null ? ["they cannot be read"] : limitsTooLow(limits);
  if (limits === null || low.length > 0) return refuse("limits-too-low", `limits of this process: ${low.join(", ")}`);
  const { binary } = command;
  const operands = await resolveOperands({
    argv: request.argv,
    cwd: cwd.path,
    names: namesOf(binary),
    hashes: deps.hashes,
    maxBytes: deps.maxOperandBytes ?? MAX_OPERAND_BYTES,
  });
  if ("code" in operands) return operands;
  return { request, binary, interpreter, operands, target, cwd, limits };
}

/** Null when everything is still as it was pinned down. To be called directly before the run. */
export async function recheckCommand(resolved: ResolvedCommand, deps: ResolveDeps): Promise<Refusal | null> {
  const now = await resolveCommand(resolved.request, deps);
  if ("code" in now) return refuse("request-changed", `it would now be refused (${now.code}): ${now.message}`);
  const parts = ["binary", "interpreter", "operands", "target", "cwd", "limits"] as const;
  const changed = parts.filter((part) => !isDeepStrictEqual(now[part], resolved[part]));
  return changed.length === 0 ? null : refuse("request-changed", `changed since it was asked: ${changed.join(", ")}`);
}

/** Whatever a process cannot be given exactly as it was shown is refused. */
function checkText(request: ElevationRequest): Refusal | null {
  const { argv, env, cwd, stdin } = request;
  const words = [...argv, ...Object.keys(env), ...Object.values(env), cwd];
  if (words.some((word) => !word.isWellFormed() || /[\0\ufffd]/.test(word))) {
    return refuse(
      "invalid-request",
      "a word holds a NUL, a lone surrogate or U+FFFD, which no process can be given as it is",
    );
  }
  if (argv.length > MAX_WORDS) return refuse("invalid-request", `more than ${MAX_WORDS} words`);
  const bytes = argv.reduce((sum, word) => sum + Buffer.byteLength(word) + 1, 0);
  if (bytes > MAX_ARGV_BYTES) return refuse("invalid-request", `more than ${MAX_ARGV_BYTES} bytes of words`);
  const forbidden = forbiddenNames(env);
  if (forbidden.length > 0) return refuse("env-not-allowed", `may not be set: ${clip(forbidden.join(", "), 200)}`);
  if (stdin !== null && stdin.byteLength > MAX_STDIN_BYTES) {
    return refuse("stdin-too-large", `more than ${MAX_STDIN_BYTES} bytes on standard input`);
  }
  return null;
}

async function resolveFolder(path: string): Promise<ResolvedCommand["cwd"] | Refusal> {
  const shown = clip(path, 200);
  if (!path.startsWith("/")) return refuse("cwd-invalid", `${shown} is not an absolute path`);
  try {
    const real = await realpath(path);
    const stats = await stat(real, { bigint: true });
    if (!stats.isDirectory()) return refuse("cwd-invalid", `${shown} is not a folder`);
    if (!real.isWellFormed() || real.includes("\ufffd")) return refuse("cwd-invalid", `${shown} has no usable name`);
    return { path: real, dev: String(stats.dev), ino: String(stats.ino) };
  } catch (cause) {
    return refuse("cwd-invalid", `${shown} cannot be entered: ${errnoOf(cause)}`);
  }
}

function namesOf(binary: BinaryIdentity): readonly string[] {
  const links = binary.hops.filter((hop) => hop.kind === "link").map((hop) => baseName(hop.path));
  return [baseName(binary.path), ...links, baseName(binary.realPath)];
}
