import type { Assessment, AssessedCheck } from "../assess/assessment.ts";
import type { Change } from "../assess/over-time.ts";
import { clip } from "../core/text.ts";

/** What every format is made from. */
export interface FormatInput {
  readonly assessment: Assessment;
  /** What could not be looked at or kept. */
  readonly problems: readonly { readonly code: string; readonly message: string }[];
  /** The same UUID for the same name, so that two reports of one run are alike. */
  readonly uuidOf: (name: string) => string;
}

const MAX_CHARS = 2_000;

/** Text from outside for a format: visible, bounded, never empty, without space at its ends. */
export function plain(text: string, maxChars: number = MAX_CHARS): string {
  const safe = clip(text, maxChars).trim();
  return safe === "" ? "-" : safe;
}

/** What makes a gap the same one in each report of this host. */
export function fingerprint({ host }: Assessment, check: AssessedCheck): string {
  return `${plain(host.hostname, 255)}/${check.check_id}`;
}

/** How the check differs from the run before: null for not at all, undefined where there is none. */
export function changeOf({ changes, trend }: Assessment, check: AssessedCheck): Change | null | undefined {
  if (trend.length < 2) return undefined;
  return changes.find((change) => change.check_id === check.check_id) ?? null;
}

/** Catalogues by the name and version that the reports show. */
export const CATALOGUES = [
  { key: "iso27001", name: "ISO/IEC 27001", version: "2022", title: "ISO/IEC 27001:2022 Annex A" },
  { key: "nist_csf", name: "NIST CSF", version: "2.0", title: "NIST Cybersecurity Framework 2.0" },
  { key: "nist_800_53", name: "NIST SP 800-53", version: "5", title: "NIST SP 800-53 Revision 5" },
  { key: "cis", name: "CIS Controls", version: "8.1", title: "CIS Critical Security Controls v8.1" },
] as const;
