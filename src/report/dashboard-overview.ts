import { type Assessment, type AssessedCheck, STATUSES } from "../assess/assessment.ts";
import { isWaived } from "../assess/totals.ts";
import { plural } from "../core/text.ts";
import { renderRisk, renderStatus, renderStatusIcon } from "./badge.ts";
import { renderDue, renderTime } from "./dashboard-check.ts";
import { html, type Html, prose } from "./html.ts";
import { isGap } from "./order.ts";
import {
  choiceNotes,
  coveragePercent,
  describeChange,
  describeScore,
  describeVerdict,
  formatCount,
  STATUS_LABEL,
} from "./wording.ts";

const MAX_FIRST_STEPS = 5;

/** Verdict, coverage and counts: what a reader in a hurry sees. */
export function renderHeader(assessment: Assessment): Html {
  const { totals } = assessment;
  const verdict = describeVerdict(totals);
  const tiles = STATUSES.map(
    (status) =>
      html`<div>
        <dt>${renderStatusIcon(status)} ${STATUS_LABEL[status]}</dt>
        <dd>${formatCount(totals.by_status[status])}</dd>
      </div>`,
  );
  const late =
    totals.overdue === 0 ? null : html` <strong class="overdue">${plural(totals.overdue, "gap")} overdue.</strong>`;
  return html`<header>
    <p class="eyebrow">Security assessment</p>
    <h1>${assessment.host.hostname}</h1>
    <p class="verdict v-${verdict.tone}">${verdict.headline}</p>
    <p class="caveat">${verdict.caveat}${late}</p>
    <p class="muted">
      Assessed ${renderTime(assessment.assessed_at)}. Coverage ${coveragePercent(totals)}%:
      ${formatCount(totals.assessed)} of ${plural(totals.applicable, "applicable check")} measured.
    </p>
    <p class="muted">${describeScore(assessment.score)}</p>
    ${choiceNotes(assessment.limits).map((note) => html`<p class="caveat">${note}</p>`)}${renderStatusBar(assessment.checks)}
    <dl class="tiles">${tiles}</dl>
  </header>`;
}

/** The shares of each status as one bar; the tiles below it say the same in numbers. */
function renderStatusBar(checks: readonly AssessedCheck[]): Html {
  let x = 0;
  const parts = STATUSES.map((status) => {
    const width = checks.filter((check) => check.status === status).length;
    const part = width === 0 ? null : html`<rect class="b-${status}" x="${x}" y="0" width="${width}" height="1" />`;
    x += width;
    return part ?? html``;
  });
  return html`<svg class="bar" aria-hidden="true" viewBox="0 0 ${Math.max(1, x)} 1" preserveAspectRatio="none">
    ${parts}
  </svg>`;
}

/** The worst open gaps with their remedy; `checks` must be sorted worst first. */
export function renderFirstSteps(checks: readonly AssessedCheck[]): Html {
  const gaps = checks.filter((check) => isGap(check.status) && !isWaived(check));
  const steps = gaps.slice(0, MAX_FIRST_STEPS).map(
    (check) =>
      html`<li>
        <div>
          <h3><a href="#check-${check.check_id}">${check.title}</a></h3>
          <p>${prose(check.gap)}</p>
          <p><b>Do:</b> ${prose(check.mitigation)}</p>
        </div>
        <p class="meta">
          ${renderStatus(check.status)} ${renderRisk(check.risk)} ${renderDue(check)} <span>${check.owner}</span>
        </p>
      </li> `,
  );
  const left = gaps.length - steps.length;
  const more =
    left === 0
      ? null
      : html`<p class="muted">${plural(left, "more open gap")} below, under <a href="#checks">All checks</a>.</p>`;
  const body =
    steps.length === 0
      ? html`<p>No gap was found in what could be measured.</p>`
      : html`<ol class="steps">
            ${steps}
          </ol>
          ${more}`;
  return html`<section aria-labelledby="first">
    <h2 id="first">What to do first</h2>
    ${body}
  </section>`;
}

/** How this run differs from the one before it; nothing on a first run, where everything is new. */
export function renderNews({ changes, trend, checks }: Assessment): Html | null {
  if (changes.length === 0 || trend.length < 2) return null;
  const titles = new Map(checks.map((check) => [check.check_id, check.title]));
  const nameOf = (id: string): Html => {
    const title = titles.get(id);
    // A check that did not run this time has no place on this page.
    return title === undefined ? html`<code>${id}</code>` : html`<a href="#check-${id}">${title}</a>`;
  };
  const rows = changes.map(
    (change) =>
      html`<li>
        <b>${describeChange(change.kind)}:</b>
        ${nameOf(change.check_id)} ${renderRisk(change.risk, isGap(change.status))}
      </li>`,
  );
  return html`<section aria-labelledby="news">
    <h2 id="news">Changed since the last run</h2>
    <ul class="plain">
      ${rows}
    </ul>
  </section>`;
}

/** Which machine, account and version this is about. */
export function renderHost({ host, duration_ms }: Assessment): Html {
  const facts: readonly (readonly [string, string])[] = [
    ["System", host.platform],
    ["Kernel", host.kernel],
    ["Account", host.uid === null ? host.user : `${host.user} (uid ${host.uid})`],
    ["OpenClaw", host.openclaw_version ?? "not found"],
    ["Config", host.config_path],
    ["State", host.state_dir],
    ["Took", `${(duration_ms / 1000).toFixed(1)} s`],
  ];
  const rows = facts.map(
    ([name, value]) =>
      html`<div>
        <dt>${name}</dt>
        <dd>${value}</dd>
      </div>`,
  );
  return html`<section aria-labelledby="host">
    <h2 id="host">Host</h2>
    <dl class="rows">${rows}</dl>
  </section>`;
}
