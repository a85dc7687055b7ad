import { type CheckStatus, STATUSES } from "../assess/assessment.ts";
import type { Risk } from "../core/risk.ts";
import { html, type Html, ownMarkup } from "./html.ts";
import { RISK_LABEL, STATUS_LABEL } from "./wording.ts";

/** One shape per status, so that colour is never the only sign. 16 x 16, drawn in the text colour. */
const SHAPE: Readonly<Record<CheckStatus, string>> = {
  violation: '<path d="M8 1.2 15.2 14H.8Z"/><path class="cut" d="M7.2 5.6h1.6v4.2H7.2zm0 5.2h1.6v1.6H7.2z"/>',
  partial: '<circle cx="8" cy="8" r="6.2" class="ring"/><path d="M8 1.8a6.2 6.2 0 0 1 0 12.4z"/>',
  not_assessed:
    '<circle cx="8" cy="8" r="6.2" class="ring dash"/><path class="line" d="M6.2 6.4a1.9 1.9 0 1 1 2.7 1.8c-.6.3-.9.6-.9 1.3"/><circle cx="8" cy="11.6" r=".9"/>',
  compliant: '<circle cx="8" cy="8" r="7"/><path class="tick" d="m4.8 8.2 2.2 2.2 4.2-4.6"/>',
  not_applicable: '<circle cx="8" cy="8" r="6.2" class="ring"/><path class="line" d="M5 8h6"/>',
};

/** The status shapes, defined once and drawn by reference. */
export function renderIconSprite(): Html {
  const symbols = STATUSES.map((status) => `<symbol id="i-${status}" viewBox="0 0 16 16">${SHAPE[status]}</symbol>`);
  return ownMarkup(`<svg hidden aria-hidden="true" width="0" height="0">${symbols.join("")}</svg>`);
}

export function renderStatusIcon(status: CheckStatus): Html {
  return html`<svg class="icon s-${status}" aria-hidden="true" width="16" height="16">
    <use href="#i-${status}" />
  </svg>`;
}

export function renderStatus(status: CheckStatus): Html {
  return html`<span class="status">${renderStatusIcon(status)}<span>${STATUS_LABEL[status]}</span></span>`;
}

/** How bad a gap is, or, without a gap and therefore without alarm, how bad one would be. */
export function renderRisk(risk: Risk, isOpen: boolean = true): Html {
  return html`<span class="risk ${isOpen ? `r-${risk}` : "quiet"}">${RISK_LABEL[risk]} risk</span>`;
}
