import { describe, expect, it } from "vitest";
import { parseNotifyAllowlist, parseNotifyCommand, parseNotifyConfig } from "../../../src/schema/notify-config.ts";

const INVALID = expect.objectContaining({ name: "SecurityError" });

describe("the notification command", () => {
  it.each([
    ["/usr/bin/tell", ["/usr/bin/tell"]],
    ["  /usr/bin/tell  -a   b ", ["/usr/bin/tell", "-a", "b"]],
    [`/usr/bin/tell 'two words' "it's" a"b"c ''`, ["/usr/bin/tell", "two words", "it's", "abc", ""]],
    ['["/usr/bin/tell", "two words", ""]', ["/usr/bin/tell", "two words", ""]],
    ["/usr/bin/tell $HOME ; rm `x` \\n", ["/usr/bin/tell", "$HOME", ";", "rm", "`x`", "\\n"]],
  ])("%s is %j", (text, argv) => {
    expect(parseNotifyCommand(text)).toEqual(argv);
  });

  it.each(["", "/usr/bin/tell 'open", "[]", '["a", 5]', '["a\\u0000"]', "[", "x ".repeat(60)])("refuses %j", (text) => {
    expect(() => parseNotifyCommand(text)).toThrow(INVALID);
  });
});

describe("the notification allowlist", () => {
  it.each([
    ["", []],
    [
      "/a, /b,",
      [
        { kind: "program", path: "/a" },
        { kind: "program", path: "/b" },
      ],
    ],
    [
      '[["/a", "-x"], "/b"]',
      [
        { kind: "argv", argv: ["/a", "-x"] },
        { kind: "program", path: "/b" },
      ],
    ],
  ])("%s is %j", (text, rules) => {
    expect(parseNotifyAllowlist(text)).toEqual(rules);
  });

  it.each(["[5]", "[[]]", "[", '[{"kind":"program"}]'])("refuses %j", (text) => {
    expect(() => parseNotifyAllowlist(text)).toThrow(INVALID);
  });
});

describe("notify.json", () => {
  it("names a webhook with a secret of at least 16 characters, or none", () => {
    expect(parseNotifyConfig('{"schemaVersion":1}')).toEqual({ webhook: null });
    const webhook = { url: "https://example.net/hook", secret: "0123456789abcdef" };
    expect(parseNotifyConfig(JSON.stringify({ schemaVersion: 1, webhook }))).toEqual({ webhook });
  });

  it.each([
    "{}",
    '{"schemaVersion":2}',
    '{"schemaVersion":1,"webhook":{"url":"https://a"}}',
    '{"schemaVersion":1,"webhook":{"url":"https://a","secret":"short"}}',
    '{"schemaVersion":1,"hook":1}',
  ])("refuses %s", (text) => {
    expect(() => parseNotifyConfig(text)).toThrow(INVALID);
  });
});
