import { plural } from "../../core/text.ts";
import type { InstalledExtensions } from "../../core/setup-evidence.ts";
import type { OpenClawConfig } from "../../schema/openclaw-config.ts";
import type { CheckMeta, CheckResult } from "../assessment.ts";
import type { AssessEvidence } from "../evidence.ts";
import { type Fact, line, missing, weigh } from "../weigh.ts";

export const meta: CheckMeta = {
  check_id: "plugin_supply_chain",
  title: "Plugins and skills are listed, pinned and known",
  iso27001: ["A.5.21", "A.8.19", "A.8.7"],
  nist_csf: ["ID.RA-09", "PR.PS-05", "GV.SC-07"],
  nist_800_53: ["CM-11", "CM-14", "SR-4", "SI-7"],
  cis: ["2.5", "2.6", "16.5"],
  mapping_confidence: "high",
  default_risk: "high",
  expected_state:
    "plugins.allow names what may run; each plugin and skill that did not come with OpenClaw has a record of where it came from, an exact version and a checksum, and its code was scanned.",
  mitigation:
    "Set plugins.allow, install exact versions, and look through what has no record; `openclaw security audit --deep` scans the code",
  owner: "Security Engineering",
  uses: ["config", "extensions"],
  status_rules: {
    partial: "There is no list of plugins, a version is not pinned, a checksum is missing, or a folder has no record.",
    violation: "OpenClaw's registry blocked what is installed, or wants it reviewed.",
    not_assessed: "What is installed cannot be read, or it is in order and its code was not scanned.",
    not_applicable: "Nothing but what came with OpenClaw is installed.",
  },
  needs: ["code-scan"],
};

const MAX_NAMED = 5;

export function check({ config, extensions }: AssessEvidence): CheckResult {
  const seen = extensions.kind === "measured" ? textOf(extensions.value) : "";
  const allow = config.kind === "measured" ? (config.value.plugins.allow?.join(", ") ?? "no list") : "";
  const evidence = [line(extensions, seen), line(config, `plugins.allow: ${allow}`)];
  if (extensions.kind === "unmeasured") return weigh([missing(extensions)], evidence);
  if (config.kind === "unmeasured")
    return weigh([...extensionFacts(extensions.value, seen), missing(config)], evidence);
  if (isEmpty(extensions.value) && config.value.plugins.load_paths.length === 0) {
    return weigh([{ kind: "no-object", seen }], evidence);
  }
  return weigh(
    [
      ...extensionFacts(extensions.value, seen),
      ...listFacts(config.value, seen),
      { kind: "unbuilt", part: "code-scan" },
    ],
    evidence,
  );
}

function isEmpty({ plugins, unrecorded, skills }: InstalledExtensions): boolean {
  return plugins.length === 0 && unrecorded.length === 0 && skills.length === 0;
}

function extensionFacts({ plugins, unrecorded }: InstalledExtensions, seen: string): readonly Fact[] {
  const found: Fact[] = [];
  const bad = plugins.filter(({ verdict }) => verdict === "blocked" || verdict === "review-required");
  if (bad.length > 0) {
    found.push({
      kind: "violation",
      seen,
      gap: `OpenClaw's registry warns of ${names(bad.map(({ id, verdict }) => `${id} (${verdict ?? ""})`))}`,
      fix: "Remove it with `openclaw plugins uninstall`",
    });
  }
  const loose = plugins.filter(({ is_pinned: isPinned }) => isPinned === false);
  if (loose.length > 0) {
    found.push({
      kind: "partial",
      seen,
      gap: `no exact version: ${names(loose.map(({ id, spec }) => `${id} (${spec ?? "no spec"})`))}`,
      fix: "Install an exact version",
      risk: "medium",
    });
  }
  const unchecked = plugins.filter(({ has_integrity: has, is_pinned: isPinned }) => !has && isPinned !== null);
  if (unchecked.length > 0) {
    found.push({
      kind: "partial",
      seen,
      gap: `no checksum on record: ${names(unchecked.map(({ id }) => id))}`,
      fix: "Install it again with a current OpenClaw",
      risk: "medium",
    });
  }
  if (unrecorded.length > 0) {
    found.push({
      kind: "partial",
      seen,
      gap: `no record says where these came from: ${names(unrecorded)}`,
      fix: "Look through them, and remove or reinstall them",
    });
  }
  return found;
}

function listFacts({ plugins }: OpenClawConfig, seen: string): readonly Fact[] {
  if (plugins.allow === null) {
    return [
      {
        kind: "partial",
        seen,
        gap: "no list says which plugins may run (plugins.allow)",
        fix: "Set plugins.allow to the ids that are needed",
        risk: "medium",
      },
    ];
  }
  return [{ kind: "good", seen }];
}

function names(all: readonly string[]): string {
  return all.slice(0, MAX_NAMED).join(", ") + (all.length > MAX_NAMED ? ` and ${all.length - MAX_NAMED} more` : "");
}

function textOf(found: InstalledExtensions): string {
  if (isEmpty(found)) return "nothing but what came with OpenClaw is installed";
  const { plugins, unrecorded, skills } = found;
  return `${plural(plugins.length, "plugin")} installed${plugins.length === 0 ? "" : ` (${names(plugins.map(({ id, source }) => `${id} from ${source}`))})`}, ${plural(skills.length, "skill")}${skills.length === 0 ? "" : ` (${names(skills)})`}, ${plural(unrecorded.length, "folder")} without a record`;
}
