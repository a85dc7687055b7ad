import type { Connection, EgressReport, Listener, NetworkFinding, PortReport, ProcessFacts } from "../core/network.ts";
import { clip, plural } from "../core/text.ts";
import { APPROVAL_LABEL, reviewConnections, reviewListeners, type Reviewed } from "./approval.ts";
import { renderRisk } from "./badge.ts";
import { renderTime } from "./dashboard-check.ts";
import { html, type Html, prose } from "./html.ts";
import { type FindingGroup, groupFindings } from "./order.ts";
import {
  CATEGORY_LABEL,
  DATA_FILE,
  FINDING_LABEL,
  formatCount,
  formatEndpoint,
  formatProgram,
  SCOPE_LABEL,
} from "./wording.ts";

/** What one table shows at most; the rest is counted and lies in the JSON file. */
const MAX_ROWS = 200;
const MAX_GROUPS = 40;
const MAX_TARGETS = 12;
const MAX_NOTES = 20;
/** Process names and paths are chosen by others; one cell never takes more than this. */
const MAX_CELL_CHARS = 200;

export function renderListeners(report: PortReport | null): Html {
  if (report === null) {
    return html`<section aria-labelledby="listeners">
      <h3 id="listeners">Listening services</h3>
      <p class="notice">The listening sockets could not be measured, so nothing is known about them.</p>
    </section>`;
  }
  const rows = reviewListeners(report);
  const table = html`<table class="rows-table listeners">
    <caption>
      ${caption(rows.length, "listening socket", DATA_FILE.ports)}
    </caption>
    <thead>
      <tr>
        <th scope="col">Address</th>
        <th scope="col">Reachable from</th>
        <th scope="col">Program</th>
        <th scope="col">Runs as</th>
        <th scope="col">Approved</th>
      </tr>
    </thead>
    <tbody>
      ${rows.slice(0, MAX_ROWS).map(renderListenerRow)}
    </tbody>
  </table>`;
  return html`<section aria-labelledby="listeners">
    <h3 id="listeners">Listening services</h3>
    ${renderBasis(report, "baseline", report.approved_file, report.approved_rules)}
    ${renderFindings(report.findings, DATA_FILE.ports)} ${renderNotes(report)}
    ${rows.length === 0 ? html`<p class="muted">No listening socket was seen.</p>` : table}
  </section>`;
}

export function renderConnections(report: EgressReport | null): Html {
  if (report === null) {
    return html`<section aria-labelledby="connections">
      <h3 id="connections">Outbound connections</h3>
      <p class="notice">The connections could not be measured, so nothing is known about them.</p>
    </section>`;
  }
  const rows = reviewConnections(report);
  const table = html`<table class="rows-table connections">
    <caption>
      ${caption(rows.length, "connection", DATA_FILE.egress)}
    </caption>
    <thead>
      <tr>
        <th scope="col">Remote end</th>
        <th scope="col">Where</th>
        <th scope="col">State</th>
        <th scope="col">Program</th>
        <th scope="col">Runs as</th>
        <th scope="col">Approved</th>
      </tr>
    </thead>
    <tbody>
      ${rows.slice(0, MAX_ROWS).map(renderConnectionRow)}
    </tbody>
  </table>`;
  return html`<section aria-labelledby="connections">
    <h3 id="connections">Outbound connections</h3>
    ${renderBasis(report, "allowlist", report.allowlist_file, report.allowlist_rules)}
    ${renderFindings(report.findings, DATA_FILE.egress)} ${renderNotes(report)}
    ${rows.length === 0 ? html`<p class="muted">No connection was open at that moment.</p>` : table}
  </section>`;
}

function caption(count: number, noun: string, file: string): Html {
  if (count <= MAX_ROWS) return html`${plural(count, noun)}, unapproved first`;
  return html`The first ${MAX_ROWS} of ${formatCount(count)} ${noun}s, unapproved first;
    ${formatCount(count - MAX_ROWS)} more are in <code>${file}</code>`;
}

function renderListenerRow({ socket, approval }: Reviewed<Listener>): Html {
  const owners = socket.owners > 1 ? html` <span class="muted">×&nbsp;${formatCount(socket.owners)}</span>` : null;
  return html`<tr data-item data-status="${approval}">
    <th scope="row">
      <span class="proto">${socket.protocol}</span> ${cell(formatEndpoint(socket.address, socket.port, socket.device))}
    </th>
    <td>${SCOPE_LABEL[socket.scope]}</td>
    <td>${renderProgram(socket)}${owners}</td>
    <td>${renderAccount(socket)}</td>
    <td class="a-${approval}">${APPROVAL_LABEL[approval]}</td>
  </tr> `;
}

