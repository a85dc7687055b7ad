import { type Assessment, type AssessedCheck, STATUSES } from "../assess/assessment.ts";
import type { EgressReport, PortReport, ScanProblem } from "../core/network.ts";
import { plural } from "../core/text.ts";
import { RISKS } from "../core/risk.ts";
import { renderIconSprite } from "./badge.ts";
import { renderCheck } from "./dashboard-check.ts";
import { renderConnections, renderListeners } from "./dashboard-network.ts";
import { renderFirstSteps, renderHeader, renderHost, renderNews } from "./dashboard-overview.ts";
import { DASHBOARD_SCRIPT } from "./dashboard-script.ts";
import { DASHBOARD_STYLE } from "./dashboard-style.ts";
import { html, type Html, ownMarkup, prose } from "./html.ts";
import { worstFirst } from "./order.ts";
import { renderRiskMatrix } from "./risk-matrix.ts";
import { DATA_FILE, formatCount, formatTime, RISK_LABEL, STATUS_LABEL } from "./wording.ts";

const MAX_PROBLEMS = 30;

export interface DashboardInput {
  readonly assessment: Assessment;
  /** Null when the scan could not be made. */
  readonly ports: PortReport | null;
  readonly egress: EgressReport | null;
  /** Base64 of the SHA-256 of UTF-8 text; the page's policy admits its own style and script by it. */
  readonly sha256Base64: (text: string) => string;
}

/**
 * The whole report as one HTML file that asks for nothing: the policy admits exactly its one style
 * and one script, so markup that slipped in through evidence could neither run nor call home.
 * The same input gives the same bytes; the time shown is that of the assessment.
 */
