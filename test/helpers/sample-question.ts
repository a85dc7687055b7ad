import { createHash } from "node:crypto";
import type {
  ApprovalQuestion,
  BinaryIdentity,
  ClockReading,
  ContentsDigest,
  ElevationRequest,
  FileIdentity,
  RequestDigest,
  ResolvedCommand,
  SessionIdentity,
} from "../../src/core/elevation.ts";

export function sha256Hex(bytes: Uint8Array | string): string {
  return createHash("sha256").update(bytes).digest("hex");
}

export const SESSION: SessionIdentity = { session: "task-a", agent: "main", channel: "gateway" };

/** Some day, of a process and a boot that are some hours old. */
export const START: ClockReading = { wallMs: 1_795_000_000_000, monotonicMs: 5_000_000, uptimeMs: 90_000_000 };

/** The three clocks after so much time without suspend or correction. */
export function later(by: number, from: ClockReading = START): ClockReading {
  return { wallMs: from.wallMs + by, monotonicMs: from.monotonicMs + by, uptimeMs: from.uptimeMs + by };
}

function sampleRequest(changes: Partial<ElevationRequest> = {}): ElevationRequest {
  return {
    argv: ["/usr/bin/apt-get", "update"],
    reason: "refresh the package lists",
    runAs: "root",
    cwd: "/srv",
    env: {},
    stdin: null,
    timeoutMs: 120_000,
    keepSession: false,
    isNonInteractive: false,
    ...changes,
  };
}

export function sampleFile(path: string): FileIdentity {
  return {
    path,
    dev: "2049",
    ino: "131",
    size: 51_592,
    mtimeNs: "1700000000000000001",
    ctimeNs: "1700000000000000002",
    uid: 0,
    mode: 0o100755,
    sha256: sha256Hex(path),
  };
}

export function sampleBinary(path: string = "/usr/bin/apt-get"): BinaryIdentity {
  return {
    ...sampleFile(path),
    realPath: path,
    hops: [
      { path: "/", kind: "folder", dev: "2049", ino: "2", target: null },
      { path: "/usr", kind: "folder", dev: "2049", ino: "12", target: null },
    ],
  };
}

/** As a machine has them that limits nothing that matters. */
export const SAMPLE_LIMITS: ResolvedCommand["limits"] = [
  { name: "Max cpu time", soft: "unlimited", hard: "unlimited" },
  { name: "Max file size", soft: "unlimited", hard: "unlimited" },
  { name: "Max data size", soft: "unlimited", hard: "unlimited" },
  { name: "Max stack size", soft: "8388608", hard: "unlimited" },
  { name: "Max processes", soft: "96364", hard: "96364" },
  { name: "Max open files", soft: "20000", hard: "20000" },
  { name: "Max address space", soft: "unlimited", hard: "unlimited" },
];

export function sampleCommand(
  request: Partial<ElevationRequest> = {},
  changes: Partial<ResolvedCommand> = {},
): ResolvedCommand {
  const whole = sampleRequest(request);
  return {
    request: whole,
    binary: sampleBinary(whole.argv[0]),
    interpreter: null,
    operands: [],
    target: { user: whole.runAs, uid: 0, gid: 0 },
    cwd: { path: whole.cwd, dev: "2049", ino: "77" },
    limits: SAMPLE_LIMITS,
    ...changes,
  };
}

export const CONTENTS = sha256Hex("contents") as ContentsDigest;
export const DIGEST = sha256Hex("request") as RequestDigest;

export function sampleQuestion(changes: Partial<ApprovalQuestion> = {}): ApprovalQuestion {
  return {
    requestId: "request-1",
    digest: DIGEST,
    contents: CONTENTS,
    command: sampleCommand(),
    session: SESSION,
    risks: [],
    isUntrusted: false,
    asksToKeep: false,
    expiresAt: START.wallMs + 600_000,
    ...changes,
  };
}
