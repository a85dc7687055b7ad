import { describe, expect, it } from "vitest";
import { compareDebianVersions } from "../../../src/core/debian-version.ts";

describe("Debian versions", () => {
  it.each([
    ["1.0", "1.1"],
    ["1.9", "1.10"],
    ["1.0~rc1", "1.0"],
    ["1.0~~", "1.0~"],
    ["1.0", "1.0a"],
    ["1.0a", "1.0+b"],
    ["1.0-1", "1.0-1+deb12u1"],
    ["1.0-1+deb12u1", "1.0-1+deb12u2"],
    ["2:1.0", "3:0.1"],
    ["9.9", "1:0.1"],
    ["3.0.15-1~deb12u1", "3.0.15-1"],
    ["1.0-9", "1.0-10"],
    ["1.2.3", "1.2.3-0.1"],
    ["20250419~deb12u1", "20250419~deb12u2"],
  ])("%s is older than %s", (older, newer) => {
    expect(compareDebianVersions(older, newer)).toBeLessThan(0);
    expect(compareDebianVersions(newer, older)).toBeGreaterThan(0);
    expect(compareDebianVersions(newer, newer)).toBe(0);
  });

  it("does not tell leading zeros, or a revision of 0, from none", () => {
    expect(compareDebianVersions("1.02", "1.2")).toBe(0);
    expect(compareDebianVersions("1.0-0", "1.0")).toBe(0);
  });
});
