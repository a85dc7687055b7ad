import { describe, expect, it } from "vitest";
import {
  type ConnectionEnds,
  decideDirection,
  type DirectionContext,
  listenerKey,
  parseOwnIpv4,
  parseOwnIpv6,
  parsePortRange,
} from "../../../src/scan/direction.ts";

const CONTEXT: DirectionContext = {
  ownAddresses: new Set(["192.0.2.2", "2001:db8::2"]),
  listening: new Set([
    listenerKey("tcp", "0.0.0.0", 22),
    listenerKey("tcp", "::", 443),
    listenerKey("tcp", "127.0.0.1", 40_000),
    listenerKey("udp", "192.0.2.2", 53),
  ]),
  ephemeralPorts: { low: 32_768, high: 60_999 },
};

function ends(change: Partial<ConnectionEnds>): ConnectionEnds {
  return {
    protocol: "tcp",
    localAddress: "192.0.2.2",
    localPort: 45_000,
    remoteAddress: "198.51.100.7",
    remotePort: 51_000,
    state: "ESTABLISHED",
    ...change,
  };
}

describe("decideDirection", () => {
  it.each<[string, Partial<ConnectionEnds>, string]>([
    ["a client port", {}, "outbound"],
    ["a remote end on loopback", { remoteAddress: "127.8.9.1" }, "local"],
    ["a remote end on IPv6 loopback", { localAddress: "::1", remoteAddress: "::1" }, "local"],
    ["a remote end that is an own address", { remoteAddress: "192.0.2.2" }, "local"],
    ["a port with a listener on all IPv4 addresses", { localPort: 22 }, "inbound"],
    ["a port with a listener on ::, over IPv4", { localPort: 443 }, "inbound"],
    ["a port with a listener on ::, over IPv6", { localAddress: "2001:db8::2", localPort: 443 }, "inbound"],
    ["a listener of IPv4 only, over IPv6", { localAddress: "2001:db8::2", localPort: 22 }, "unknown"],
    // Else a listener on loopback would make an outbound connection from its port look accepted.
    ["a port that listens on another address only", { localPort: 40_000 }, "outbound"],
    ["a listener of another protocol", { protocol: "udp", localPort: 22 }, "outbound"],
    // Anyone may bind a second socket to a UDP service's port and connect it to wherever they like.
    ["a UDP socket with a peer on the port of a UDP service", { protocol: "udp", localPort: 53 }, "unknown"],
    ["a connection from a listening port to a service's port", { localPort: 22, remotePort: 443 }, "unknown"],
    ["the highest port no client has", { localPort: 22, remotePort: 511 }, "unknown"],
    ["the lowest port a client has", { localPort: 22, remotePort: 512 }, "inbound"],
    ["a handshake this host began, though the port listens", { localPort: 22, state: "SYN_SENT" }, "outbound"],
    ["a handshake the other side began", { localPort: 22, state: "SYN_RECV" }, "inbound"],
    // Two sides that call each other at once both show this state, and nobody listens.
    ["a half-open connection that no listener accepts", { state: "SYN_RECV" }, "outbound"],
    ["a fixed source port", { localPort: 900 }, "unknown"],
    ["a connected UDP socket with a fixed port", { protocol: "udp", localPort: 123 }, "outbound"],
    ["the first client port", { localPort: 32_768 }, "outbound"],
    ["the port before the first client port", { localPort: 32_767 }, "unknown"],
    ["the last client port", { localPort: 60_999 }, "outbound"],
    ["the port after the last client port", { localPort: 61_000 }, "unknown"],
  ])("takes %s", (_what, change, direction) => {
    expect(decideDirection(ends(change), CONTEXT)).toBe(direction);
  });
});

describe("parsePortRange", () => {
  it.each([
    ["32768\t60999\n", { low: 32_768, high: 60_999 }],
    ["1024 1024", { low: 1024, high: 1024 }],
    ["60999 32768", null],
    ["0 100", null],
    ["1 70000", null],
    ["", null],
    ["many", null],
  ])("reads %j", (text, range) => {
    expect(parsePortRange(text)).toEqual(range);
  });
});

describe("parseOwnIpv4", () => {
  it("takes host addresses and leaves networks and broadcasts", () => {
    const text = `Local:
  +-- 0.0.0.0/0 3 0 5
        |-- 127.0.0.0
           /8 host LOCAL
        |-- 127.0.0.1
           /32 host LOCAL
        |-- 192.0.2.2
           /32 host LOCAL
        |-- 192.0.2.0
           /24 link UNICAST
        |-- 192.0.2.255
           /32 link BROADCAST
`;
    expect([...parseOwnIpv4(text)]).toEqual(["127.0.0.1", "192.0.2.2"]);
  });
});

describe("parseOwnIpv6", () => {
  it("takes address and device of each row and skips what is no row", () => {
    const text = `fe8000000000000000fc00fffe000001 04 40 20 80     eth0
00000000000000000000000000000001 01 80 10 80       lo
nonsense
`;
    expect(parseOwnIpv6(text)).toEqual([
      { address: "fe80:0000:0000:0000:00fc:00ff:fe00:0001", device: "eth0" },
      { address: "0000:0000:0000:0000:0000:0000:0000:0001", device: "lo" },
    ]);
  });
});