export function renderDashboard(input: DashboardInput): string {
  const { assessment, sha256Base64 } = input;
  const checks = worstFirst(assessment.checks);
  const csp = [
    "default-src 'none'",
    `style-src 'sha256-${sha256Base64(DASHBOARD_STYLE)}'`,
    `script-src 'sha256-${sha256Base64(DASHBOARD_SCRIPT)}'`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="${ownMarkup(csp)}" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="referrer" content="no-referrer" />
        <title>Security assessment of ${assessment.host.hostname}, ${formatTime(assessment.assessed_at)}</title>
        ${ownMarkup(`<style>${DASHBOARD_STYLE}</style>`)}
      </head>
      <body>
        <a class="skip" href="#main">Skip to the result</a>
        ${renderIconSprite()} ${renderHeader(assessment)}
        <nav aria-label="Sections">
          <ul>
            <li><a href="#first">First steps</a></li>
            <li><a href="#risk">Risk matrix</a></li>
            <li><a href="#checks">Checks</a></li>
            <li><a href="#network">Network</a></li>
            <li><a href="#missing">Not measured</a></li>
            <li><a href="#limits">Limits</a></li>
          </ul>
        </nav>
        <main id="main" tabindex="-1">
          ${renderNews(assessment)} ${renderFirstSteps(checks)}
          <div class="split">
            <section aria-labelledby="risk">
              <h2 id="risk">Risk matrix</h2>
              ${renderRiskMatrix(checks)}
            </section>
            ${renderHost(assessment)}
          </div>
          <section aria-labelledby="checks">
            <h2 id="checks">All checks</h2>
            ${renderCheckFilter(checks.length)}
            <div id="check-list">${checks.map(renderCheck)}</div>
          </section>
          <section aria-labelledby="network">
            <h2 id="network">Network</h2>
            ${renderNetworkFilter()}
            <div id="socket-list">${renderListeners(input.ports)}${renderConnections(input.egress)}</div>
          </section>
          ${renderMissing(checks, input)} ${renderLimits(assessment)}
        </main>
        <footer>
          <p>
            Made by ${assessment.tool.name} ${assessment.tool.version}, run <code>${assessment.run_id}</code>. The full
            data is in <code>${DATA_FILE.assessment}</code>, <code>${DATA_FILE.ports}</code> and
            <code>${DATA_FILE.egress}</code> beside this page.
          </p>
        </footer>
        ${ownMarkup(`<script>${DASHBOARD_SCRIPT}</script>`)}
      </body>
    </html> `.text;
}

function renderCheckFilter(count: number): Html {
  const statuses = STATUSES.map((status) => html`<option value="${status}">${STATUS_LABEL[status]}</option>`);
  const risks = RISKS.map((risk) => html`<option value="${risk}">${RISK_LABEL[risk]}</option>`);
  return html`<form
    class="filter"
    role="search"
    aria-label="Filter the checks"
    data-filters="check-list"
    data-noun="checks"
    hidden
  >
    <label>Search<input type="search" name="text" autocomplete="off" spellcheck="false" /></label>
    <label
      >Status<select name="status">
        <option value="">Any status</option>
        ${statuses}
      </select></label
    >
    <label
      >Risk<select name="risk">
        <option value="">Any risk</option>
        ${risks}
      </select></label
    >
    <div class="buttons"><button type="reset">Show all</button><button type="button" data-toggle>Open all</button></div>
    <p class="count" role="status" data-count>${plural(count, "check")} shown</p>
  </form>`;
}

function renderNetworkFilter(): Html {
  return html`<form
    class="filter"
    role="search"
    aria-label="Filter the network tables"
    data-filters="socket-list"
    data-noun="rows"
    hidden
  >
    <label>Search<input type="search" name="text" autocomplete="off" spellcheck="false" /></label>
    <label
      >Approved<select name="status">
        <option value="">Any</option>
        <option value="no">No</option>
        <option value="unknown">Unknown</option>
        <option value="yes">Yes</option>
        <option value="none-needed">Not egress</option>
      </select></label
    >
    <div class="buttons"><button type="reset">Show all</button></div>
    <p class="count" role="status" data-count></p>
  </form>`;
}

function renderMissing(checks: readonly AssessedCheck[], { ports, egress }: DashboardInput): Html {
  const missing = checks.filter((check) => check.status === "not_assessed");
  const rows = missing.map(
    (check) =>
      html`<div>
        <dt><a href="#check-${check.check_id}">${check.title}</a></dt>
        <dd>${prose(check.gap)}</dd>
      </div>`,
  );
  const problems: readonly ScanProblem[] = [
    ...(ports === null ? [{ code: "ports", message: "The port scan gave no report." }] : ports.problems),
    ...(egress === null ? [{ code: "egress", message: "The egress scan gave no report." }] : egress.problems),
  ];
  // Both scans read the same sources, so they often met the same obstacle.
  const messages = [...new Set(problems.map((problem) => problem.message))];
  const left = messages.length - MAX_PROBLEMS;
  const list = html`<h3>Obstacles met by the scans</h3>
    <ul class="plain">
      ${messages.slice(0, MAX_PROBLEMS).map((message) => html`<li>${message}</li>`)}${left > 0 ? html`<li>and ${formatCount(left)} more in the JSON files</li>` : null}
    </ul>`;
  const checksPart =
    rows.length === 0 ? html`<p>Every applicable check was measured.</p>` : html`<dl class="reasons">${rows}</dl>`;
  return html`<section aria-labelledby="missing">
    <h2 id="missing">Not measured</h2>
    ${checksPart}${messages.length === 0 ? null : list}
  </section>`;
}

function renderLimits(assessment: Assessment): Html {
  const own = [
    "This page shows one moment. What started or stopped since is not in it.",
    "A compliant check means that its expected state was observed. It is evidence relevant to the standards named, not a certification against them.",
  ];
  const lines = [...assessment.limits, ...own].map((line) => html`<li>${prose(line)}</li>`);
  return html`<section aria-labelledby="limits">
    <h2 id="limits">Limits of this report</h2>
    <ul class="plain">
      ${lines}
    </ul>
  </section>`;
}
