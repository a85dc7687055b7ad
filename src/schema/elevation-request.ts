import { Type } from "@sinclair/typebox";
import { Errors } from "@sinclair/typebox/errors";
import { Check } from "@sinclair/typebox/value";
import type { ElevationRequest, GrantId } from "../core/elevation.ts";
import { refuse, type Refusal } from "../core/refusal.ts";
import { clip } from "../core/text.ts";

/**
 * What an agent may ask for. Everything in here is agent-controlled: it is copied first, so that no
 * getter or proxy can answer twice, and then checked field by field. No field has a permissive
 * reading: unknown keys, odd characters and odd types are refused.
 */
export interface RequestDefaults {
  /** Absolute path. */
  readonly cwd: string;
  readonly timeoutMs: number;
  readonly maxTimeoutMs: number;
}

const MAX_WORDS = 256;
/** UTF-8 bytes of all words, each with the NUL that ends it. */
export const MAX_ARGV_BYTES: number = 128 * 1024;
/** Code points. */
const MAX_REASON = 300;
export const MAX_STDIN_BYTES: number = 1024 * 1024;
const ALLOWED_ENV: readonly string[] = ["DEBIAN_FRONTEND", "LANG", "LC_ALL", "TZ"];
const MAX_ENV_VALUE = 256;
/** Including the NUL that ends it: PATH_MAX of Linux. */
const MAX_PATH_BYTES = 4096;
const MAX_USER_NAME = 32;

const OPTIONS = {
  argv: Type.Array(Type.String(), { minItems: 1, maxItems: MAX_WORDS }),
  reason: Type.Optional(Type.String()),
  runAs: Type.Optional(Type.String()),
  cwd: Type.Optional(Type.String()),
  env: Type.Optional(Type.Record(Type.String(), Type.String(), { maxProperties: 16 })),
  // The bytes of a Uint8Array are checked below; the schema language has no word for "either".
  stdin: Type.Optional(Type.Unknown()),
  timeoutMs: Type.Optional(Type.Integer()),
  keepSession: Type.Optional(Type.Boolean()),
  isNonInteractive: Type.Optional(Type.Boolean()),
} as const;
const REQUEST = Type.Object(OPTIONS, { additionalProperties: false });
const RUN = Type.Object(
  { ...OPTIONS, grantId: Type.Optional(Type.String()), isFresh: Type.Optional(Type.Boolean()) },
  { additionalProperties: false },
);

/** Reads what `requestElevation` takes. Every getter of `value` is called once at most. */
export function parseElevationRequest(value: unknown, defaults: RequestDefaults): ElevationRequest | Refusal {
  const copy = copyOnce(value);
  if (copy === null) return invalid("the request is not plain data");
  if (!Check(REQUEST, copy)) return invalid(firstIssue(REQUEST, copy));
  return build(copy, defaults);
}

export interface RunRequest {
  readonly request: ElevationRequest;
  /** Null: any live grant for the same contents will do, else a human is asked. */
  readonly grantId: GrantId | null;
  /** Ask a human also where the session holds a grant for the same. */
  readonly isFresh: boolean;
}

/** Reads what `runPrivileged` takes: the same and a grant to use, or the wish for a new one. */
export function parseRunRequest(value: unknown, defaults: RequestDefaults): RunRequest | Refusal {
  const copy = copyOnce(value);
  if (copy === null) return invalid("the request is not plain data");
  if (!Check(RUN, copy)) return invalid(firstIssue(RUN, copy));
  const { grantId, isFresh = false, ...rest } = copy;
  const request = build(rest, defaults);
  if ("kind" in request) return request;
  if (grantId !== undefined && !/^[\w-]{1,100}$/.test(grantId)) return refuse("grant-unknown", "grantId is not an id");
  if (grantId !== undefined && isFresh) return invalid("grantId and isFresh exclude each other");
  return { request, grantId: grantId === undefined ? null : (grantId as GrantId), isFresh };
}

/** What is wrong with setting this variable for a privileged command, in words; null when it may be set. */
export function envProblem(name: string, value: string): string | null {
  if (!ALLOWED_ENV.includes(name)) return `${clip(name, 60)} may not be set`;
  if (value.length > MAX_ENV_VALUE) return `${name} is longer than ${MAX_ENV_VALUE} characters`;
  // A slash makes a path or a zone file, a percent sign a format; "()" starts a shell function.
  if (/[/%]|^\(\)/.test(value)) return `${name} may not contain "/" or "%" or start with "()"`;
  if (!isPlain(value) || /\p{Cc}/u.test(value)) return `${name} contains a control character`;
  return null;
}

interface Fields {
  readonly argv: readonly string[];
  readonly reason?: string;
  readonly runAs?: string;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: unknown;
  readonly timeoutMs?: number;
  readonly keepSession?: boolean;
  readonly isNonInteractive?: boolean;
}

