import { expect, it } from "vitest";
import { expandFiniteHost } from "../../../src/policy/finite-host.ts";

it.each<[pattern: string, names: string[]]>([
  ["^api\\.openai\\.com$", ["api.openai.com"]],
  ["api\\.openai\\.com", ["api.openai.com"]],
  ["API\\.OpenAI\\.COM", ["api.openai.com"]],
  ["^(api\\.openai\\.com|api\\.anthropic\\.com)$", ["api.anthropic.com", "api.openai.com"]],
  ["^a\\.example$|^b\\.example$", ["a.example", "b.example"]],
  ["(?:eu|us)-?api\\.example", ["eu-api.example", "euapi.example", "us-api.example", "usapi.example"]],
  ["(www\\.)?example\\.com", ["example.com", "www.example.com"]],
  ["n[1-3a]\\.example", ["n1.example", "n2.example", "n3.example", "na.example"]],
  ["n[a-]{2}\\.example", ["n-a.example", "naa.example"]],
  ["a{2,3}\\.example", ["aa.example", "aaa.example"]],
  ["a{0,1}b\\.example", ["ab.example", "b.example"]],
  ["(a|b|)\\.example", ["a.example", "b.example"]],
  ["a[.]example", ["a.example"]],
  ["a\\-b\\.example", ["a-b.example"]],
  ["[0-9][0-5]\\.example", Array.from({ length: 60 }, (_, n) => `${Math.floor(n / 6)}${n % 6}.example`)],
  ["", []],
  ["(|a)(|b)", ["a", "ab", "b"]],
])("lists the names of %s", (pattern, names) => {
  expect(expandFiniteHost(pattern)).toEqual(names);
});

it.each([
  ["a bare dot", "api.openai.com"],
  ["a star", "a*\\.example"],
  ["a plus", "a+\\.example"],
  ["no upper bound", "a{2,}\\.example"],
  ["more than 64 names", "[0-9]{2}\\.example"],
  ["more than 64 names in parts", "[ab]{7}\\.example"],
  ["more than 64 alternatives", Array.from({ length: 65 }, (_, n) => `h${n}`).join("|")],
  ["a class of many", "\\d\\.example"],
  ["a negated class", "[^a]\\.example"],
  ["a range over punctuation", "[A-z]\\.example"],
  ["a lazy quantifier", "a??\\.example"],
  ["a quantifier on a quantifier", "a{2}{3}\\.example"],
  ["a flag", "(?i)a\\.example"],
  ["a named group", "(?P<x>a)\\.example"],
  ["lookahead", "(?=a)a\\.example"],
  ["an anchor inside", "a^\\.example"],
  ["an anchor in a group", "(^a|b)\\.example"],
  ["a word boundary", "\\ba\\.example"],
  ["an escape by number", "a\\x2eexample"],
  ["an open group", "(a\\.example"],
  ["a closing parenthesis too many", "a\\.example)"],
  ["an open class", "[a"],
  ["an empty class", "[]a\\.example"],
  ["an open count", "a{2\\.example"],
  ["a count that runs backwards", "a{3,2}\\.example"],
  ["a backslash at the end", "a\\"],
  ["a letter outside ASCII", "bücher\\.example"],
  ["a pattern that is too long", "(a)".repeat(400)],
])("does not list names of a pattern with %s", (_what, pattern) => {
  expect(expandFiniteHost(pattern)).toBeNull();
});

it.each([
  ["nested groups", `${"(".repeat(400)}a${")".repeat(400)}\\.example`, ["a.example"]],
  ["empty repeats", "((){253}){253}a\\.example", ["a.example"]],
  ["names too many to build", "[ab]{60}\\.example", null],
  ["counts beyond any name", "a{999}\\.example", []],
  ["many optional parts", "a?".repeat(400), null],
])("ends for %s", (_what, pattern, expected) => {
  expect(expandFiniteHost(pattern)).toEqual(expected);
});
