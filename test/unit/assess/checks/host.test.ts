import { describe, expect, it } from "vitest";
import type { CheckStatus } from "../../../../src/assess/assessment.ts";
import { CHECKS } from "../../../../src/assess/checks.ts";
import type {
  AssessEvidence,
  AuditLogState,
  BackupState,
  GrantSelfTest,
  PrivilegePath,
  PrivilegePaths,
  StateEntry,
  StateTree,
  UpdateState,
} from "../../../../src/assess/evidence.ts";
import {
  AT,
  AUDIT_LOG,
  config,
  GATEWAY,
  goodEvidence,
  GRANTS,
  HARDENED,
  NO_WAY_TO_ROOT,
  seen,
  unseen,
} from "../../../helpers/assess-evidence.ts";

type Row = readonly [when: string, change: Partial<AssessEvidence>, status: CheckStatus];

function table(id: string, rows: readonly Row[]): void {
  describe(id, () => {
    it.each(rows)("%s", (_when, change, status) => {
      const found = CHECKS.find(({ meta }) => meta.check_id === id);
      expect(found?.check(goodEvidence(change)).status).toBe(status);
    });
  });
}

const privilege = (change: Partial<PrivilegePaths>): Partial<AssessEvidence> => ({
  privilege: seen({ ...NO_WAY_TO_ROOT, ...change }),
});
const NO_GATEWAY: Partial<AssessEvidence> = {
  gateway: seen({ ...GATEWAY, basis: "current-user", running: false, pid: null }),
};
const path = (via: PrivilegePath["via"], strength: PrivilegePath["strength"]): PrivilegePath => ({
  via,
  what: `${via} rule`,
  strength,
});
const onHost = { config: config({ ...HARDENED, tools: { profile: "coding", exec: { mode: "ask" } }, agents: {} }) };

table("least_privilege_enforced", [
  ["is compliant for an ordinary account with narrow agents", {}, "compliant"],
  [
    "is a violation when the gateway runs as root, whatever the config says",
    { gateway: seen({ ...GATEWAY, uid: 0, user: "root" }), config: unseen() },
    "violation",
  ],
  [
    "is a violation with the docker group when agents run commands on the host",
    { ...onHost, gateway: seen({ ...GATEWAY, groups: ["docker"] }) },
    "violation",
  ],
  [
    "is a violation with passwordless sudo when agents run commands on the host",
    { ...onHost, ...privilege({ paths: [path("sudo", "passwordless")] }) },
    "violation",
  ],
  [
    "is partial with the docker group when agents stay in their sandbox",
    { gateway: seen({ ...GATEWAY, groups: ["docker"] }) },
    "partial",
  ],
  [
    "is partial when an agent reachable from a channel has every tool",
    { config: config({ ...HARDENED, tools: { exec: { mode: "deny" } } }) },
    "partial",
  ],
  [
    "is not assessed with the docker group when the config is unknown",
    { gateway: seen({ ...GATEWAY, groups: ["docker"] }), config: unseen() },
    "not_assessed",
  ],
  [
    "is not assessed when no gateway runs, even if this account is root",
    { gateway: seen({ ...GATEWAY, running: false, pid: null, uid: 0, basis: "current-user" }) },
    "not_assessed",
  ],
  [
    "is not assessed when the gateway's process cannot be read",
    { gateway: unseen("permission-denied") },
    "not_assessed",
  ],
  [
    "is not assessed when the sudo rules cannot be listed",
    privilege({ unknown: ["sudo rules could not be listed"] }),
    "not_assessed",
  ],
  ["is not assessed when the ways to root are unmeasured", { privilege: unseen("timeout") }, "not_assessed"],
]);

const grants = (change: Partial<GrantSelfTest>): Partial<AssessEvidence> => ({
  grants: seen({ ...GRANTS, ...change }),
});

