import type { InstalledSudo } from "../core/posture-facts.ts";

export interface SudoFlaw {
  readonly id: string;
  readonly flavour: InstalledSudo["flavour"];
  /** First and last affected version. */
  readonly from: string;
  readonly through: string;
  /** `root`: can give root to an account without a password. `rules`: reaches further only where certain rules are in use. */
  readonly reach: "root" | "rules";
  readonly gives: string;
}

/** By the numbers in the CVE records and the projects' own release notes; a newer flaw is not in here. */
const SUDO_FLAWS: readonly SudoFlaw[] = (
  [
    ["CVE-2017-1000367", "sudo", "0", "1.8.20", "rules", "a user with a rule gets root on systems with SELinux"],
    ["CVE-2019-14287", "sudo", "0", "1.8.27", "rules", "a rule for every user but root gives root too"],
    ["CVE-2019-18634", "sudo", "1.7.1", "1.8.30", "root", "any user gets root where pwfeedback is set"],
    ["CVE-2021-3156", "sudo", "1.8.2", "1.8.31p2", "root", "any user gets root"],
    ["CVE-2021-3156", "sudo", "1.9.0", "1.9.5p1", "root", "any user gets root"],
    ["CVE-2023-22809", "sudo", "1.8.0", "1.9.12p1", "rules", "a rule to edit one file lets other files be edited"],
    ["CVE-2025-32462", "sudo", "1.8.8", "1.9.17", "root", "rules for other hosts, which are not listed, hold here"],
    ["CVE-2025-32463", "sudo", "1.9.14", "1.9.17", "root", "any user gets root"],
    ["CVE-2026-35535", "sudo", "0", "1.9.17p2", "root", "a failed drop of rights before mail is sent can give root"],
    ["CVE-2026-96512", "sudo", "1.8.20", "1.9.17p2", "rules", "time limits of rules written without Z can be shifted"],
    ["CVE-2023-42456", "sudo-rs", "0", "0.2.0", "rules", "the record of a typed password can be made for others"],
    ["CVE-2025-64517", "sudo-rs", "0.2.5", "0.2.9", "rules", "a typed password counts for other target users"],
  ] as const
).map(([id, flavour, from, through, reach, gives]) => ({ id, flavour, from, through, reach, gives }));

/** Flaws of this version that its package does not name as fixed; null when the version was not understood. */
export function openFlaws(sudo: InstalledSudo): readonly SudoFlaw[] | null {
  const version = parseVersion(sudo.version);
  if (version === null) return null;
  return SUDO_FLAWS.filter(
    ({ id, flavour, from, through }) =>
      flavour === sudo.flavour &&
      !sudo.fixed.includes(id) &&
      compare(version, known(from)) >= 0 &&
      compare(version, known(through)) <= 0,
  );
}

/** "1.9.13p3" is 1, 9, 13, 3. A beta comes before its release. */
function parseVersion(text: string): readonly number[] | null {
  const match = /^(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:(p|b|rc)(\d+))?$/.exec(text);
  if (match === null) return null;
  const [, major, minor, patch, kind, level] = match;
  const last = kind === "p" ? Number(level) : kind === undefined ? 0 : -1;
  return [Number(major), Number(minor ?? 0), Number(patch ?? 0), last];
}

function known(text: string): readonly number[] {
  return parseVersion(text) ?? [];
}

function compare(a: readonly number[], b: readonly number[]): number {
  for (const [index, part] of a.entries()) {
    const difference = part - (b[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
