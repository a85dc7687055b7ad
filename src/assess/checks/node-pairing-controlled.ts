import { plural } from "../../core/text.ts";
import { DAY_MS, epochFromIso } from "../../core/time.ts";
import type { PairedDevices } from "../../core/setup-evidence.ts";
import type { OpenClawConfig } from "../../schema/openclaw-config.ts";
import type { CheckMeta, CheckResult } from "../assessment.ts";
import type { AssessEvidence } from "../evidence.ts";
import { type Fact, line, missing, weigh } from "../weigh.ts";

const MAX_IDLE_DAYS = 90;

export const meta: CheckMeta = {
  check_id: "node_pairing_controlled",
  title: "Paired devices are few, in use, and let in by a person",
  iso27001: ["A.5.16", "A.5.18", "A.8.1"],
  nist_csf: ["PR.AA-01", "ID.AM-01"],
  nist_800_53: ["IA-3", "AC-2", "AC-17"],
  cis: ["1.1", "6.2"],
  mapping_confidence: "medium",
  default_risk: "high",
  expected_state: `No network is paired without a question, no command that OpenClaw calls dangerous is allowed on nodes, and every paired device was seen in the last ${MAX_IDLE_DAYS} days.`,
  mitigation:
    "Look at `openclaw devices list`, and revoke what nobody needs; unset gateway.nodes.pairing.autoApproveCidrs",
  owner: "Platform Security",
  uses: ["config", "devices"],
  status_rules: {
    compliant: "Devices are paired, each of them in use, and nothing is let in without a question.",
    partial: `Requests wait, or a device was not seen for ${MAX_IDLE_DAYS} days.`,
    violation: "Devices of a whole network are let in without a question, or a dangerous command is allowed on nodes.",
    not_assessed: "The config or OpenClaw's record of devices cannot be read.",
    not_applicable: "No device is paired and none waits.",
  },
  needs: [],
};

/** Commands that OpenClaw 2026.9.6 calls dangerous on nodes, and running programs there. */
const DANGEROUS: ReadonlySet<string> = new Set(
  "camera.snap camera.clip camera.ptz.control screen.record contacts.add calendar.add reminders.add health.summary sms.send sms.search system.run system.run.prepare".split(
    " ",
  ),
);
const MAX_NAMED = 5;

export function check({ config, devices }: AssessEvidence): CheckResult {
  const seen = devices.kind === "measured" ? textOf(devices.value) : "";
  const nodes = config.kind === "measured" ? config.value.surface.nodes : null;
  const setting = `autoApproveCidrs: ${namesOf(nodes?.auto_approve_cidrs)}; commands allowed: ${namesOf(nodes?.allow_commands)}`;
  return weigh(
    [
      ...(config.kind === "measured" ? configFacts(config.value, setting) : [missing(config)]),
      ...(devices.kind === "measured"
        ? deviceFacts(devices.value, epochFromIso(devices.at), seen)
        : [missing(devices)]),
    ],
    [line(config, setting), line(devices, seen)],
  );
}

/** What is set up well says nothing where nobody is paired, so that alone is no reason to be compliant. */
function configFacts({ surface: { nodes } }: OpenClawConfig, seen: string): readonly Fact[] {
  const found: Fact[] = [];
  if (nodes.auto_approve_cidrs.length > 0) {
    found.push({
      kind: "violation",
      seen,
      gap: `devices of ${nodes.auto_approve_cidrs.join(", ")} are paired without a question`,
      fix: "Run `openclaw config unset gateway.nodes.pairing.autoApproveCidrs`",
    });
  }
  const denied = new Set(nodes.deny_commands);
  const allowed = nodes.allow_commands.filter(
    (command) => (DANGEROUS.has(command) || command.includes("*")) && !denied.has(command),
  );
  if (allowed.length > 0) {
    found.push({
      kind: "violation",
      seen,
      gap: `dangerous commands are allowed on nodes: ${allowed.join(", ")}`,
      fix: "Take them out of gateway.nodes.commands.allow",
    });
  }
  return found;
}

function deviceFacts({ paired, pending }: PairedDevices, readAt: number | null, seen: string): readonly Fact[] {
  if (paired.length === 0 && pending === 0) return [{ kind: "no-object", seen }];
  const found: Fact[] = [{ kind: "good", seen }];
  const idle = paired.filter((device) => {
    const last = epochFromIso(device.last_seen_at ?? device.approved_at);
    return last === null || readAt === null || readAt - last > MAX_IDLE_DAYS * DAY_MS;
  });
  if (idle.length > 0) {
    const shown = idle.slice(0, MAX_NAMED).map((device) => device.name);
    found.push({
      kind: "partial",
      seen,
      gap: `not seen for ${MAX_IDLE_DAYS} days: ${shown.join(", ")}${idle.length > MAX_NAMED ? ", ..." : ""}`,
      fix: "Revoke them with `openclaw devices revoke`",
      risk: "medium",
    });
  }
  if (pending > 0) {
    found.push({
      kind: "partial",
      seen,
      gap: `${plural(pending, "device")} wait${pending === 1 ? "s" : ""} for an answer`,
      fix: "Answer them with `openclaw devices approve` or `reject`",
      risk: "low",
    });
  }
  return found;
}

function textOf({ paired, pending }: PairedDevices): string {
  const shown = paired
    .slice(0, MAX_NAMED)
    .map(({ name, role, approved_via: via }) => `${name} (${role}${via === null ? "" : `, by ${via}`})`);
  return paired.length === 0 && pending === 0
    ? "no device is paired"
    : `${plural(paired.length, "device")} paired${shown.length === 0 ? "" : `: ${shown.join(", ")}`}; ${pending} waiting`;
}

function namesOf(names: readonly string[] | undefined): string {
  return names === undefined || names.length === 0 ? "none" : names.join(", ");
}
