import type {
  BinaryIdentity,
  ContentsDigest,
  FileIdentity,
  OperandIdentity,
  RequestDigest,
  ResolvedCommand,
  SessionIdentity,
} from "../core/elevation.ts";
import { type Canonical, canonicalBytes } from "./canonical.ts";

/** SHA-256 in lower-case hex; text counts as UTF-8. */
export type Sha256Hex = (bytes: Uint8Array | string) => string;

const CONTENTS = "openclaw-elevation/v1\n";
const REQUEST = "openclaw-approval/v1\n";

/**
 * The digest of what would run, for whom, on this boot and under this policy. Left out is what
 * does not change the command: the reason, whether to keep the session, and whether to wait.
 */
export function contentsDigest(
  resolved: ResolvedCommand,
  session: SessionIdentity,
  policyHash: string,
  bootId: string,
  sha256Hex: Sha256Hex,
): ContentsDigest {
  const { request } = resolved;
  const value: Canonical = {
    argv: request.argv,
    runAs: request.runAs,
    requestedCwd: request.cwd,
    env: request.env,
    stdin: request.stdin,
    timeoutMs: request.timeoutMs,
    binary: binaryFields(resolved.binary),
    interpreter: resolved.interpreter === null ? null : binaryFields(resolved.interpreter),
    operands: resolved.operands.map(operandFields),
    target: { user: resolved.target.user, uid: resolved.target.uid, gid: resolved.target.gid },
    cwd: { path: resolved.cwd.path, dev: resolved.cwd.dev, ino: resolved.cwd.ino },
    limits: resolved.limits.map(({ name, soft, hard }) => ({ name, soft, hard })),
    session: { session: session.session, agent: session.agent, channel: session.channel },
    policyHash,
    bootId,
  };
  return sha256Hex(prefixed(CONTENTS, value)) as ContentsDigest;
}

/** The digest that one approval is a yes to. `requestId` and `nonce` make it new each time. */
export function requestDigest(
  contents: ContentsDigest,
  requestId: string,
  nonce: string,
  sha256Hex: Sha256Hex,
): RequestDigest {
  return sha256Hex(prefixed(REQUEST, { contents, requestId, nonce })) as RequestDigest;
}

/** The part of a digest that people compare: its first 8 hex digits. */
export function digestPrefix(digest: ContentsDigest | RequestDigest): string {
  return digest.slice(0, 8);
}

function fileFields(file: FileIdentity): { readonly [key in keyof FileIdentity]: Canonical } {
  const { path, dev, ino, size, mtimeNs, ctimeNs, uid, mode, sha256 } = file;
  return { path, dev, ino, size, mtimeNs, ctimeNs, uid, mode, sha256 };
}

function binaryFields(binary: BinaryIdentity): { readonly [key in keyof BinaryIdentity]: Canonical } {
  return {
    ...fileFields(binary),
    realPath: binary.realPath,
    hops: binary.hops.map(({ path, kind, dev, ino, target }) => ({ path, kind, dev, ino, target })),
  };
}

function operandFields(operand: OperandIdentity): { readonly [key in keyof OperandIdentity]: Canonical } {
  return { ...fileFields(operand), index: operand.index };
}

function prefixed(prefix: string, value: Canonical): Uint8Array {
  const head = new TextEncoder().encode(prefix);
  const body = canonicalBytes(value);
  const whole = new Uint8Array(head.length + body.length);
  whole.set(head);
  whole.set(body, head.length);
  return whole;
}
