import type { ApproverEvent } from "../audit/audit-event.ts";
import type { EnrolledApprover, EnrolmentProof, PairedDevice } from "../core/approvers.ts";
import { SecurityError } from "../core/error.ts";
import type { Evidence } from "../core/evidence.ts";
import { clip } from "../core/text.ts";
import { type EpochMs, isoFromEpoch } from "../core/time.ts";
import { isChannelId, renderApprovers } from "../schema/approvers.ts";

/** The list as it is stored. */
export interface ApproverList {
  readonly approvers: readonly EnrolledApprover[];
  /** Root wrote it: only root can have changed it, though its folder's owner could put another in its place. */
  readonly isSealed: boolean;
}

export interface ApproverDeps {
  /** Empty where there is no file. @throws {SecurityError} approvers-invalid and those of reading a trusted file */
  readonly load: () => Promise<ApproverList>;
  readonly listDevices: () => Evidence<readonly PairedDevice[]>;
  readonly path: string;
  readonly now: () => EpochMs;
  /** Durable when it resolves. */
  readonly record: (event: ApproverEvent) => Promise<void>;
  /** sudo would ask for a password here, so that root's file shows that one was given. */
  readonly canSeal: (text: string) => Promise<boolean>;
  /** Asks a person at the controlling terminal, by a code that only a reader of the screen can type. */
  readonly confirm: (lines: readonly string[]) => Promise<boolean>;
  /** Writes the file as root; asks, and records, as any privileged command. @throws {SecurityError} enrolment-refused */
  readonly seal: (text: string, why: string) => Promise<void>;
  /** Only while the list is still as it was. @throws {SecurityError} file-changed and those of writing */
  readonly write: (text: string, before: ApproverList) => Promise<void>;
}

export interface ApproversReport {
  readonly schemaVersion: 1;
  readonly path: string;
  readonly sealed: boolean;
  readonly enrolled: readonly EnrolledApprover[];
  readonly devices: readonly (PairedDevice & { readonly isEnrolled: boolean })[];
  /** Why the paired devices could not be listed; null: they are all there. */
  readonly devices_unknown: string | null;
}

export async function listApprovers(deps: ApproverDeps): Promise<ApproversReport> {
  const { approvers, isSealed } = await deps.load();
  const devices = deps.listDevices();
  const enrolledIds = new Set(approvers.map(({ id }) => id));
  return {
    schemaVersion: 1,
    path: deps.path,
    sealed: isSealed,
    enrolled: approvers,
    devices:
      devices.kind === "measured"
        ? devices.value.map((device) => ({ ...device, isEnrolled: enrolledIds.has(device.id) }))
        : [],
    devices_unknown: devices.kind === "measured" ? null : devices.reason,
  };
}

export interface EnrolWish {
  /** A device's id or at least 8 characters of its start, or `channel:account`. */
  readonly id: string;
  readonly name: string | null;
  /** False: leave root out of it, also where it could prove that a password was given. */
  readonly wantsProof: boolean;
}

export interface ApproverChange {
  readonly schemaVersion: 1;
  readonly changed: "enrolled" | "revoked";
  readonly approver: EnrolledApprover;
}

/**
 * Lets somebody's yes count. A password is asked for where sudo wants one; elsewhere nothing that this
 * account cannot do by itself stands between an agent and the list, and the entry says so.
 */
export async function enrolApprover(deps: ApproverDeps, wish: EnrolWish): Promise<ApproverChange> {
  const list = await deps.load();
  const found = isChannelId(wish.id) ? channelEntry(wish.id) : deviceEntry(deps, wish.id);
  if (list.approvers.some(({ kind, id }) => kind === found.kind && id === found.id)) {
    throw new SecurityError("unknown-approver", `${clip(found.id, 80)} is enrolled already`, {
      hint: "`cse approvers list` shows who counts.",
    });
  }
  const build = (proof: EnrolmentProof): EnrolledApprover => ({
    kind: found.kind,
    id: found.id,
    name: (wish.name ?? found.name).slice(0, 100),
    enrolledAt: isoFromEpoch(deps.now()),
    proof,
  });
  const textWith = (proof: EnrolmentProof): string => renderApprovers([...list.approvers, build(proof)]);
  const proof = list.isSealed || (wish.wantsProof && (await deps.canSeal(textWith("password")))) ? "password" : "none";
  const approver = build(proof);
  const lines = [`Let this ${found.kind} approve privileged commands?`, ...found.lines];
  await change(deps, { event: "approver-enrolled", approver, before: list, text: textWith(proof), lines });
  return { schemaVersion: 1, changed: "enrolled", approver };
}

