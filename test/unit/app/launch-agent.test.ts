import { describe, expect, it } from "vitest";
import { addToAgentPath, removeFromAgentPath } from "../../../src/app/launch-agent.ts";

const PLIST = `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
  <key>Label</key>
  <string>ai.openclaw.gateway</string>
  <key>ProgramArguments</key>
  <array><string>/opt/homebrew/bin/node</string><string>PATH</string></array>
  <key>EnvironmentVariables</key>
  <dict>
    <key>HOME</key>
    <string>/Users/a&amp;b</string>
    <key>PATH</key>
    <string>/opt/homebrew/bin:/usr/bin:/bin</string>
  </dict>
</dict>
</plist>
`;
const FOLDER = "/Users/a&b/.openclaw/bin";

function textOf(change: ReturnType<typeof addToAgentPath>): string {
  if (change.kind !== "changed") throw new Error(change.kind);
  return change.text;
}

describe("the PATH of a LaunchAgent", () => {
  it("gets the folder first and nothing else changes; taking it out gives back the same bytes", () => {
    const added = textOf(addToAgentPath(PLIST, FOLDER));
    expect(added).toBe(
      PLIST.replace("<string>/opt/homebrew/bin:", "<string>/Users/a&amp;b/.openclaw/bin:/opt/homebrew/bin:"),
    );
    expect(addToAgentPath(added, FOLDER)).toEqual({ kind: "unchanged" });
    expect(textOf(removeFromAgentPath(added, FOLDER))).toBe(PLIST);
    expect(removeFromAgentPath(PLIST, FOLDER)).toEqual({ kind: "unchanged" });
  });

  it("gets the folder moved to the front where it stands behind", () => {
    const behind = PLIST.replace("/bin</string>\n  </dict>", "/bin:/x/bin</string>\n  </dict>");
    expect(textOf(addToAgentPath(behind, "/x/bin"))).toContain(
      "<string>/x/bin:/opt/homebrew/bin:/usr/bin:/bin</string>",
    );
  });

  it.each([
    ["a binary list", "bplist00\0\0"],
    ["no environment", PLIST.replace("EnvironmentVariables", "Other")],
    [
      "two environments",
      PLIST.replace("</dict>\n</plist>", "<key>EnvironmentVariables</key><dict></dict></dict>\n</plist>"),
    ],
    ["no PATH", PLIST.replace("<key>PATH</key>", "<key>PATHS</key>")],
    ["a comment that could mislead", PLIST.replace("<key>Label", "<!-- x --><key>Label")],
    ["an empty text", ""],
  ])("is left alone with %s", (_title, plist) => {
    expect(addToAgentPath(plist, FOLDER).kind).toBe("unsupported");
    expect(removeFromAgentPath(plist, FOLDER).kind).toBe("unsupported");
  });
});
