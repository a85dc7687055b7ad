import { expect, it } from "vitest";
import { lineOf } from "../../../src/policy/command-pattern.ts";

it("lineOf keeps the words of a command line apart", () => {
  expect(lineOf(["/usr/bin/x", "a b", "\t", ""])).toBe("/usr/bin/x a\u001fb \u001f ");
});