export async function revokeApprover(deps: ApproverDeps, id: string): Promise<ApproverChange> {
  const list = await deps.load();
  const matches = list.approvers.filter((one) => one.id === id || (id.length >= 8 && one.id.startsWith(id)));
  const [approver] = matches;
  if (approver === undefined || matches.length > 1) throw noSuch(id, matches.length);
  const text = renderApprovers(list.approvers.filter((one) => one !== approver));
  // What root wrote root must change; anything else would let the account undo it, and then do it anew.
  const proof = list.isSealed ? "password" : "none";
  const lines = [
    `Take the ${approver.kind} ${clip(approver.name, 80)} from those whose yes counts?`,
    `Id: ${approver.id}`,
  ];
  await change(deps, { event: "approver-revoked", approver: { ...approver, proof }, before: list, text, lines });
  return { schemaVersion: 1, changed: "revoked", approver };
}

interface Change {
  readonly event: ApproverEvent["event"];
  readonly approver: EnrolledApprover;
  readonly before: ApproverList;
  readonly text: string;
  readonly lines: readonly string[];
}

async function change(deps: ApproverDeps, { event, approver, before, text, lines }: Change): Promise<void> {
  const { kind, id, name, proof } = approver;
  // Root's file comes with a question of its own; the other has only this one.
  if (proof === "none" && !(await deps.confirm(lines))) {
    throw new SecurityError("enrolment-refused", "Nobody confirmed it, so nothing was changed", {
      hint: "Type the code that is shown, in a terminal of your own.",
    });
  }
  await deps.record({ event, kind, id, name, proof });
  if (proof === "password") await deps.seal(text, `${event}: ${kind} ${id.slice(0, 16)}`);
  else await deps.write(text, before);
}

interface Found {
  readonly kind: EnrolledApprover["kind"];
  readonly id: string;
  readonly name: string;
  readonly lines: readonly string[];
}

function channelEntry(id: string): Found {
  return {
    kind: "channel",
    id,
    name: id,
    lines: [`Id: ${id}`, "Whoever the channel lets approve counts: the record names no sender."],
  };
}

function deviceEntry(deps: ApproverDeps, given: string): Found {
  const devices = deps.listDevices();
  if (devices.kind === "unmeasured") {
    throw new SecurityError("collector-failed", `The paired devices cannot be read: ${devices.reason}`, {
      hint: "Run it as the account that OpenClaw runs as.",
    });
  }
  const matches = devices.value.filter(({ id }) => id === given || (given.length >= 8 && id.startsWith(given)));
  const [device] = matches;
  if (device === undefined || matches.length > 1) throw noSuch(given, matches.length);
  if (device.isKeyHere) {
    throw new SecurityError("unknown-approver", "That is OpenClaw's own identity on this machine", {
      hint: "Its key lies in OpenClaw's database, where an agent can use it. Enroll a phone, or a browser elsewhere.",
    });
  }
  if (!device.canApprove) {
    throw new SecurityError("unknown-approver", `${clip(device.id, 80)} may not answer approvals in OpenClaw`, {
      hint: "Give it the scope operator.approvals first: `openclaw devices list`.",
    });
  }
  const from = device.from === null ? "this machine" : clip(device.from, 80);
  return {
    kind: "device",
    id: device.id,
    name: device.name === "" ? device.client : device.name,
    lines: [
      `Id: ${device.id}`,
      `Calls itself: ${clip(device.name, 80)} (${clip(device.client, 80)}, ${clip(device.platform, 80)})`,
      `Paired: ${device.pairedAt} from ${from}, ${device.pairedVia === "silent" ? "by itself: nobody was asked" : clip(device.pairedVia, 40)}`,
      "Any process on this machine can pair itself under any name: be sure that this is your device.",
    ],
  };
}

function noSuch(id: string, matches: number): SecurityError {
  const what = matches > 1 ? `${matches} of them begin with ${clip(id, 80)}` : `There is no ${clip(id, 80)}`;
  return new SecurityError("unknown-approver", what, { hint: "`cse approvers list` shows the ids." });
}
