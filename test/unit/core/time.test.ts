import { describe, expect, it } from "vitest";
import { epochFromIso, isoDateFromEpoch, isoFromEpoch } from "../../../src/core/time.ts";

describe("epochFromIso", () => {
  it.each([
    "1970-01-01",
    "1970-01-01T00:00:00Z",
    "1969-12-31T23:59:59Z",
    "2000-02-29",
    "2024-02-29T12:34:56Z",
    "2100-03-01",
    "1600-02-29",
    "0000-01-01",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z",
    "2026-11-23T08:00:00+05:30",
    "2026-11-23T08:00:00-09:45",
    "2026-11-23T23:59:59-23:59",
    "2026-01-01T00:00:00+14:00",
    "2026-01-01T00:00:00-00:00",
    "2026-11-23T08:00:00.5Z",
    "2026-11-23T08:00:00.57Z",
    "2026-11-23T08:00:00.001Z",
    "2026-11-23T08:00:00.999Z",
    "1969-12-31T23:59:59.999Z",
  ])("agrees with Date on %s", (text) => {
    expect(epochFromIso(text)).toBe(new Date(text).getTime());
  });

  it("drops the parts of a millisecond", () => {
    expect(epochFromIso("1970-01-01T00:00:00.123999999Z")).toBe(123);
  });

  it.each([
    ["a 29 February outside a leap year", "2023-02-29"],
    ["a 29 February in a century that is no leap year", "2100-02-29"],
    ["a 31st in a month of 30 days", "2026-04-31"],
    ["month 13", "2026-13-01"],
    ["month 0", "2026-00-01"],
    ["day 0", "2026-01-00"],
    ["hour 24", "2026-01-01T24:00:00Z"],
    ["minute 60", "2026-01-01T00:60:00Z"],
    ["second 60", "2026-01-01T00:00:60Z"],
    ["an offset of 24 hours", "2026-01-01T00:00:00+24:00"],
    ["an offset of 60 minutes", "2026-01-01T00:00:00+00:60"],
    ["a time without a zone", "2026-01-01T00:00:00"],
    ["a time without seconds", "2026-01-01T00:00Z"],
    ["ten digits of a second", "2026-01-01T00:00:00.0123456789Z"],
    ["a two-digit year", "26-01-01"],
    ["a signed year", "+002026-01-01"],
    ["a blank instead of T", "2026-01-01 00:00:00Z"],
    ["a lower-case zone", "2026-01-01T00:00:00z"],
    ["a trailing newline", "2026-01-01\n"],
    ["a leading blank", " 2026-01-01"],
    ["digits of another script", "２０２６-01-01"],
    ["text", "yesterday"],
    ["nothing", ""],
  ])("is null for %s", (_title, text) => {
    expect(epochFromIso(text)).toBeNull();
  });
});

describe("isoFromEpoch", () => {
  it.each([
    0, -1, 1, 999, 1000, 86_399_999, 951_782_400_000, 1_709_164_800_000, 253_402_300_799_999, -62_167_219_200_000,
  ])("agrees with Date on %d", (at) => {
    const iso = new Date(at).toISOString();
    expect(isoFromEpoch(at)).toBe(`${iso.slice(0, 19)}Z`);
    expect(isoDateFromEpoch(at)).toBe(iso.slice(0, 10));
  });

  it("agrees with Date on every day of four hundred years", () => {
    const wrong: string[] = [];
    for (let at = Date.UTC(1900, 0, 1); at < Date.UTC(2300, 0, 1); at += 86_400_000) {
      const expected = new Date(at).toISOString().slice(0, 10);
      if (isoDateFromEpoch(at) !== expected || epochFromIso(expected) !== at) wrong.push(expected);
    }
    expect(wrong).toEqual([]);
  });
});
