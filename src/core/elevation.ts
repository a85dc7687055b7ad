/**
 * The vocabulary of one privileged action, from what an agent asks for to what happened. Every
 * layer speaks of these values; none of them can be changed after it was made.
 */
import type { RefusalCode } from "./refusal.ts";
import type { ResourceLimit } from "./resource-limits.ts";
import type { EpochMs } from "./time.ts";

/** Whose request it is. In the gateway it comes from the host, at a terminal from the process itself. */
export interface SessionIdentity {
  /** Stable key of the task session; grants never cross it. */
  readonly session: string;
  readonly agent: string | null;
  /** How the request came in. */
  readonly channel: "terminal" | "gateway" | "shim" | "library";
}

/** What was asked, after parsing: bounded, typed, nothing resolved yet. */
export interface ElevationRequest {
  /** Absolute command first; every word is valid Unicode without NUL or U+FFFD. */
  readonly argv: readonly [string, ...string[]];
  /** The asker's claim, at most 300 code points. Shown as a claim, never believed. */
  readonly reason: string;
  /** Name of the target user; "root" unless said otherwise. */
  readonly runAs: string;
  /** Absolute path. */
  readonly cwd: string;
  /** Only names on the allow list (see schema/elevation-request.ts). */
  readonly env: Readonly<Record<string, string>>;
  /** Null: /dev/null. At most 1 MiB. */
  readonly stdin: Uint8Array | null;
  readonly timeoutMs: number;
  /** The asker would like to run the same contents again without asking anew. */
  readonly keepSession: boolean;
  /** True for `sudo -n`: never wait for a human. */
  readonly isNonInteractive: boolean;
}

/** What identifies a file at one moment; numbers are decimal strings where they may exceed 2^53. */
export interface FileIdentity {
  readonly path: string;
  readonly dev: string;
  readonly ino: string;
  readonly size: number;
  readonly mtimeNs: string;
  readonly ctimeNs: string;
  readonly uid: number;
  readonly mode: number;
  readonly sha256: string;
}

/** A folder or link on the way to a file, from "/" down, every hop included. */
export interface PathHop {
  readonly path: string;
  readonly kind: "folder" | "link";
  readonly dev: string;
  readonly ino: string;
  /** Target text of a link. */
  readonly target: string | null;
}

export interface BinaryIdentity extends FileIdentity {
  /** The real file after all links; `path` is what will be executed: real(dirname) + base name. */
  readonly realPath: string;
  readonly hops: readonly PathHop[];
}

/** A word of argv that names a file somebody other than root can change. */
export interface OperandIdentity extends FileIdentity {
  /** Position in argv. */
  readonly index: number;
}

/** The request with everything it refers to pinned down. */
export interface ResolvedCommand {
  readonly request: ElevationRequest;
  readonly binary: BinaryIdentity;
  /** Of a script: the program of its `#!` line. */
  readonly interpreter: BinaryIdentity | null;
  readonly operands: readonly OperandIdentity[];
  readonly target: { readonly user: string; readonly uid: number; readonly gid: number };
  readonly cwd: { readonly path: string; readonly dev: string; readonly ino: string };
  /** Of this process, which the command will have too. */
  readonly limits: readonly ResourceLimit[];
}

/** SHA-256 in hex over the canonical form of what runs (no request id, no nonce). A kept grant matches this. */
export type ContentsDigest = string & { readonly brand: "ContentsDigest" };
/** SHA-256 in hex over the contents digest, request id and nonce. An approval is a yes to this. */
export type RequestDigest = string & { readonly brand: "RequestDigest" };
export type GrantId = string & { readonly brand: "GrantId" };

/** Everything a human is asked to agree to. */
export interface ApprovalQuestion {
  readonly requestId: string;
  readonly digest: RequestDigest;
  readonly contents: ContentsDigest;
  readonly command: ResolvedCommand;
  readonly session: SessionIdentity;
  /** What the policy linter and the table of root-equivalent programs say, worst first. */
  readonly risks: readonly string[];
  /** True when the content at hand came from an untrusted source and the policy wants that confirmed. */
  readonly isUntrusted: boolean;
  /** True when a yes would also keep the session (its own question in words). */
  readonly asksToKeep: boolean;
  readonly expiresAt: EpochMs;
}

/** Who said yes or no, and how it is known. */
export interface ApproverIdentity {
  readonly kind: "terminal" | "device" | "channel" | "runtime" | "system" | "none";
  readonly id: string;
}

/** The answer of an approver; anything but these two is a denial. */
export type ApprovalAnswer =
  | { readonly kind: "allow-once"; readonly by: ApproverIdentity; readonly at: EpochMs; readonly keep: boolean }
  | { readonly kind: "deny"; readonly by: ApproverIdentity; readonly at: EpochMs; readonly code: RefusalCode };

/** The role that asks a human. It can only refuse what policy would let a human be asked. */
export interface Approver {
  /** Name for audit: "deny", "terminal", "gateway". */
  readonly name: string;
  /** False: nobody can be asked now, so the request is refused at once. */
  hasRoute(): Promise<boolean>;
  /** Settles by `question.expiresAt` or on abort; whatever it throws is a denial. */
  ask(question: ApprovalQuestion, signal: AbortSignal): Promise<ApprovalAnswer>;
}

/** Three clocks, read together. A grant is expired when any of them says so. */
export interface ClockReading {
  readonly wallMs: EpochMs;
  /** Does not count suspend. */
  readonly monotonicMs: number;
  /** Since boot, counts suspend. */
  readonly uptimeMs: number;
}

/** A real sudo that can be used: what it is, and which of the two programs of that name. */
export interface UsableSudo {
  readonly kind: "usable";
  readonly identity: BinaryIdentity;
  readonly flavour: "sudo" | "sudo-rs";
  /** As it prints it, such as "1.9.13p3". */
  readonly version: string;
}

/** Takes a piece of output as it comes. A promise asks for no more until it settles; it never rejects. */
export type OutputSink = (stream: "stdout" | "stderr", chunk: Uint8Array) => Promise<void> | null;

/** What a caller that waits for its run may want besides the result. */
export interface RunWatch {
  /** Aborting withdraws the question, or ends the run as its time limit does. */
  readonly signal?: AbortSignal;
  /** Gets the whole output, also what the result leaves out. */
  readonly onOutput?: OutputSink;
}

/** How the child ended. */
export type RunOutcome =
  | {
      readonly kind: "exited";
      readonly exitCode: number | null;
      readonly signal: string | null;
      readonly output: RunOutput;
      readonly durationMs: number;
      /** A descendant still held the pipes when the call was settled. */
      readonly pipeHeld: boolean;
      readonly timedOut: boolean;
    }
  /** sudo did not end after SIGTERM; a root process may still run and cannot be ended from here. */
  | {
      readonly kind: "orphaned";
      readonly pid: number;
      readonly startTime: string | null;
      readonly output: RunOutput;
      readonly durationMs: number;
    }
  | { readonly kind: "spawn-failed"; readonly errno: string; readonly message: string };

export interface RunOutput {
  readonly stdout: string;
  readonly stderr: string;
  readonly truncated: boolean;
  /** Of everything the child wrote, also what was cut. */
  readonly stdoutBytes: number;
  readonly stderrBytes: number;
  readonly stdoutSha256: string;
  readonly stderrSha256: string;
}