function build(fields: Fields, defaults: RequestDefaults): ElevationRequest | Refusal {
  const argv = checkArgv(fields.argv);
  if ("kind" in argv) return argv;
  const reason = checkReason(fields.reason);
  if (typeof reason !== "string") return reason;
  const runAs = fields.runAs ?? "root";
  if (!/^[a-z_][a-z0-9_-]*$/.test(runAs) || runAs.length > MAX_USER_NAME) {
    return refuse("run-as-unknown", `runAs ${JSON.stringify(clip(runAs, 60))} is not the name of a user`);
  }
  const cwd = fields.cwd ?? defaults.cwd;
  if (!cwd.startsWith("/") || !isPlain(cwd) || byteLength(cwd) >= MAX_PATH_BYTES) {
    return refuse("cwd-invalid", `cwd ${JSON.stringify(clip(cwd, 120))} is not an absolute path`);
  }
  const env = checkEnv(fields.env ?? {});
  if (env.kind === "refused") return env;
  const stdin = checkStdin(fields.stdin);
  if (stdin.kind === "refused") return stdin;
  const timeoutMs = fields.timeoutMs ?? defaults.timeoutMs;
  if (!(timeoutMs >= 1 && timeoutMs <= defaults.maxTimeoutMs)) {
    return invalid(`timeoutMs must be from 1 to ${defaults.maxTimeoutMs}`);
  }
  return Object.freeze({
    argv,
    reason,
    runAs,
    cwd,
    env: env.value,
    stdin: stdin.value,
    timeoutMs,
    keepSession: fields.keepSession ?? false,
    isNonInteractive: fields.isNonInteractive ?? false,
  });
}

function checkArgv(words: readonly string[]): readonly [string, ...string[]] | Refusal {
  const [command, ...args] = words;
  if (command === undefined || command === "") return invalid("argv has no command");
  for (const [index, word] of words.entries()) {
    if (!isPlain(word)) return invalid(`word ${index} of argv contains NUL, U+FFFD or half a character`);
  }
  const bytes = words.reduce((sum, word) => sum + byteLength(word) + 1, 0);
  if (bytes > MAX_ARGV_BYTES) return invalid(`argv has ${bytes} bytes; ${MAX_ARGV_BYTES} are allowed`);
  if (!command.startsWith("/")) {
    return refuse("command-not-absolute", `${JSON.stringify(clip(command, 120))} is not an absolute path`);
  }
  return Object.freeze([command, ...args] as const);
}

function checkReason(reason: string | undefined): string | Refusal {
  // A reason of nothing but spaces and invisible characters says nothing.
  const visible = (reason ?? "").replace(/[\p{White_Space}\p{Default_Ignorable_Code_Point}\p{C}]/gu, "");
  if (reason === undefined || visible === "") return refuse("reason-missing", "no reason was given");
  if (!reason.isWellFormed()) return invalid("the reason contains half a character");
  if (reason.length > 2 * MAX_REASON || Array.from(reason).length > MAX_REASON) {
    return invalid(`the reason is longer than ${MAX_REASON} characters`);
  }
  return reason;
}

function checkEnv(
  env: Readonly<Record<string, string>>,
): { readonly kind: "env"; readonly value: Readonly<Record<string, string>> } | Refusal {
  const names = Object.keys(env).sort();
  for (const name of names) {
    const problem = envProblem(name, env[name] ?? "");
    if (problem !== null) return refuse("env-not-allowed", problem);
  }
  return { kind: "env", value: Object.freeze(Object.fromEntries(names.map((name) => [name, env[name] ?? ""]))) };
}

function checkStdin(stdin: unknown): { readonly kind: "stdin"; readonly value: Uint8Array | null } | Refusal {
  if (stdin === undefined || stdin === null) return { kind: "stdin", value: null };
  let bytes: Uint8Array;
  if (typeof stdin === "string") {
    if (!stdin.isWellFormed()) return invalid("stdin contains half a character; give bytes");
    if (stdin.length > MAX_STDIN_BYTES) return tooLarge();
    bytes = new TextEncoder().encode(stdin);
  } else if (stdin instanceof Uint8Array) {
    // A copy of its own: memory shared with another thread could change after the approval.
    bytes = Uint8Array.from(stdin.subarray(0, MAX_STDIN_BYTES + 1));
  } else {
    return invalid("stdin is neither text nor a Uint8Array");
  }
  return bytes.length > MAX_STDIN_BYTES ? tooLarge() : { kind: "stdin", value: bytes };
}

function tooLarge(): Refusal {
  return refuse("stdin-too-large", `stdin has more than ${MAX_STDIN_BYTES} bytes`);
}

/**
 * A word that reaches the command exactly as it was read. U+FFFD is what bytes that are no UTF-8
 * become, so it may stand for something else.
 */
function isPlain(text: string): boolean {
  return text.isWellFormed() && !/[\0\ufffd]/.test(text);
}

function byteLength(text: string): number {
  return new TextEncoder().encode(text).length;
}

/** A deep copy without getters, proxies or foreign prototypes; null where there is none. */
function copyOnce(value: unknown): object | null {
  try {
    const copy: unknown = structuredClone(value);
    return typeof copy === "object" ? copy : null;
  } catch {
    // A getter that throws, a function, a proxy: nothing that JSON could have carried.
    return null;
  }
}

function firstIssue(schema: typeof REQUEST | typeof RUN, value: unknown): string {
  const issue = Errors(schema, value).First();
  if (issue === undefined) return "wrong shape";
  return `${issue.path === "" ? "the request" : clip(issue.path.slice(1), 60)}: ${clip(issue.message, 120)}`;
}

function invalid(message: string): Refusal {
  return refuse("invalid-request", message);
}
