/**
 * The page's only script: filters, open-all, and opening a check that a link points at. Everything
 * it needs is in the markup; without it the page shows every row. The policy admits these exact
 * bytes by hash, so it must stay a constant.
 */
export const DASHBOARD_SCRIPT = `"use strict";
for (const form of document.querySelectorAll("form[data-filters]")) {
  const root = document.getElementById(form.dataset.filters);
  const items = Array.from(root.querySelectorAll("[data-item]"), (element) => ({
    element,
    text: element.textContent.toLowerCase(),
  }));
  const count = form.querySelector("[data-count]");
  const apply = () => {
    const words = form.elements.text.value.toLowerCase().split(/\\s+/);
    const status = form.elements.status.value;
    const risk = form.elements.risk ? form.elements.risk.value : "";
    let shown = 0;
    for (const { element, text } of items) {
      const fits =
        (status === "" || element.dataset.status === status) &&
        (risk === "" || element.dataset.risk === risk) &&
        words.every((word) => text.includes(word));
      element.hidden = !fits;
      if (fits) shown += 1;
    }
    count.textContent = shown + " of " + items.length + " " + form.dataset.noun + " shown";
  };
  form.addEventListener("input", apply);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(apply));
  const toggle = form.querySelector("[data-toggle]");
  if (toggle) {
    toggle.addEventListener("click", () => {
      const open = toggle.textContent === "Open all";
      for (const { element } of items) element.open = open;
      toggle.textContent = open ? "Close all" : "Open all";
    });
  }
  form.hidden = items.length === 0;
  apply();
}

const checks = document.querySelector('form[data-filters="check-list"]');
for (const cell of document.querySelectorAll("[data-pick-status]")) {
  const button = document.createElement("button");
  const row = cell.parentElement.querySelector("th").textContent.trim();
  button.type = "button";
  button.textContent = cell.textContent;
  button.setAttribute("aria-label", cell.textContent + ": show " + row + ", " + cell.dataset.pickRisk + " risk");
  button.addEventListener("click", () => {
    checks.elements.text.value = "";
    checks.elements.status.value = cell.dataset.pickStatus;
    checks.elements.risk.value = cell.dataset.pickRisk;
    checks.dispatchEvent(new Event("input"));
    document.getElementById("checks").scrollIntoView();
    checks.elements.text.focus({ preventScroll: true });
  });
  cell.replaceChildren(button);
}

const openTarget = () => {
  const target = document.getElementById(location.hash.slice(1));
  if (!target || target.tagName !== "DETAILS") return;
  if (target.hidden) checks.reset();
  target.hidden = false;
  target.open = true;
  target.scrollIntoView();
};
addEventListener("hashchange", openTarget);
openTarget();
`;
