import { expect, it } from "vitest";
import { RISKS } from "../../../src/core/risk.ts";
import { INSECURE_PORTS, parseInsecurePorts } from "../../../src/schema/insecure-ports.ts";

it("ships a table of the declared shape", () => {
  expect(parseInsecurePorts(INSECURE_PORTS)).toBe(INSECURE_PORTS);
  expect(INSECURE_PORTS.ports.length).toBeGreaterThan(100);
});

it("lists each port and protocol once, in order", () => {
  const keys = INSECURE_PORTS.ports.map((entry) => entry.port * 10 + (entry.protocol === "tcp" ? 0 : 1));
  expect(keys).toEqual([...new Set(keys)].toSorted((a, b) => a - b));
});

it("never rates a wider exposure lower", () => {
  const rank = (risk: string | null): number =>
    risk === null ? RISKS.length : RISKS.findIndex((each) => each === risk);
  const odd = INSECURE_PORTS.ports.filter(
    ({ severity }) =>
      rank(severity.private) > rank(severity.loopback) || rank(severity.public) > rank(severity.private),
  );
  expect(odd).toEqual([]);
});

it.each([
  [69, "udp", "tftp"],
  [514, "tcp", "rsh"],
  [514, "udp", "syslog"],
  [2375, "tcp", "docker"],
  [6379, "tcp", "redis"],
  [18_789, "tcp", "openclaw-gateway"],
])("knows %i/%s as %s", (port, protocol, service) => {
  const entry = INSECURE_PORTS.ports.find((each) => each.port === port && each.protocol === protocol);
  expect(entry?.service).toBe(service);
});

it.each([
  [69, "tcp"],
  [22, "tcp"],
  [443, "tcp"],
])("does not call %i/%s insecure", (port, protocol) => {
  expect(INSECURE_PORTS.ports.some((each) => each.port === port && each.protocol === protocol)).toBe(false);
});

it("refuses a table with an unknown class", () => {
  const table = { ...INSECURE_PORTS, ports: [{ ...INSECURE_PORTS.ports[0], class: "odd" }] };
  expect(() => parseInsecurePorts(table)).toThrow(expect.objectContaining({ code: "invalid-input" }));
});
