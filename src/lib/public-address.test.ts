import { describe, expect, test } from "bun:test";
import { isPublicAddress, plainAddress } from "./public-address.ts";

const REFUSED = {
  "this machine": ["127.0.0.1", "127.255.255.255", "::1"],
  unspecified: ["0.0.0.0", "0.1.2.3", "::"],
  private: ["10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "fc00::1", "fd12:3456::1"],
  "link-local": ["169.254.0.1", "fe80::1", "febf::1"],
  "a cloud's own services": [
    "169.254.169.254",
    "fd00:ec2::254",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.192",
  ],
  "behind a carrier's NAT": ["100.64.0.1", "100.127.255.255"],
  multicast: ["224.0.0.1", "239.255.255.255", "ff02::1"],
  "reserved and broadcast": ["240.0.0.1", "255.255.255.255", "192.0.0.1", "5f00::1", "4000::1"],
  documentation: ["192.0.2.1", "198.51.100.1", "203.0.113.1", "2001:db8::1", "3fff::1"],
  benchmarking: ["198.18.0.1", "198.19.255.255", "2001:2::1"],
  "IPv4 inside IPv6": [
    "::ffff:127.0.0.1",
    "::ffff:7f00:1",
    "::FFFF:10.0.0.1",
    "::127.0.0.1",
    "::7f00:1",
    "64:ff9b::169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::a00:1",
  ],
  "6to4 and Teredo": ["2002:7f00:1::", "2002:808:808::1", "2001:0:4136:e378::1"],
  "site-local, discard": ["fec0::1", "100::1"],
  "no address": [
    "",
    "localhost",
    "1.2.3",
    "0x7f.1",
    "2130706433",
    "fe80::1%eth0",
    "2606::1%1",
    "g::1",
  ],
};

describe("an address that is not public", () => {
  for (const [kind, addresses] of Object.entries(REFUSED)) {
    test.each(addresses)(`${kind}: %s`, (address) => {
      expect(isPublicAddress(address)).toBe(false);
    });
  }
});

test.each([
  "1.1.1.1",
  "8.8.8.8",
  "9.255.255.255",
  "11.0.0.0",
  "100.63.255.255",
  "100.128.0.0",
  "126.255.255.255",
  "128.0.0.1",
  "168.63.129.17",
  "169.253.255.255",
  "172.15.255.255",
  "172.32.0.0",
  "192.167.255.255",
  "223.255.255.255",
  "2001:200::1",
  "2001:4860:4860::8888",
  "2606:4700::1111",
  "2a00:1450:4001:81b::200e",
  "::ffff:8.8.8.8",
  "64:ff9b::808:808",
])("%s is public", (address) => {
  expect(isPublicAddress(address)).toBe(true);
});

test.each([
  ["203.0.114.9", "::ffff:203.0.114.9"],
  ["203.0.114.9", "::ffff:cb00:7209"],
  ["203.0.114.9", "::203.0.114.9"],
  ["203.0.114.9", "64:ff9b::cb00:7209"],
  ["2a01:4f8::9", "2A01:04F8:0:0:0:0:0:9"],
])("%s is the same address as %s", (one, other) => {
  expect(plainAddress(other)).toBe(plainAddress(one));
  expect(plainAddress(one)).not.toBeNull();
});

test("an IPv4 address is not the same as the IPv6 one with its bytes in another place", () => {
  expect(plainAddress("2000::203.0.114.9")).not.toBe(plainAddress("203.0.114.9"));
  expect(plainAddress("fe80::1%eth0")).toBeNull();
});
