import { expect, it } from "vitest";
import { renderJson } from "../../../src/report/json.ts";

it("keeps the order of keys, indents by two and ends with a newline", () => {
  expect(renderJson({ b: 1, a: [null, "x"] })).toBe('{\n  "b": 1,\n  "a": [\n    null,\n    "x"\n  ]\n}\n');
});
