import { type AssessedCheck, type CheckStatus, STATUSES } from "../assess/assessment.ts";
import { RISKS, type Risk } from "../core/risk.ts";
import { renderStatus } from "./badge.ts";
import { html, type Html } from "./html.ts";
import { formatCount, RISK_LABEL } from "./wording.ts";

/**
 * Checks counted by status and risk. Counts come from the rows shown below it, not from the stored
 * totals, so that the table and the list can never disagree.
 */
export function renderRiskMatrix(checks: readonly AssessedCheck[]): Html {
  const rows = STATUSES.map((status) => {
    const ofStatus = checks.filter((check) => check.status === status);
    const cells = RISKS.map((risk) => renderCell(status, risk, ofStatus.filter((check) => check.risk === risk).length));
    return html`<tr>
      <th scope="row">${renderStatus(status)}</th>
      ${cells}
      <td class="sum">${formatCount(ofStatus.length)}</td>
    </tr>`;
  });
  const heads = RISKS.map((risk) => html`<th scope="col">${RISK_LABEL[risk]}</th>`);
  const sums = RISKS.map(
    (risk) => html`<td class="sum">${formatCount(checks.filter((check) => check.risk === risk).length)}</td>`,
  );
  return html`<table class="matrix" id="matrix">
    <caption>
      Number of checks by status and risk
    </caption>
    <thead>
      <tr>
        <th scope="col">Status</th>
        ${heads}
        <th scope="col">All</th>
      </tr>
    </thead>
    <tbody>
      ${rows}
    </tbody>
    <tfoot>
      <tr>
        <th scope="row">All</th>
        ${sums}
        <td class="sum">${formatCount(checks.length)}</td>
      </tr>
    </tfoot>
  </table>`;
}

/** The script turns a filled cell into a button that filters the list; without it the number stands alone. */
function renderCell(status: CheckStatus, risk: Risk, count: number): Html {
  if (count === 0) return html`<td class="none">0</td>`;
  const shade = status === "violation" || status === "partial" ? html` class="gap r-${risk}"` : null;
  return html`<td${shade} data-pick-status="${status}" data-pick-risk="${risk}">${formatCount(count)}</td>`;
}
