import { describe, expect, it } from "vitest";
import {
  addressBits,
  bindScope,
  categorizeAddress,
  cidrHolds,
  parseAddress,
  parseCidr,
} from "../../../src/core/address.ts";

describe("parseAddress", () => {
  it.each([
    ["10.0.0.1", { address: "10.0.0.1", zone: null, family: 4 }],
    ["127.0.0.53%lo", { address: "127.0.0.53", zone: "lo", family: 4 }],
    ["::", { address: "::", zone: null, family: 6 }],
    ["0:0:0:0:0:0:0:0", { address: "::", zone: null, family: 6 }],
    ["2001:DB8:0:0:1:0:0:1", { address: "2001:db8::1:0:0:1", zone: null, family: 6 }],
    ["fe80::1%eth0", { address: "fe80::1", zone: "eth0", family: 6 }],
    ["::ffff:10.0.0.1", { address: "10.0.0.1", zone: null, family: 4 }],
    ["::ffff:a00:1", { address: "10.0.0.1", zone: null, family: 4 }],
    ["::FFFF:7F00:1%lo", { address: "127.0.0.1", zone: "lo", family: 4 }],
    ["0:0:0:0:0:ffff:10.0.0.1", { address: "10.0.0.1", zone: null, family: 4 }],
    ["64:ff9b::10.0.0.1", { address: "64:ff9b::a00:1", zone: null, family: 6 }],
    // The deprecated IPv4-compatible form is an IPv6 address of its own, not the v4-mapped one.
    ["::127.0.0.1", { address: "::7f00:1", zone: null, family: 6 }],
    ["1:2:3:4:5:6:7.8.9.10", { address: "1:2:3:4:5:6:708:90a", zone: null, family: 6 }],
  ])("reads %s", (text, expected) => {
    expect(parseAddress(text)).toEqual(expected);
  });

  it.each([
    ["an octal-looking octet", "010.0.0.1"],
    ["an octal-looking octet in the last place", "10.0.0.01"],
    ["a hexadecimal octet", "0x7f.0.0.1"],
    ["one number", "2130706433"],
    ["two parts", "127.1"],
    ["three parts", "127.0.1"],
    ["five parts", "1.2.3.4.5"],
    ["an octet above 255", "256.0.0.1"],
    ["a negative octet", "-1.0.0.1"],
    ["a blank before", " 10.0.0.1"],
    ["a newline after", "10.0.0.1\n"],
    ["a port", "10.0.0.1:80"],
    ["a trailing dot", "10.0.0.1."],
    ["digits of another script", "１０.0.0.1"],
    ["brackets", "[::1]"],
    ["an octal-looking tail", "::ffff:010.0.0.1"],
    ["a hexadecimal tail", "::ffff:0x7f.0.0.1"],
    ["a short tail", "::ffff:127.1"],
    ["a tail above 255", "::ffff:1.2.3.256"],
    ["a tail of five parts", "::ffff:1.2.3.4.5"],
    ["dots in the middle", "::1.2.3.4:5"],
    ["nine groups", "1:2:3:4:5:6:7:8:9"],
    ["seven groups", "1:2:3:4:5:6:7"],
    ["two gaps", "1::2::3"],
    ["three colons", ":::"],
    ["five digits in a group", "12345::"],
    ["a group that is not hexadecimal", "g::1"],
    ["an empty zone", "fe80::1%"],
    ["only a zone", "%eth0"],
    ["nothing", ""],
    ["a host name", "localhost"],
    ["a network", "10.0.0.0/8"],
    ["a star", "*"],
  ])("is null for %s", (_title, text) => {
    expect(parseAddress(text)).toBeNull();
  });
});

