import { CHANGE_KINDS } from "../core/change-kind.ts";
import { type TObject, type TSchema, Type } from "@sinclair/typebox";

/**
 * openclaw-assessment.json as others may rely on it. Published as
 * references/schemas/openclaw-assessment.schema.json, which a test keeps equal to this.
 */
const closed = { additionalProperties: false } as const;
const text = Type.String();
const time = Type.String({ pattern: "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$" });
const date = Type.String({ pattern: "^[0-9]{4}-[0-9]{2}-[0-9]{2}$" });
const count = Type.Integer({ minimum: 0 });
const share = Type.Number({ minimum: 0, maximum: 1 });
const ids = Type.Array(Type.String({ minLength: 1 }));
const orNull = <T extends TSchema>(type: T) => Type.Union([type, Type.Null()]);
const oneOf = (...words: readonly string[]) => Type.Union(words.map((word) => Type.Literal(word)));
const points = orNull(Type.Integer({ minimum: 0, maximum: 100 }));

const status = oneOf("violation", "partial", "not_assessed", "compliant", "not_applicable");
const risk = oneOf("critical", "high", "medium", "low");
const checkId = Type.String({ pattern: "^[a-z0-9_]{1,80}$" });

const WAIVER = Type.Object(
  {
    id: text,
    state: oneOf("active", "expired", "unconfirmed"),
    reason: text,
    owner: text,
    approver: text,
    expires: date,
    ticket: Type.Optional(text),
  },
  closed,
);
const CHECK = Type.Object(
  {
    check_id: checkId,
    title: text,
    status,
    risk,
    iso27001: ids,
    nist_csf: ids,
    nist_800_53: ids,
    cis: ids,
    mapping_confidence: oneOf("high", "medium", "low"),
    observed_state: text,
    expected_state: text,
    evidence: Type.Array(Type.Object({ source: text, at: time, detail: text }, closed)),
    gap: text,
    mitigation: text,
    owner: text,
    first_seen: orNull(time),
    due_date: orNull(date),
    overdue: Type.Boolean(),
    reopened: count,
    last_changed: time,
    waiver: Type.Optional(WAIVER),
  },
  closed,
);
const CHANGE = Type.Object(
  {
    kind: oneOf(...CHANGE_KINDS),
    check_id: checkId,
    status_before: orNull(status),
    status,
    risk_before: orNull(risk),
    risk,
    first_seen: orNull(time),
    due_date: orNull(date),
  },
  closed,
);
const TREND_POINT = Type.Object(
  { run_id: text, at: time, points, coverage: share, open: count, waived: count, not_assessed: count },
  closed,
);
const SCORE = Type.Object(
  {
    points,
    points_without_waivers: points,
    grade: orNull(oneOf("A", "B", "C", "D", "F")),
    coverage: share,
    waived: count,
    is_capped: Type.Boolean(),
  },
  closed,
);
const HOST = Type.Object(
  {
    hostname: text,
    platform: text,
    kernel: text,
    user: text,
    uid: orNull(count),
    state_dir: text,
    config_path: text,
    openclaw_version: orNull(text),
  },
  closed,
);
const TOTALS = Type.Object(
  {
    by_status: Type.Object(
      { violation: count, partial: count, not_assessed: count, compliant: count, not_applicable: count },
      closed,
    ),
    open_by_risk: Type.Object({ critical: count, high: count, medium: count, low: count }, closed),
    applicable: count,
    assessed: count,
    coverage: share,
    overdue: count,
  },
  closed,
);

export const ASSESSMENT_SCHEMA: TObject = Type.Object(
  {
    schemaVersion: Type.Literal(1),
    tool: Type.Object({ name: Type.Literal("cyber-security-engineer"), version: text }, closed),
    run_id: text,
    assessed_at: time,
    duration_ms: count,
    host: HOST,
    totals: TOTALS,
    score: SCORE,
    checks: Type.Array(CHECK),
    changes: Type.Array(CHANGE),
    trend: Type.Array(TREND_POINT),
    limits: Type.Array(text),
  },
  {
    ...closed,
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "openclaw-assessment.json of cyber-security-engineer",
    description:
      "One assessment of one host. A status of not_assessed is never a pass. Identifiers of standards name controls that the evidence is relevant to.",
  },
);
