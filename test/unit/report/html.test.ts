import { describe, expect, it } from "vitest";
import { html, ownMarkup, prose } from "../../../src/report/html.ts";
import { HOSTILE_TEXTS } from "../../helpers/sample-assessment.ts";

describe("html", () => {
  it.each([
    ["<b>", "&lt;b&gt;"],
    ["&amp;", "&amp;amp;"],
    [`"onload='x'`, "&quot;onload=&#39;x&#39;"],
    ["a\u202eb\u001b[0m", "a\\u{202e}b\\u{1b}[0m"],
    ["one\ntwo", "one\\ntwo"],
  ])("makes %j visible and inert when it is a value", (value, shown) => {
    expect(html`<p title="${value}">${value}</p>`.text).toBe(`<p title="${shown}">${shown}</p>`);
  });

  it("keeps markup it made itself and joins lists without commas", () => {
    const items = ["a", "<"].map((item) => html`<i>${item}</i>`);
    expect(html`<p>${items}${ownMarkup("<hr>")}${3}${null}</p>`.text).toBe("<p><i>a</i><i>&lt;</i><hr>3</p>");
  });

  it("cuts a value of five megabytes before it is escaped", () => {
    expect(html`${"<".repeat(5_000_000)}`.text).toBe(`${"&lt;".repeat(1_999)}…`);
  });

  it("drops the indentation of the source, but not that of a value", () => {
    const parts = Object.assign(["<p>\n      ", "</p>"], { raw: [] });
    expect(html(parts, "\n  x").text).toBe("<p>\n\\n  x</p>");
  });

  it.each(HOSTILE_TEXTS)("lets no tag, quote or control character through for %j", (value) => {
    expect(html`${value}`.text).not.toMatch(/[<>"'\p{Cc}\p{Cf}]/u);
  });
});

describe("prose", () => {
  it.each([
    ["run `chmod 600 <file>` now", "run <code>chmod 600 &lt;file&gt;</code> now"],
    ["`a` and `b`", "<code>a</code> and <code>b</code>"],
    ["one ` alone", "one ` alone"],
    ["`a` then ` alone <", "<code>a</code> then ` alone &lt;"],
    ["", ""],
  ])("shows %j with its code parts as code", (text, shown) => {
    expect(prose(text).text).toBe(shown);
  });
});
