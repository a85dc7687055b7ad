import type { FormatInput } from "./format-input.ts";
import { renderJunit } from "./junit.ts";
import { renderMarkdown } from "./markdown.ts";
import { renderOcsf } from "./ocsf.ts";
import { renderOscal } from "./oscal.ts";
import { renderSarif } from "./sarif.ts";

export type Format = "sarif" | "ocsf" | "oscal" | "junit" | "md";
export type FormatFile =
  | "openclaw-assessment.sarif"
  | "openclaw-assessment.ocsf.ndjson"
  | "openclaw-assessment.oscal.json"
  | "openclaw-assessment.junit.xml"
  | "openclaw-assessment.md";

interface FormatRow {
  readonly file: FormatFile;
  readonly render: (input: FormatInput) => string;
}

/** The formats that are written on request, beside the reports that always are. */
export const FORMATS: Readonly<Record<Format, FormatRow>> = {
  sarif: { file: "openclaw-assessment.sarif", render: renderSarif },
  ocsf: { file: "openclaw-assessment.ocsf.ndjson", render: renderOcsf },
  oscal: { file: "openclaw-assessment.oscal.json", render: renderOscal },
  junit: { file: "openclaw-assessment.junit.xml", render: renderJunit },
  md: { file: "openclaw-assessment.md", render: renderMarkdown },
};
