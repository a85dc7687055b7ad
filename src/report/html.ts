import { clip } from "../core/text.ts";

/** Longest value shown; evidence can be megabytes of someone else's text. */
const MAX_VALUE_CHARS = 2_000;

/** Markup that is safe to place in element content. Only this file makes it. */
export interface Html {
  readonly kind: "html";
  readonly text: string;
}

export type HtmlValue = Html | readonly Html[] | string | number | null;

/**
 * The only way values get into the page: strings are made visible, cut and escaped unless they are
 * already Html. Safe in element content and in double-quoted attributes; never use it inside
 * `<style>`, `<script>`, an event attribute or an unquoted attribute. `null` prints nothing.
 */
export function html(parts: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  // Indentation is for whoever reads the source; a thousand rows of it would double the page.
  const [first = "", ...rest] = parts.map((part) => part.replace(/\n\s*/g, "\n"));
  const text = rest.reduce((done, part, index) => done + textOf(values[index] ?? null) + part, first);
  return { kind: "html", text };
}

/** Markup of our own that must not be escaped: constants only, never anything that came from outside. */
export function ownMarkup(constant: string): Html {
  return { kind: "html", text: constant };
}

/** Prose whose `backticked` parts are shown as code. */
export function prose(text: string): Html {
  const pieces = clip(text, MAX_VALUE_CHARS).split("`");
  // An odd number of backticks leaves the last one unpaired: show it as it is.
  const unpaired = pieces.length % 2 === 0 ? `\`${pieces.pop() ?? ""}` : "";
  const shown = pieces.map((piece, index) => (index % 2 === 1 ? html`<code>${piece}</code>` : html`${piece}`));
  return html`${shown}${unpaired}`;
}

function textOf(value: HtmlValue): string {
  if (value === null) return "";
  if (typeof value === "number") return String(value);
  if (typeof value === "string") return escapeHtml(clip(value, MAX_VALUE_CHARS));
  if ("kind" in value) return value.text;
  return value.map((one) => one.text).join("");
}

const ENTITY: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (char) => ENTITY[char] ?? "");
}
