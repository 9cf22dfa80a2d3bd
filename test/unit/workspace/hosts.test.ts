/** One spelling for each host; what two programs could read as two hosts is none. */
import { describe, expect, it } from "vitest";
import { canonicalHost, isListed, readTarget } from "../../../src/workspace/sandbox/hosts.ts";
import { fc } from "../../support/property.ts";

const listed = (target: string, ...entries: string[]): boolean => {
  const read = readTarget(target);
  return read !== null && isListed(read, entries);
};

describe("a host", () => {
  it.each([
    ["Example.COM", "example.com"],
    ["example.com.", "example.com"],
    ["xn--bcher-kva.example", "xn--bcher-kva.example"],
    ["my_host.internal", "my_host.internal"],
    ["8.8.8.8", "8.8.8.8"],
    ["[2606:4700::1111]", "2606:4700::1111"],
  ])("%s is %s", (text, host) => {
    expect(canonicalHost(text)).toBe(host);
  });

  it.each([
    ...[
      "",
      ".",
      "..",
      "a..b",
      ".example.com",
      "example.com..",
      "-a.com",
      "a-.com",
      `${"a".repeat(64)}.com`,
      `${"a.".repeat(130)}com`,
    ],
    ...[
      "evil.com\0.example.com",
      "evil.com\n.example.com",
      "evil.com\r",
      " example.com",
      "example.com ",
      "ex\tample.com",
    ],
    ...[
      "user@example.com",
      "example.com@evil.com",
      "example.com/evil.com",
      "example.com\\evil.com",
      "example.com#",
      "example.com?x",
    ],
    ...[
      "example%2ecom",
      "example.com%00",
      "bücher.example",
      "ｅxample.com",
      "example。com",
      "ex\u00adample.com",
      "[example.com]",
    ],
    ...[
      "127.1",
      "2130706433",
      "0x7f000001",
      "0x7f.1",
      "017700000001",
      "0177.0.0.1",
      "127.0.0.1.",
      "1.2.3.4.5",
      "0x",
      "a.1",
      "::1",
      "[::1%lo]",
      "[127.0.0.1]",
    ],
  ])("%j is none", (text) => {
    const host = canonicalHost(text);
    // A trailing dot of an address is dropped as every trailing dot is: it is the same address.
    expect(host === null || (text === "127.0.0.1." && host === "127.0.0.1")).toBe(true);
  });
});

describe("a list of hosts", () => {
  it("holds exactly the names in it, and with `*.` every name below and not the name itself", () => {
    const entries = ["registry.example.com", "*.cdn.example.com"];
    expect(
      ["registry.example.com", "REGISTRY.example.com.", "a.cdn.example.com", "a.b.cdn.example.com"].map((host) =>
        listed(`${host}:443`, ...entries),
      ),
    ).toEqual([true, true, true, true]);
    expect(
      [
        ...[
          "example.com",
          "x.registry.example.com",
          "cdn.example.com",
          "evilcdn.example.com",
          "registry.example.com.evil.test",
        ],
        ...["registry.example.co", "xregistry.example.com", "a.cdn.example.com.evil.test"],
      ].filter((host) => listed(`${host}:443`, ...entries)),
    ).toEqual([]);
  });

  it("holds nothing when it is empty, or holds what is no name", () => {
    for (const entries of [
      [],
      [""],
      ["*"],
      ["*.com"],
      ["*."],
      ["**.example.com"],
      ["a.*.com"],
      ["https://example.com"],
      ["*.0.0.1"],
      ["example.com/x"],
    ]) {
      expect(
        ["example.com:443", "a.example.com:443", "127.0.0.1:80"].filter((target) => listed(target, ...entries)),
      ).toEqual([]);
    }
  });

  it("means one port where it names one, and one address where it names one", () => {
    expect([listed("a.example:8443", "a.example:8443"), listed("a.example:443", "a.example:8443")]).toEqual([
      true,
      false,
    ]);
    expect([listed("127.0.0.1:1", "127.0.0.1"), listed("127.0.0.2:1", "127.0.0.1")]).toEqual([true, false]);
    expect([listed("[::1]:1", "[::1]"), listed("[0:0:0:0:0:0:0:1]:1", "[::1]")]).toEqual([true, false]);
  });

  it("may be written in a person's own letters", () => {
    expect(listed("xn--bcher-kva.example:443", "Bücher.example")).toBe(true);
  });

  it("never holds a name that is not one of its own, or ends in one of its own behind a dot", () => {
    const label = fc.stringMatching(/^[a-z0-9]{1,8}$/);
    fc.assert(
      fc.property(fc.array(label, { minLength: 1, maxLength: 3 }), fc.string({ maxLength: 12 }), (labels, before) => {
        const suffix = [...labels, "allowed", "test"].join(".");
        const text = `${before}${suffix}:443`;
        const host = readTarget(text)?.host;
        return !listed(text, `*.${suffix}`, suffix) || host === suffix || host?.endsWith(`.${suffix}`) === true;
      }),
    );
  });
});

it.each([
  "example.com",
  "example.com:",
  "example.com:0",
  "example.com:65536",
  "example.com:443x",
  "example.com:+443",
  "a:b:443",
  "example.com:443:443",
  ":443",
])("%j is no target", (text) => {
  expect(readTarget(text)).toBe(null);
});
