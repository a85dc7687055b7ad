import type { AssessedCheck, EvidenceLine } from "../assess/assessment.ts";
import type { CheckWaiver } from "../assess/over-time.ts";
import { renderRisk, renderStatus } from "./badge.ts";
import { isWaived } from "../assess/totals.ts";
import { html, type Html, prose } from "./html.ts";
import { isGap } from "./order.ts";
import { DATA_FILE, describeDue, formatCount, formatTime } from "./wording.ts";

const MAX_EVIDENCE_LINES = 12;

/** One check as a disclosure: its result in the summary, the proof inside. */
export function renderCheck(check: AssessedCheck): Html {
  return html`<details
    class="check"
    id="check-${check.check_id}"
    data-item
    data-status="${check.status}"
    data-risk="${check.risk}"
  >
    <summary>
      ${renderStatus(check.status)}<span class="what"
        ><h3>${check.title}</h3>
        <code class="id">${check.check_id}</code></span
      ><span class="tags"
        >${isWaived(check) ? html`<span class="due">Waived</span>` : renderDue(check)}${renderRisk(check.risk, isGap(check.status))}</span
      >
    </summary>
    <div class="body">
      <div class="pair">
        <div>
          <h4>Observed</h4>
          <p>${prose(check.observed_state)}</p>
        </div>
        <div>
          <h4>Expected</h4>
          <p>${prose(check.expected_state)}</p>
        </div>
      </div>
      ${renderGap(check)}
      <h4>Evidence</h4>
      ${renderEvidence(check.evidence)}
      <div class="pair">
        <div>
          <h4>Ownership</h4>
          ${renderOwnership(check)}
        </div>
        <div>
          <h4>Evidence relevant to</h4>
          ${renderStandards(check)}
        </div>
      </div>
    </div>
  </details> `;
}

/** "Overdue" carries its own mark because colour alone would not reach everybody. */
export function renderDue(check: AssessedCheck): Html | null {
  const due = describeDue(check);
  if (due === null) return null;
  return check.overdue ? html`<strong class="overdue">${due}</strong>` : html`<span class="due">${due}</span>`;
}

function renderGap(check: AssessedCheck): Html | null {
  const isUnknown = check.status === "not_assessed";
  if (!isUnknown && !isGap(check.status)) return null;
  const advice =
    check.mitigation === ""
      ? null
      : html`<div class="do">
          <h4>${isUnknown ? "How to find out" : "What to do"}</h4>
          <p>${prose(check.mitigation)}</p>
        </div>`;
  return html`<div class="pair">
    <div class="gap-note s-${check.status}">
      <h4>${isUnknown ? "Why it could not be measured" : "Gap"}</h4>
      <p>${prose(check.gap)}</p>
    </div>
    ${advice}
  </div>`;
}

function renderEvidence(lines: readonly EvidenceLine[]): Html {
  if (lines.length === 0) return html`<p class="muted">No source could be consulted.</p>`;
  const shown = lines.slice(0, MAX_EVIDENCE_LINES).map(
    (line) =>
      html`<li>
        <p class="source"><code>${line.source}</code> ${renderTime(line.at)}</p>
        <p>${line.detail}</p>
      </li>`,
  );
  const left = lines.length - shown.length;
  const more =
    left === 0
      ? null
      : html`<p class="muted">
          ${formatCount(left)} more evidence lines are in <code>${DATA_FILE.assessment}</code>.
        </p>`;
  return html`<ul class="evidence">
      ${shown}
    </ul>
    ${more}`;
}

function renderOwnership(check: AssessedCheck): Html {
  return html`<dl class="rows">
    <div>
      <dt>Owner</dt>
      <dd>${check.owner}</dd>
    </div>
    ${
      check.first_seen === null
        ? null
        : html`<div>
            <dt>First seen</dt>
            <dd>${renderTime(check.first_seen)}</dd>
          </div>`
    }${
      check.due_date === null
        ? null
        : html`<div>
            <dt>Due</dt>
            <dd>${check.due_date}${check.overdue ? ", overdue" : null}</dd>
          </div>`
    }${check.waiver === undefined ? null : renderWaiver(check.waiver)}
  </dl>`;
}

const WAIVER_STATE: Readonly<Record<CheckWaiver["state"], string>> = {
  active: "in force until",
  expired: "over since",
  unconfirmed: "without effect, nobody confirmed it; until",
};

function renderWaiver({ id, state, reason, owner, approver, expires }: CheckWaiver): Html {
  return html`<div>
    <dt>Waiver</dt>
    <dd><code>${id}</code> ${WAIVER_STATE[state]} ${expires}: ${reason} Owner ${owner}, approved by ${approver}.</dd>
  </div>`;
}

function renderStandards(check: AssessedCheck): Html {
  const rows = [
    ["ISO/IEC 27001:2022", check.iso27001],
    ["NIST CSF 2.0", check.nist_csf],
    ["NIST SP 800-53 r5", check.nist_800_53],
    ["CIS Controls 8.1", check.cis],
  ] as const;
  const shown = rows
    .filter(([, ids]) => ids.length > 0)
    .map(
      ([name, ids]) =>
        html`<div>
          <dt>${name}</dt>
          <dd>${ids.join(", ")}</dd>
        </div>`,
    );
  const doubt =
    check.mapping_confidence === "low"
      ? html`<p class="muted">Low confidence: no control in these catalogues names this subject directly.</p>`
      : null;
  return html`<dl class="rows">${shown}</dl>
    ${doubt}`;
}

export function renderTime(iso: string): Html {
  return html`<time datetime="${iso}">${formatTime(iso)}</time>`;
}