describe("categorizeAddress and bindScope", () => {
  it.each([
    ["0.0.0.0", "unspecified", "all-interfaces"],
    ["::", "unspecified", "all-interfaces"],
    ["::ffff:0.0.0.0", "unspecified", "all-interfaces"],
    ["0.0.0.1", "reserved", "public"],
    ["127.0.0.1", "loopback", "loopback"],
    ["127.255.255.254", "loopback", "loopback"],
    ["128.0.0.0", "public", "public"],
    ["::1", "loopback", "loopback"],
    ["::ffff:127.0.0.1", "loopback", "loopback"],
    ["::127.0.0.1", "public", "public"],
    ["10.0.0.0", "private", "private"],
    ["9.255.255.255", "public", "public"],
    ["11.0.0.0", "public", "public"],
    ["172.15.255.255", "public", "public"],
    ["172.16.0.0", "private", "private"],
    ["172.31.255.255", "private", "private"],
    ["172.32.0.0", "public", "public"],
    ["192.168.1.1", "private", "private"],
    ["192.169.0.0", "public", "public"],
    ["::ffff:192.168.1.1", "private", "private"],
    ["fc00::1", "private", "private"],
    ["fdff::1", "private", "private"],
    ["100.63.255.255", "public", "public"],
    ["100.64.0.0", "cgnat", "private"],
    ["100.127.255.255", "cgnat", "private"],
    ["100.128.0.0", "public", "public"],
    ["169.254.1.1", "link-local", "private"],
    ["fe80::1%eth0", "link-local", "private"],
    ["febf::1", "link-local", "private"],
    ["169.254.169.254", "metadata", "private"],
    ["::ffff:169.254.169.254", "metadata", "private"],
    ["::ffff:a9fe:a9fe", "metadata", "private"],
    ["fd00:ec2::254", "metadata", "private"],
    ["FD00:0EC2:0::0254", "metadata", "private"],
    ["100.100.100.200", "metadata", "private"],
    // An agent in a container finds credentials at these.
    ["169.254.170.2", "metadata", "private"],
    ["169.254.170.23", "metadata", "private"],
    ["fd00:ec2::23", "metadata", "private"],
    ["fd20:ce::254", "metadata", "private"],
    ["fe80::a9fe:a9fe", "metadata", "private"],
    ["fe80:0::A9FE:A9FE%eth0", "metadata", "private"],
    ["fd00:c1::a9fe:a9fe", "metadata", "private"],
    ["169.254.0.23", "metadata", "private"],
    ["169.254.42.42", "metadata", "private"],
    ["fd00:42::42", "metadata", "private"],
    ["224.0.0.1", "multicast", "private"],
    ["239.255.255.255", "multicast", "private"],
    ["255.255.255.255", "multicast", "private"],
    ["ff02::1", "multicast", "private"],
    ["240.0.0.1", "reserved", "public"],
    ["192.0.2.1", "reserved", "public"],
    ["198.51.100.1", "reserved", "public"],
    ["203.0.113.1", "reserved", "public"],
    ["198.18.0.1", "reserved", "public"],
    ["2001:db8::1", "reserved", "public"],
    ["fec0::1", "reserved", "public"],
    ["8.8.8.8", "public", "public"],
    ["2606:4700::1111", "public", "public"],
    ["2002:808:808::1", "public", "public"],
    ["2001:0:1::1", "public", "public"],
    ["64:ff9b::8.8.8.8", "public", "public"],
    ["64:ff9b:1::1", "public", "public"],
    ["not an address", "reserved", "public"],
    ["", "reserved", "public"],
  ])("%s is %s and reaches %s", (text, category, scope) => {
    expect([categorizeAddress(text), bindScope(text)]).toEqual([category, scope]);
  });
});

describe("parseCidr", () => {
  it.each([
    ["10.0.0.0/8", "10.0.0.0/8"],
    ["10.0.0.1", "10.0.0.1/32"],
    ["0.0.0.0/0", "0.0.0.0/0"],
    ["10.128.0.0/9", "10.128.0.0/9"],
    ["10.0.0.254/31", "10.0.0.254/31"],
    ["2001:DB8::/32", "2001:db8::/32"],
    ["::/0", "::/0"],
    ["2001:db8::1", "2001:db8::1/128"],
    ["fe80::/10", "fe80::/10"],
    ["::ffff:10.0.0.0/8", "10.0.0.0/8"],
  ])("reads %s as %s", (text, expected) => {
    expect(parseCidr(text)?.text).toBe(expected);
  });

  it.each([
    ["host bits", "10.0.0.1/8"],
    ["one host bit", "10.0.0.1/31"],
    ["a host bit inside an octet", "10.64.0.0/9"],
    ["host bits in IPv6", "2001:db8::1/64"],
    ["a prefix above 32", "10.0.0.0/33"],
    ["a prefix above 128", "::/129"],
    ["a v4-mapped network counted in 128 bits", "::ffff:10.0.0.0/104"],
    ["no prefix after the slash", "10.0.0.0/"],
    ["a leading zero in the prefix", "10.0.0.0/08"],
    ["a signed prefix", "10.0.0.0/+8"],
    ["a fraction", "10.0.0.0/8.0"],
    ["a mask", "10.0.0.0/255.0.0.0"],
    ["two slashes", "10.0.0.0/8/8"],
    ["a short network", "10/8"],
    ["a zone", "fe80::%eth0/10"],
    ["a blank", "10.0.0.0 /8"],
    ["only a prefix", "/8"],
    ["nothing", ""],
  ])("is null for %s", (_title, text) => {
    expect(parseCidr(text)).toBeNull();
  });
});

describe("cidrHolds", () => {
  it.each([
    ["10.0.0.0/8", "10.255.255.255", true],
    ["10.0.0.0/8", "11.0.0.0", false],
    ["10.0.0.0/8", "::ffff:10.1.2.3", true],
    ["10.0.0.0/8", "::10.1.2.3", false],
    ["10.128.0.0/9", "10.127.255.255", false],
    ["10.0.0.1", "10.0.0.1", true],
    ["10.0.0.1", "10.0.0.2", false],
    ["0.0.0.0/0", "8.8.8.8", true],
    ["0.0.0.0/0", "2001:db8::1", false],
    ["::/0", "2001:db8::1", true],
    ["::/0", "8.8.8.8", false],
    ["::/0", "::ffff:8.8.8.8", false],
    ["fe80::/10", "fe80::1%eth0", true],
    ["2001:db8::/33", "2001:db8:8000::1", false],
    ["10.0.0.0/8", "010.0.0.1", false],
    ["10.0.0.0/8", "", false],
  ])("%s and %s: %s", (network, address, expected) => {
    const cidr = parseCidr(network);
    const bits = addressBits(address);
    expect(cidr !== null && bits !== null && cidrHolds(cidr, bits)).toBe(expected);
  });
});
