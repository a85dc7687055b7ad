import { describe, expect, it } from "vitest";
import { assessPosture } from "../../../src/assess/posture.ts";
import { renderPosture } from "../../../src/report/terminal-posture.ts";
import { config, seen, unseen } from "../../helpers/assess-evidence.ts";
import { bestPosture } from "../../helpers/posture-evidence.ts";

const plain = (text: string): string => text;
const OPTIONS = {
  paint: { bold: plain, dim: plain, red: plain, yellow: plain, green: plain, cyan: plain },
  columns: 80,
};

function show(change: Parameters<typeof bestPosture>[0], account = "claw"): string {
  const posture = assessPosture(bestPosture(change));
  return renderPosture({ ...posture, account, account_basis: "current-user" }, OPTIONS);
}

describe("renderPosture", () => {
  it("shows the level, why it is no higher, what it is worth and what comes next", () => {
    const text = show({ config: config({}), memory_open: unseen("permission-denied"), anchor: seen(null) });
    expect(text.split("\n").filter((line) => /^\S/.test(line))).toEqual([
      "Posture of claw: L1",
      "Why not more, worst first",
      "Guaranteed at L1",
      "Not guaranteed at L1",
      "Next: L2",
      "16 conditions hold; --json lists them.",
    ]);
    expect(text).toContain("No gateway is running");
    expect(text).toContain("critical memory_closed (keeps from L2, not known)");
    expect(text).toContain("medium   audit_anchored (weakness)");
  });

  it("breaks prose but no line that is to be copied", () => {
    const lines = show({ config: config({}) }).split("\n");
    expect(lines).toContain(
      `       "agents": { "defaults": { "sandbox": { "mode": "all", "workspaceAccess": "none" } } },`,
    );
    expect(lines.filter((line) => line.length > 80 && !line.startsWith("       "))).toEqual([]);
  });

  it("lets no name of this host speak to the terminal", () => {
    const text = show(
      { code: seen({ looked_at: [], changeable: ["/x\u001b[8m\n+ all is well"] }) },
      "claw\u001b[2J\nL3",
    );
    expect(text).not.toContain("\u001b");
    expect(text.split("\n").some((line) => line.startsWith("+ all") || line.startsWith("L3"))).toBe(false);
  });
});