function renderConnectionRow({ socket, approval }: Reviewed<Connection>): Html {
  const host = socket.remote_host === null ? null : html` <span class="muted">${cell(socket.remote_host)}</span>`;
  return html`<tr data-item data-status="${approval}">
    <th scope="row">
      <span class="proto">${socket.protocol}</span> ${cell(formatEndpoint(socket.remote_ip, socket.remote_port))}${host}
    </th>
    <td>${CATEGORY_LABEL[socket.category]}, ${socket.direction}</td>
    <td>${cell(socket.state.toLowerCase().replaceAll("_", " "))}</td>
    <td>${renderProgram(socket)}</td>
    <td>${renderAccount(socket)}</td>
    <td class="a-${approval}">${APPROVAL_LABEL[approval]}</td>
  </tr> `;
}

function renderProgram(process: ProcessFacts): Html {
  const reason =
    process.exe === null && process.unknown_reason !== null
      ? html` <span class="muted">${cell(process.unknown_reason)}</span>`
      : null;
  return html`${cell(formatProgram(process))}${reason}`;
}

function renderAccount(process: ProcessFacts): Html {
  const user = process.user ?? (process.uid === null ? "unknown" : `uid ${process.uid}`);
  const place = process.container ?? process.unit;
  return html`${cell(user)}${place === null ? null : html` <span class="muted">${cell(place)}</span>`}`;
}

function cell(text: string): string {
  return clip(text, MAX_CELL_CHARS);
}

function renderBasis(
  report: PortReport | EgressReport,
  kind: "baseline" | "allowlist",
  file: string | null,
  rules: number,
): Html {
  const rulebook =
    file === null
      ? html`There is no ${kind}, so nothing counts as approved.`
      : html`Compared with ${plural(rules, "rule")} in <code>${file}</code>.`;
  return html`<p class="muted">
      Taken ${renderTime(report.collected_at)} from <code>${report.collector}</code>. ${rulebook}
    </p>
    ${renderIncomplete(report)}`;
}

function renderIncomplete(report: PortReport | EgressReport): Html | null {
  if (report.complete && report.status === "ok") return null;
  const hidden =
    report.unresolved + report.denied === 0
      ? "The reasons are listed under “Not measured”."
      : `${plural(report.unresolved, "socket")} without a known owner, ${plural(report.denied, "process", "processes")} that could not be looked into. Run as root to see them.`;
  return html`<p class="notice"><strong>Incomplete.</strong> ${hidden}</p>`;
}

function renderFindings(findings: readonly NetworkFinding[], file: string): Html {
  if (findings.length === 0) return html`<p>No finding.</p>`;
  const groups = groupFindings(findings);
  const left = groups.slice(MAX_GROUPS).reduce((sum, group) => sum + group.members.length, 0);
  const more =
    left === 0 ? null : html`<p class="muted">${plural(left, "more finding")}: see <code>${file}</code>.</p>`;
  return html`<ul class="findings">
      ${groups.slice(0, MAX_GROUPS).map((group) => renderGroup(group, file))}
    </ul>
    ${more}`;
}

function renderGroup({ first, members }: FindingGroup, file: string): Html {
  const title =
    members.length === 1 ? first.title : `${formatCount(members.length)} times: ${FINDING_LABEL[first.type]}`;
  const places = members.slice(0, MAX_TARGETS).map((finding) => html`<li>${finding.evidence}</li>`);
  const left = members.length - places.length;
  const more = left === 0 ? null : html`<li class="muted">and ${formatCount(left)} more in <code>${file}</code></li>`;
  return html`<li>
    <p class="finding-title">${renderRisk(first.risk)}<strong>${title}</strong></p>
    <p>${prose(first.why)}</p>
    <p><b>Do:</b> ${prose(first.mitigation)}</p>
    <ul class="targets">
      ${places}${more}
    </ul>
  </li> `;
}

function renderNotes(report: PortReport | EgressReport): Html | null {
  if (report.rule_notes.length === 0) return null;
  const notes = report.rule_notes
    .slice(0, MAX_NOTES)
    .map((note) => html`<li>Rule ${note.rule}: ${cell(note.message)}</li>`);
  const left = report.rule_notes.length - notes.length;
  const more = left === 0 ? null : html`<li>and ${plural(left, "more note")}</li>`;
  return html`<h4>Rules that want attention</h4>
    <ul class="plain">
      ${notes}${more}
    </ul>`;
}
