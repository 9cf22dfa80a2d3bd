/** Grants and sizes as people write them: what is read, and what is refused because it would grant more than it says. */
import { describe, expect, it } from "vitest";
import { readGrant } from "../../../src/cli/grant.ts";
import { parseGrant } from "../../../src/cli/permission-settings.ts";
import { readDomain } from "../../../src/cli/permission-sections.ts";
import { readSize } from "../../../src/cli/size.ts";
import { grantSchema } from "../../../src/kernel/permissions.ts";

describe("a grant", () => {
  it.each([
    ["network:registry.example.com:untrusted", "registry.example.com", null],
    ["network:registry.example.com:untrusted:2027-01-01", "registry.example.com", Date.UTC(2027, 0, 1)],
    ["network:[::1]:8080:untrusted:2027-01-01T12:00:00Z", "[::1]:8080", Date.UTC(2027, 0, 1, 12)],
    ["push:git@example.com:team/app.git:untrusted", "git@example.com:team/app.git", null],
    ["mcp:https://a.example.com:untrusted:secret", "https://a.example.com:untrusted", null],
    ["network:*.example.com:secret:2027-01-01T00:00+02:00", "*.example.com", Date.UTC(2026, 11, 31, 22)],
  ])("is read from %s", (text, destination, expires_at) => {
    const grant = parseGrant(text);
    expect(grant).toMatchObject({ destination, expires_at });
    expect(grantSchema().parse(grant)).toEqual(grant);
  });

  it("has an id that is the same wherever it is written, and another for anything else", () => {
    const ids = ["network:a.b:secret", "network:a.b:untrusted", "push:a.b:secret", "network:a.b:secret:2027-01-01"];
    expect(new Set(ids.map((text) => parseGrant(text).id)).size).toBe(4);
    expect(parseGrant(" network:a.b:secret ").id).toBe(parseGrant("network:a.b:secret").id);
  });

  it.each([
    ["network", "sink:destination:label"],
    ["network:a.b", "sink:destination:label"],
    ["network:a.b:trusted", "sink:destination:label"],
    ["net:a.b:secret", "one of network, push, mcp"],
    ["network::secret", "must not be empty"],
    ["network:*:secret", "must name somebody"],
    ["network:**:secret", "must name somebody"],
    ["network:*.*:secret", "must name somebody"],
    ["network:*.com:secret", "must name somebody"],
    ["network:https://*:secret", "must name somebody"],
    ["network:*:443:secret", "must name somebody"],
    ["network:a\u200b.b:secret", "cannot be seen"],
    ["network:a.b\u0000.c:secret", "cannot be seen"],
    ["network:a.b:secret:2027-02-31", "Its end"],
    ["network:a.b:secret:tomorrow", "sink:destination:label"],
    [`network:${"a".repeat(501)}:secret`, "more than 500"],
  ])("is refused: %j", (text, why) => {
    expect(readGrant(text)).toEqual({ wrong: expect.stringMatching(why) as string });
    expect(() => parseGrant(text)).toThrow(expect.objectContaining({ kind: "usage" }));
  });
});

describe("a size", () => {
  it("has powers of 1024", () => {
    const texts = ["1M", "512m", "1.5GiB", "8 GB", "1048576", "64T"];
    expect(texts.map(readSize)).toEqual(
      [2 ** 20, 2 ** 29, 1.5 * 2 ** 30, 2 ** 33, 2 ** 20, 2 ** 46].map((value) => ({ value })),
    );
  });
  it.each(["", "0", "12", "65T", "1e9", "-1G", "8X", "Infinity"])("is refused: %j", (text) => {
    expect(readSize(text)).toHaveProperty("wrong");
  });
});

describe("a domain", () => {
  it("is a host, or what is below one", () => {
    expect(["Example.COM", "*.example.com", "localhost", "xn--bcher-kva.example"].map(readDomain)).toEqual(
      ["example.com", "*.example.com", "localhost", "xn--bcher-kva.example"].map((value) => ({ value })),
    );
  });
  it.each([
    "",
    "*",
    "*.com",
    "*.*.com",
    "a.*.com",
    "https://a.b",
    "a.b/c",
    "a.b:80",
    "a\u0000.b",
    "a..b",
    ".a.b",
    "a.b.",
    "-a.b",
    "bücher.de",
  ])("is refused: %j", (text) => {
    expect(readDomain(text)).toHaveProperty("wrong");
  });
});
