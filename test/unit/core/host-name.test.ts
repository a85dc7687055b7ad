import { expect, it } from "vitest";
import { parseHostName } from "../../../src/core/host-name.ts";

it.each([
  ["API.Example.COM", "api.example.com"],
  ["api.example.com.", "api.example.com"],
  ["localhost", "localhost"],
  ["xn--bcher-kva.example", "xn--bcher-kva.example"],
  ["1.2.3.4.example", "1.2.3.4.example"],
  ["3com.com", "3com.com"],
  [`${"a".repeat(63)}.example`, `${"a".repeat(63)}.example`],
])("reads %s as one spelling", (text, expected) => {
  expect(parseHostName(text)).toBe(expected);
});

it.each([
  ["nothing", ""],
  ["a dot alone", "."],
  ["an empty label", "a..example"],
  ["a leading dot", ".example.com"],
  ["a wildcard", "*.example.com"],
  ["a scheme", "https://example.com"],
  ["a port", "example.com:443"],
  ["a space", "example.com "],
  ["a line break", "example.com\n"],
  ["an underscore", "a_b.example"],
  ["a hyphen at the end of a label", "a-.example"],
  ["letters outside ASCII", "bücher.example"],
  ["the Kelvin sign, whose lower case is k", "\u212A.example"],
  ["an IPv4 address", "203.0.113.5"],
  ["an IPv6 address", "2001:db8::1"],
  ["a number that resolvers read as an address", "2130706433"],
  ["a short IPv4 form", "127.1"],
  ["a hexadecimal last label", "a.0x7f"],
  ["a label of 64", `${"a".repeat(64)}.example`],
  ["a name of 254", `${"a.".repeat(126)}ab`],
])("refuses %s", (_what, text) => {
  expect(parseHostName(text)).toBeNull();
});
