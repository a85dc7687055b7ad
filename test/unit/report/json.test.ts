import { expect, it } from "vitest";
import { renderJson } from "../../../src/report/json.ts";

it("keeps the order of keys, indents by two and ends with a newline", () => {
  expect(renderJson({ b: 1, a: [null, "x"] })).toBe('{\n  "b": 1,\n  "a": [\n    null,\n    "x"\n  ]\n}\n');
});

it("writes nothing that could act on a terminal, and stays the same value", () => {
  const value = { name: "\u001b[31m\u009b\u202e\u2028\u{e0041}\u00e9\u{1f600}", lines: ["a\nb"] };
  const text = renderJson(value);
  expect(text).toBe(
    '{\n  "name": "\\u001b[31m\\u009b\\u202e\\u2028\\udb40\\udc41\u00e9\u{1f600}",\n  "lines": [\n    "a\\nb"\n  ]\n}\n',
  );
  expect(JSON.parse(text)).toEqual(value);
});