table("elevation_timeout_30m", [
  ["is a violation when sudo never forgets", privilege({ sudo_timestamp_minutes: -1 }), "violation"],
  ["is partial when sudo remembers for 31 minutes", privilege({ sudo_timestamp_minutes: 31 }), "partial"],
  [
    "is partial at 30 minutes, because the gateway does not use grants yet",
    privilege({ sudo_timestamp_minutes: 30 }),
    "partial",
  ],
  ["is a violation when an idle grant still runs", grants({ refuses_idle: false }), "violation"],
  [
    "is a violation when a grant outlives a clock that was set back",
    grants({ drops_on_clock_back: false }),
    "violation",
  ],
  ["is not assessed when a fresh grant is refused too", grants({ runs_fresh: false }), "not_assessed"],
  ["is not assessed when grants could not be tried out", { grants: unseen() }, "not_assessed"],
  ["is not assessed when the timeout is not known", privilege({ sudo_timestamp_minutes: null }), "not_assessed"],
  ["is not assessed when sudo could not be looked at", { privilege: unseen("tool-missing") }, "not_assessed"],
]);

const ROOT = "/home/openclaw/.openclaw";
const tree = (change: Partial<StateTree>): Partial<AssessEvidence> => ({
  stateTree: seen({
    root: ROOT,
    expected_uid: 998,
    entries_seen: 40,
    deviations: [],
    unreadable: [],
    truncated: false,
    ...change,
  }),
});
const entry = (name: string, mode: number, change: Partial<StateEntry> = {}): StateEntry => ({
  path: `${ROOT}/${name}`,
  kind: "file",
  mode,
  uid: 998,
  has_acl: null,
  ...change,
});
const deviates = (...deviations: readonly StateEntry[]): Partial<AssessEvidence> => tree({ deviations });

const auditLog = (change: Partial<AuditLogState>): Partial<AssessEvidence> => ({
  auditLog: seen({ ...AUDIT_LOG, ...change }),
});
const NO_LOG: Partial<AuditLogState> = { present: false, status: "unknown", records: 0, anchored: false };
const COMPARED = { kind: "compared", source: "journal", since: AT, executions: 2, bypasses: 0 } as const;
const SKIPPED = { kind: "skipped", reason: "sudo's records cannot be read" } as const;

table("audit_logging_privileged_actions", [
  [
    "is a violation when everyone may write the log",
    deviates(entry("security/privileged-audit.jsonl", 0o666)),
    "violation",
  ],
  [
    "is a violation when the group may write its folder",
    deviates(entry("security", 0o770, { kind: "folder" })),
    "violation",
  ],
  [
    "is a violation when the log belongs to another account",
    deviates(entry("security/privileged-audit.jsonl", 0o600, { uid: 1001 })),
    "violation",
  ],
  ["is partial when the group may read the log", deviates(entry("security/privileged-audit.jsonl", 0o640)), "partial"],
  [
    "is partial when a closed folder above keeps others from a writable log",
    deviates(entry("security/privileged-audit.jsonl", 0o666, { shielded: true })),
    "partial",
  ],
  ["is compliant when the log is intact, confirmed, and announces all that sudo ran", {}, "compliant"],
  ["is compliant when another file deviates", deviates(entry("openclaw.json", 0o666)), "compliant"],
  ["is a violation when the log was tampered with", auditLog({ status: "tampered" }), "violation"],
  ["is a violation when a log that was there is gone", auditLog({ ...NO_LOG, status: "tampered" }), "violation"],
  [
    "is a violation when sudo ran what the log does not announce",
    auditLog({ sudo: { ...COMPARED, bypasses: 1 } }),
    "violation",
  ],
  [
    "is a violation when sudo ran commands and there is no log",
    auditLog({ ...NO_LOG, sudo: { ...COMPARED, bypasses: 2 } }),
    "violation",
  ],
  ["is partial when nothing confirms the end of the log", auditLog({ anchored: false }), "partial"],
  ["is partial when the log could not be compared with sudo's records", auditLog({ sudo: SKIPPED }), "partial"],
  ["is partial when a run has no recorded end", auditLog({ dangling: 1 }), "partial"],
  [
    "is compliant without a log when sudo's records show nothing to be logged",
    auditLog({ ...NO_LOG, sudo: { ...COMPARED, executions: 0 } }),
    "compliant",
  ],
  ["is not assessed without a log and without sudo's records", auditLog({ ...NO_LOG, sudo: SKIPPED }), "not_assessed"],
  ["is not assessed when nobody can tell whether the log is whole", auditLog({ status: "unknown" }), "not_assessed"],
  ["is not assessed when the log could not be examined", { auditLog: unseen("timeout") }, "not_assessed"],
  ["is not assessed when the tree could not be read", { stateTree: unseen("permission-denied") }, "not_assessed"],
]);

