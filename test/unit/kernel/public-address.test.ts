/** Which addresses are the public internet: those of others' insides are not, however they are written. */
import { describe, expect, it } from "vitest";
import { isAddress, isPublicAddress } from "../../../src/kernel/public-address.ts";
import { fc } from "../../support/property.ts";

describe("an address", () => {
  it.each([
    "1.1.1.1",
    "8.8.8.8",
    "172.15.255.255",
    "172.32.0.1",
    "100.128.0.1",
    "223.255.255.255",
    "2606:4700::1111",
    "2a00:1450:4001::5",
  ])("%s is public", (ip) => {
    expect(isPublicAddress(ip)).toBe(true);
  });

  it.each([
    ...[
      "0.0.0.0",
      "10.1.2.3",
      "127.0.0.1",
      "127.255.255.254",
      "169.254.169.254",
      "172.16.0.1",
      "172.31.255.255",
      "192.168.1.1",
    ],
    ...["100.64.0.1", "100.100.100.200", "168.63.129.16", "192.0.0.192", "198.18.0.1", "224.0.0.1", "255.255.255.255"],
    ...["::", "::1", "fe80::1", "fec0::1", "fc00::1", "fd00:ec2::254", "ff02::1", "2001:db8::1", "2001::1", "3fff::1"],
    ...["::ffff:8.8.8.8", "::ffff:7f00:1", "::8.8.8.8", "64:ff9b::808:808", "2002:7f00:1::", "2002:808:808::"],
  ])("%s is not", (ip) => {
    expect(isPublicAddress(ip)).toBe(false);
  });

  it.each([
    ...[
      "",
      "8.8.8",
      "8.8.8.8.8",
      "08.8.8.8",
      "0x8.8.8.8",
      "8.8.8.256",
      "8.8.8.8 ",
      "134744072",
      "8.8.8.-8",
      "８.8.8.8",
    ],
    ...[
      "2606:4700::1111%eth0",
      "[2606:4700::1111]",
      "2606:4700:::1",
      "2606::47::1",
      "1:2:3:4:5:6:7",
      "1:2:3:4:5:6:7:8:9",
      "2606:47000::1",
    ],
    ...["2606::1.2.3", "1:2:3:4:5:6:7::8", "example.com"],
  ])("%j is none in the one notation, and not public", (text) => {
    expect([isAddress(text), isPublicAddress(text)]).toEqual([false, false]);
  });

  it("of IPv6 is the same with and without its zeros", () => {
    const group = fc.integer({ min: 0, max: 0xffff }).map((n) => n.toString(16));
    fc.assert(
      fc.property(fc.array(group, { minLength: 1, maxLength: 4 }), (groups) => {
        const zeros = Array.from({ length: 8 - groups.length }, () => "0");
        const long = ["2a00", ...groups.slice(1), ...zeros].join(":");
        const short = `${["2a00", ...groups.slice(1)].join(":")}::`;
        return isAddress(long) && isPublicAddress(long) === isPublicAddress(short);
      }),
    );
  });
});
