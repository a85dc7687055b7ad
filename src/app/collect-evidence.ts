import type { AssessEvidence } from "../assess/evidence.ts";
import { SecurityError, type SecurityErrorCode, asSecurityError } from "../core/error.ts";
import { type Evidence, type Unmeasured, unmeasured } from "../core/evidence.ts";
import { type EpochMs, isoFromEpoch } from "../core/time.ts";

/** One collector per kind of evidence. It answers `unmeasured` or throws when it cannot look. */
export type Collectors = {
  readonly [K in keyof AssessEvidence]: () => Promise<AssessEvidence[K]>;
};

/** A timer that does not keep the process alive once cancelled. */
export interface Timer {
  readonly elapsed: Promise<void>;
  readonly cancel: () => void;
}

export interface CollectDeps {
  readonly collectors: Collectors;
  readonly startTimer: (delayMs: number) => Timer;
  readonly now: () => EpochMs;
  /** How long one collector may take. */
  readonly collectorTimeoutMs: number;
  /** The same for asking OpenClaw itself, which keeps a limit of its own. */
  readonly nativeTimeoutMs: number;
}

export interface CollectedEvidence {
  readonly evidence: AssessEvidence;
  /** Collectors that failed or hung, as opposed to those that answered that they could not look. */
  readonly problems: readonly { readonly code: SecurityErrorCode; readonly message: string }[];
}

const NOT_ASKED = "No chosen check needs it.";

/**
 * Gathers the wanted kinds of evidence side by side. A collector that throws or does not answer in
 * time gives `unmeasured` and a problem; the others are not held up.
 */
export async function collectEvidence(
  deps: CollectDeps,
  wanted: readonly (keyof AssessEvidence)[],
): Promise<CollectedEvidence> {
  const problems: CollectedEvidence["problems"][number][] = [];

  const gather = async <K extends keyof AssessEvidence>(kind: K): Promise<Evidence<never> | AssessEvidence[K]> => {
    const source = `${kind} collector`;
    const failed = (code: SecurityErrorCode, reason: string): Unmeasured => {
      problems.push({ code, message: `${source}: ${reason}` });
      return unmeasured(code, reason, source, isoFromEpoch(deps.now()));
    };
    if (!wanted.includes(kind)) return unmeasured("not-applicable", NOT_ASKED, source, isoFromEpoch(deps.now()));
    try {
      const limitMs = kind === "native" ? deps.nativeTimeoutMs : deps.collectorTimeoutMs;
      return await withinLimit({ ...deps, collectorTimeoutMs: limitMs }, deps.collectors[kind]);
    } catch (thrown) {
      const error = asSecurityError(thrown);
      return error.code === "internal"
        ? failed("collector-failed", `the collector failed: ${error.message}`)
        : failed(error.code, error.hint === "" ? error.message : `${error.message}. ${error.hint}`);
    }
  };

  const evidence = await allOf<AssessEvidence>({
    config: gather("config"),
    stateTree: gather("stateTree"),
    gateway: gather("gateway"),
    privilege: gather("privilege"),
    commandPolicy: gather("commandPolicy"),
    promptPolicy: gather("promptPolicy"),
    sockets: gather("sockets"),
    ports: gather("ports"),
    egress: gather("egress"),
    backup: gather("backup"),
    update: gather("update"),
    auditLog: gather("auditLog"),
    grants: gather("grants"),
    broker: gather("broker"),
    approvers: gather("approvers"),
    approvals: gather("approvals"),
    devices: gather("devices"),
    extensions: gather("extensions"),
    suppliers: gather("suppliers"),
    unit: gather("unit"),
    firewall: gather("firewall"),
    patching: gather("patching"),
    volume: gather("volume"),
    clock: gather("clock"),
    configBaseline: gather("configBaseline"),
    native: gather("native"),
  });
  return { evidence, problems };
}

/**
 * What `work` gives, if it gives it in time. Work that is too late is abandoned, not stopped.
 * @throws {SecurityError} timeout, and whatever `work` throws
 */
export async function withinLimit<T>(
  deps: Pick<CollectDeps, "startTimer" | "collectorTimeoutMs">,
  work: () => Promise<T>,
): Promise<T> {
  const timer = deps.startTimer(deps.collectorTimeoutMs);
  try {
    const late = timer.elapsed.then((): never => {
      const seconds = Math.round(deps.collectorTimeoutMs / 1000);
      throw new SecurityError("timeout", `no answer within ${seconds} s`);
    });
    return await Promise.race([work(), late]);
  } finally {
    timer.cancel();
  }
}

/** Waits for what was started side by side, each under its own name. */
async function allOf<T extends object>(started: { readonly [K in keyof T]: Promise<T[K]> }): Promise<T> {
  const names = Object.keys(started) as (keyof T & string)[];
  const values = await Promise.all(names.map(async (name) => [name, await started[name]] as const));
  return Object.fromEntries(values) as T;
}