table("secrets_permissions_hardened", [
  ["is compliant when nothing deviates", {}, "compliant"],
  ["is a violation when everyone may read a file", deviates(entry("openclaw.json", 0o644)), "violation"],
  [
    "is a violation when everyone may enter the state folder",
    deviates(entry("", 0o755, { kind: "folder" })),
    "violation",
  ],
  ["is a violation when the group may write", deviates(entry("state/openclaw.sqlite-wal", 0o620)), "violation"],
  ["is a violation when another account owns a file", deviates(entry("auth.json", 0o600, { uid: 1001 })), "violation"],
  [
    "is a violation although a part of the tree could not be read",
    tree({ deviations: [entry("a", 0o666)], unreadable: ["/x"] }),
    "violation",
  ],
  ["is partial when only the group may read", deviates(entry("openclaw.json", 0o640)), "partial"],
  [
    "is partial when a closed folder above keeps others out",
    deviates(entry("workspace/a", 0o666, { shielded: true })),
    "partial",
  ],
  [
    "is partial when everyone could read, but only one group gets there",
    deviates(entry("workspace/a", 0o644, { group_only: true })),
    "partial",
  ],
  [
    "is a violation when the one group that gets there may write",
    deviates(entry("workspace/a", 0o664, { group_only: true })),
    "violation",
  ],
  ["is partial when a link leaves the tree", deviates(entry("link", 0o777, { kind: "symlink" })), "partial"],
  ["is partial when an access list grants more", deviates(entry("a", 0o600, { has_acl: true })), "partial"],
  ["is partial when root owns a file", deviates(entry("a", 0o600, { uid: 0 })), "partial"],
  [
    "is not assessed when a path could not be examined, even if the rest is partial",
    tree({ deviations: [entry("a", 0o640)], unreadable: ["/x"] }),
    "not_assessed",
  ],
  ["is not assessed when the walk stopped at its limit", tree({ truncated: true }), "not_assessed"],
  ["is not assessed when the tree could not be read", { stateTree: unseen("permission-denied") }, "not_assessed"],
  [
    "is not applicable when there is no state",
    { stateTree: unseen("not-applicable", "there is no state folder") },
    "not_applicable",
  ],
]);

table("alternate_privilege_paths_restricted", [
  ["is compliant when everything was looked at and nothing leads to root", {}, "compliant"],
  [
    "is compliant when su is there and asks for root's password",
    privilege({ paths: [path("su", "password")] }),
    "compliant",
  ],
  [
    "is a violation with passwordless sudo",
    privilege({ paths: [path("su", "password"), path("sudo", "passwordless")] }),
    "violation",
  ],
  [
    "is a violation when a container socket is open",
    privilege({ paths: [path("container-socket", "passwordless")] }),
    "violation",
  ],
  [
    "is a violation when the account is root",
    privilege({ uid: 0, user: "root", paths: [path("root", "passwordless")] }),
    "violation",
  ],
  [
    "is a violation although other ways are unknown",
    privilege({ paths: [path("setuid", "passwordless")], unknown: ["doas"] }),
    "violation",
  ],
  ["is not assessed when no gateway was found, whose account may be another", NO_GATEWAY, "not_assessed"],
  [
    "is a violation when no gateway was found and this account gets to root",
    { ...NO_GATEWAY, ...privilege({ paths: [path("sudo", "passwordless")] }) },
    "violation",
  ],
  ["is not assessed when the gateway could not be looked for", { gateway: unseen("proc-unusable") }, "not_assessed"],
  ["is partial when sudo asks for a password", privilege({ paths: [path("sudo", "password")] }), "partial"],
  [
    "is not assessed when a way cannot be judged without trying",
    privilege({ paths: [path("sudo", "password"), path("pkexec", "unknown")] }),
    "not_assessed",
  ],
  [
    "is not assessed when something could not be looked at",
    privilege({ unknown: ["sudo rules could not be listed"] }),
    "not_assessed",
  ],
  ["is not assessed when nothing could be looked at", { privilege: unseen("tool-missing") }, "not_assessed"],
]);

