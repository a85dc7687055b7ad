import { describe, expect, it } from "vitest";
import { openFlaws } from "../../../src/assess/sudo-flaws.ts";
import type { InstalledSudo } from "../../../src/core/posture-facts.ts";

function sudo(version: string, more: Partial<InstalledSudo> = {}): InstalledSudo {
  return { path: "/usr/bin/sudo", flavour: "sudo", version, fixed: [], ...more };
}

function ids(installed: InstalledSudo): readonly string[] | null {
  return openFlaws(installed)?.map(({ id }) => id) ?? null;
}

describe("openFlaws", () => {
  it.each([
    ["1.8.27", ["CVE-2019-14287", "CVE-2019-18634", "CVE-2021-3156", "CVE-2023-22809", "CVE-2025-32462"]],
    ["1.8.31p2", ["CVE-2021-3156", "CVE-2023-22809", "CVE-2025-32462"]],
    ["1.8.32", ["CVE-2023-22809", "CVE-2025-32462"]],
    ["1.9.5p1", ["CVE-2021-3156", "CVE-2023-22809", "CVE-2025-32462"]],
    ["1.9.5p2", ["CVE-2023-22809", "CVE-2025-32462"]],
    ["1.9.12p2", ["CVE-2025-32462"]],
    ["1.9.14b1", ["CVE-2025-32462"]],
    ["1.9.14", ["CVE-2025-32462", "CVE-2025-32463"]],
    ["1.9.17", ["CVE-2025-32462", "CVE-2025-32463"]],
    ["1.9.17p1", []],
  ])("knows by the number what sudo %s has, beside what all releases up to 1.9.17p2 have", (version, expected) => {
    expect(ids(sudo(version))).toEqual([...expected, "CVE-2026-35535", "CVE-2026-96512"]);
  });

  it("knows nothing against a later release", () => {
    expect(ids(sudo("1.9.18"))).toEqual([]);
  });

  it("leaves out what the package's changelog names as fixed", () => {
    const fixed = ["CVE-2025-32462", "CVE-2026-35535"];
    expect(ids(sudo("1.9.13p3", { fixed }))).toEqual(["CVE-2026-96512"]);
  });

  it("does not take sudo-rs for sudo", () => {
    expect(ids(sudo("0.2.8", { flavour: "sudo-rs" }))).toEqual(["CVE-2025-64517"]);
    expect(ids(sudo("0.2.10", { flavour: "sudo-rs" }))).toEqual([]);
  });

  it.each(["", "1.9.13-custom", "unknown", "1.9.13p3 "])("does not guess about the version %j", (version) => {
    expect(openFlaws(sudo(version))).toBeNull();
  });
});
