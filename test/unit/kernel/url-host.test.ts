import { describe, expect, it } from "vitest";
import { FETCH_URL_CHARS_MAX, fetchDestination, readFetchAddress } from "../../../src/kernel/url-host.ts";

describe("the host of an address", () => {
  it.each([
    ["https://example.com", "example.com"],
    ["HTTP://EXAMPLE.com/Path?Q#f", "example.com"],
    ["https://münchen.example/", "xn--mnchen-3ya.example"],
    ["https://xn--mnchen-3ya.example/", "xn--mnchen-3ya.example"],
    ["https://例え.jp/", "xn--r8jz45g.jp"],
    ["https://a_b.example.com:8443/", "a_b.example.com"],
    ["http://93.184.215.14/", "93.184.215.14"],
    ["http://[2606:4700:0:0::1111]/", "[2606:4700::1111]"],
    ["http://localhost:8080/", "localhost"],
    ["https://example.com:443/", "example.com"],
  ])("%s is %s", (url, host) => {
    expect(fetchDestination(url)).toBe(host);
    expect(fetchDestination({ url })).toBe(host);
  });

  it.each([undefined, 5, null, {}, ["https://example.com"]])("is null where the input holds no address: %j", (url) => {
    expect(fetchDestination({ url })).toBeNull();
  });

  it("is null for an address that is longer than any", () => {
    const url = `https://example.com/${"a".repeat(FETCH_URL_CHARS_MAX)}`;
    expect([fetchDestination(url.slice(0, FETCH_URL_CHARS_MAX)), fetchDestination(url)]).toEqual(["example.com", null]);
  });

  it("comes with what is fetched, without the fragment", () => {
    expect(readFetchAddress("https://EXAMPLE.com/a b".replace(" ", "%20") + "#x")).toEqual({
      ok: true,
      address: { host: "example.com", scheme: "https", port: 443, href: "https://example.com/a%20b" },
    });
  });
});

describe("a port", () => {
  it.each([80, 443, 1025, 3000, 8000, 8080, 8443, 65_535])("%i may be named", (port) => {
    expect(fetchDestination(`https://example.com:${String(port)}/`)).toBe("example.com");
  });
  it.each([
    "0",
    "22",
    "25",
    "53",
    "445",
    "1024",
    "3306",
    "5432",
    "6379",
    "11211",
    "27017",
    "65536",
    "080",
    "8e3",
    "",
    "-1",
  ])("%j may not", (port) => {
    expect(fetchDestination(`https://example.com:${port}/`)).toBeNull();
  });
});