const BACKUP: BackupState = {
  latest_at: "2026-11-22T03:00:00Z",
  kind: "archive",
  push_failed: false,
  archive_bytes: 4096,
  archive_path: "/srv/backup/openclaw.tar",
  verified: true,
  outside_state_dir: true,
  archive_exists: true,
};
const backup = (change: Partial<BackupState>): Partial<AssessEvidence> => ({ backup: seen({ ...BACKUP, ...change }) });
table("backup_configured", [
  ["is compliant when fresh, verified, present and outside", {}, "compliant"],
  ["is compliant at exactly seven days", backup({ latest_at: "2026-11-16T08:00:00Z" }), "compliant"],
  ["is a violation when there never was one", backup({ latest_at: null }), "violation"],
  ["is a violation when its archive is gone", backup({ archive_exists: false }), "violation"],
  ["is a violation when verifying failed", backup({ verified: false, outside_state_dir: null }), "violation"],
  ["is partial when older than seven days", backup({ latest_at: "2026-11-16T07:59:59Z" }), "partial"],
  ["is partial when never verified", backup({ verified: null }), "partial"],
  ["is a violation when its archive is empty", backup({ archive_bytes: 0 }), "violation"],
  ["is partial when it is a snapshot of one database", backup({ kind: "sqlite-snapshot" }), "partial"],
  [
    "is partial when it could not be pushed",
    backup({ kind: "git", archive_bytes: null, push_failed: true }),
    "partial",
  ],
  ["is partial inside the state folder", backup({ outside_state_dir: false }), "partial"],
  [
    "is not assessed when it lies nobody knows where",
    backup({ outside_state_dir: null, verified: null }),
    "not_assessed",
  ],
  ["is not assessed when its archive cannot be looked for", backup({ archive_exists: null }), "not_assessed"],
  ["is not assessed when its time lies in the future", backup({ latest_at: "2027-01-01T00:00:00Z" }), "not_assessed"],
  ["is not assessed when its time is no time", backup({ latest_at: "yesterday" }), "not_assessed"],
  ["is not assessed when the record cannot be read", { backup: unseen("file-unreadable") }, "not_assessed"],
  [
    "is not applicable when OpenClaw keeps nothing here",
    { backup: unseen("not-applicable", "no state database") },
    "not_applicable",
  ],
]);

const UPDATE: UpdateState = {
  installed_version: "2026.9.6",
  latest_version: "2026.9.6",
  checked_at: "2026-11-23T06:00:00Z",
  node_version: "24.21.0",
};
const update = (change: Partial<UpdateState>): Partial<AssessEvidence> => ({ update: seen({ ...UPDATE, ...change }) });
table("update_hygiene", [
  ["is compliant when nothing newer is known", {}, "compliant"],
  [
    "is compliant when a prerelease newer than the newest release runs",
    update({ installed_version: "2026.10.1-beta.2" }),
    "compliant",
  ],
  ["is partial when a newer patch exists", update({ installed_version: "2026.9.5" }), "partial"],
  [
    "is partial when a prerelease of the newest version runs",
    update({ installed_version: "2026.9.6-beta.1" }),
    "partial",
  ],
  ["is partial when surely no more than 90 days lie between", update({ installed_version: "2026.6.9" }), "partial"],
  ["is a violation when more than 90 days surely lie between", update({ installed_version: "2026.5.9" }), "violation"],
  [
    "is a violation across the turn of a year",
    update({ installed_version: "2025.12.1", latest_version: "2026.5.1" }),
    "violation",
  ],
  ["is a violation when Node is past its end", update({ node_version: "v20.19.0" }), "violation"],
  ["is a violation with an unlisted old Node", update({ node_version: "16.1.0" }), "violation"],
  [
    "is a violation by Node although the registry is silent",
    update({ node_version: "20.0.0", latest_version: null }),
    "violation",
  ],
  ["is not assessed when the registry gave no answer", update({ latest_version: null }), "not_assessed"],
  ["is not assessed when its answer is eight days old", update({ checked_at: "2026-11-15T06:00:00Z" }), "not_assessed"],
  [
    "is not assessed when the installed version cannot be told",
    update({ installed_version: "openclaw: command not found" }),
    "not_assessed",
  ],
  ["is not assessed when Node's version is not known", update({ node_version: null }), "not_assessed"],
  ["is not assessed when nothing could be read", { update: unseen("timeout") }, "not_assessed"],
  [
    "is not applicable when OpenClaw is not installed",
    { update: unseen("not-applicable", "OpenClaw is not installed") },
    "not_applicable",
  ],
]);
