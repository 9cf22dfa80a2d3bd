/**
 * Can a model that obeys an attacker reach through `web_fetch` what is not the public web? Every refusal has its control: the same
 * server answers when its address is allowed.
 */
import { execFile } from "node:child_process";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { fetcher, serve } from "../support/web-server.ts";
import { isPublicAddress } from "../../src/kernel/public-address.ts";

const PUBLIC = { allowAddress: isPublicAddress };
const REFUSED =
  /^error: (The address (spells|holds|names|cannot|does not|is longer)|\S+ (is not a public address|leads to an address that is not public))/;

/** Each leads to 127.0.0.1, 169.254.169.254 or another inside, in some parser. */
const NOTATIONS: readonly string[] = [
  // plain
  ...[
    "127.0.0.1",
    "127.0.0.2",
    "127.255.255.254",
    "0.0.0.0",
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
  ],
  ...[
    "169.254.169.254",
    "100.64.0.1",
    "100.100.100.200",
    "192.0.0.192",
    "198.18.0.1",
    "224.0.0.251",
    "255.255.255.255",
  ],
  ...["240.0.0.1", "168.63.129.16", "192.0.2.1", "198.51.100.7", "203.0.113.9", "192.88.99.1"],
  // decimal, octal, hexadecimal, short, mixed, overflowing
  ...["2130706433", "2852039166", "0", "1", "017700000001", "0177.0.0.1", "0177.0.0.01", "0251.0376.0251.0376"],
  ...[
    "0x7f000001",
    "0x7f.0.0.1",
    "0x7f.0x0.0x0.0x1",
    "0xa9fea9fe",
    "0xa9.0xfe.0xa9.0xfe",
    "0X7F000001",
    "127.1",
    "127.0.1",
  ],
  ...["10.1", "192.168.257", "0x7f.1", "0177.1", "127.0x1", "127.000.000.001", "127.0.0.01", "0127.0.0.1", "00.0.0.0"],
  ...[
    "4294967295",
    "8.8.8.8.",
    "127.0.0.1.",
    "2130706433.",
    "localhost.",
    "example.com.",
    "0x",
    "1.2.3.4.5",
    "256.256.256.256",
  ],
  // IPv6
  ...["[::]", "[::1]", "[0:0:0:0:0:0:0:1]", "[0000::0001]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]"],
  ...[
    "[::ffff:169.254.169.254]",
    "[::ffff:a9fe:a9fe]",
    "[::ffff:8.8.8.8]",
    "[64:ff9b::127.0.0.1]",
    "[64:ff9b::a9fe:a9fe]",
  ],
  ...["[64:ff9b:1::1]", "[2002:7f00:1::]", "[2002:a9fe:a9fe::]", "[2001:0:4136:e378:8000:63bf:3fff:fdd2]", "[fe80::1]"],
  ...[
    "[fe80::1%25eth0]",
    "[fe80::1%eth0]",
    "[::1%25lo]",
    "[fc00::1]",
    "[fd00:ec2::254]",
    "[fec0::1]",
    "[ff02::1]",
    "[100::1]",
  ],
  ...[
    "[2001:db8::1]",
    "[2001:2::1]",
    "[3fff::1]",
    "[2a00::5efe:127.0.0.1]",
    "[::ffff:0:127.0.0.1]",
    "[::1",
    "::1",
    "[127.0.0.1]",
  ],
  // other spellings of letters, digits and dots
  ...[
    "127。0。0。1",
    "127．0．0．1",
    "127｡0｡0｡1",
    "１２７.0.0.1",
    "①②⑦.0.0.1",
    "۱۲۷.0.0.1",
    "ⓛocalhost",
    "ｌocalhost",
    "LOCALHOST。",
  ],
  ...[
    "locaℓhost",
    "localhoſt",
    "127.0.0.1\u200b",
    "local\u00adhost",
    "l\u200docalhost",
    "example。com",
    "K.example\u212a.com",
  ],
  // percent signs and what ends or begins a host
  ...[
    "127%2e0%2e0%2e1",
    "%31%32%37.0.0.1",
    "localhos%74",
    "127.0.0.1%00.example.com",
    "example.com%2f@127.0.0.1",
    "%5b::1%5d",
  ],
  ...[
    "user@127.0.0.1",
    "user:pass@127.0.0.1",
    "example.com@127.0.0.1",
    "example.com:80@127.0.0.1",
    "@127.0.0.1",
    ":@127.0.0.1",
  ],
  ...[
    "127.0.0.1\\@example.com",
    "example.com\\.evil.com",
    "\\127.0.0.1",
    "127.0.0.1\t",
    "\n127.0.0.1",
    "127.0.0.1 ",
    " 127.0.0.1",
  ],
  ...[
    "",
    "/127.0.0.1",
    ":8080",
    "..",
    ".",
    "a..b",
    "-a.com",
    "a-.com",
    "a b.com",
    "127.0.0.1#@example.com",
    "127.0.0.1?@example.com",
  ],
];

describe("a host", () => {
  it("is tried in more ways than eighty", () => {
    expect(new Set(NOTATIONS).size).toBeGreaterThanOrEqual(80);
  });

  it.each(NOTATIONS)("written as %j is refused, and nothing is looked up or connected to", async (host) => {
    const { port, requests } = await serve((_request, response) => response.end("inside"));
    const { told, lookups } = fetcher(PUBLIC);
    for (const url of [`http://${host}:${String(port)}/`, `http://${host}/`, `https://${host}/latest/meta-data/`])
      expect(await told(url)).toMatch(REFUSED);
    expect([lookups, requests.length]).toEqual([[], 0]);
    // The control: the server is there, and only its address keeps it apart.
    expect(await fetcher().told(`http://127.0.0.1:${String(port)}/`)).toMatch(/^ok: .*inside$/s);
  });

  it.each([
    "file:///etc/passwd",
    "ftp://example.com/",
    "gopher://127.0.0.1:70/",
    "data:text/plain,x",
    "javascript:1",
    "//example.com/",
  ])("behind another scheme is refused: %s", async (url) => {
    expect(await fetcher().told(url)).toBe(
      "error: The address does not begin with https:// or http://. Nothing was fetched.",
    );
  });

  it.each([
    "http:/127.0.0.1/",
    "http:127.0.0.1/",
    "http:\\\\127.0.0.1\\",
    "https:///127.0.0.1/",
    "view-source:http://127.0.0.1/",
  ])("with other slashes is refused: %s", async (url) => {
    expect(await fetcher(PUBLIC).told(url)).toMatch(REFUSED);
  });
});

describe("a name", () => {
  it.each([
    ["127.0.0.1"],
    ["10.0.0.5"],
    ["169.254.169.254"],
    ["::1"],
    ["::ffff:10.0.0.1"],
    ["fd00::1"],
    ["93.184.215.14", "127.0.0.1"],
    ["127.0.0.1", "93.184.215.14"],
    ["93.184.215.14", "2606:4700::1", "fe80::1"],
    ["93.184.215.14", "not an address"],
  ])("that leads to %s is refused, whatever else it leads to", async (...addresses) => {
    const { port, requests } = await serve((_request, response) => response.end("inside"));
    const url = `http://inside.example:${String(port)}/`;
    const lookup = () =>
      Promise.resolve(addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 })));
    expect(await fetcher({ ...PUBLIC, lookup }).told(url)).toBe(
      "error: inside.example leads to an address that is not public, and only public ones are fetched from.",
    );
    expect(requests.length).toBe(0);
    expect(await fetcher().told(url)).toMatch(/^ok: .*inside$/s);
  });

  it("that leads nowhere, or whose resolver fails, is an error", async () => {
    const failing = (code: string) =>
      fetcher({ lookup: () => Promise.reject(Object.assign(new Error("dns"), { code })) });
    expect(await fetcher({ lookup: () => Promise.resolve([]) }).told("http://a.example/")).toMatch(
      /^error: a\.example has no/,
    );
    expect(await failing("ENOTFOUND").told("http://a.example/")).toMatch(/^error: There is no host a\.example/);
    expect(await failing("EAI_AGAIN").told("http://a.example/")).toMatch(/could not be resolved \(EAI_AGAIN\)/);
  });

  it("that answers a public address first and a private one after is never asked twice, and the private one never connected to", async () => {
    const inside = await serve((_request, response) => response.end("inside"));
    let asked = 0;
    // Loopback has many addresses: 127.0.0.2, where nobody listens, stands for the public one.
    const lookup = () => Promise.resolve([{ address: (asked += 1) === 1 ? "127.0.0.2" : "127.0.0.1", family: 4 }]);
    const url = `http://rebinding.example:${String(inside.port)}/`;
    const first = fetcher({ lookup, allowAddress: (address) => address === "127.0.0.2" });
    expect(await first.told(url)).toBe(
      "error: rebinding.example refuses the connection. Try again later, or another source.",
    );
    expect([asked, inside.requests.length]).toEqual([1, 0]);
    expect(await first.told(url)).toMatch(/^error: rebinding\.example leads to an address that is not public/);
    expect([asked, inside.requests.length]).toEqual([2, 0]);
    expect(await fetcher().told(url)).toMatch(/^ok: /);
  });

  it("that changes to a private address between a page and its redirect is refused there", async () => {
    const { port, requests } = await serve((request, response) => {
      if (request.url === "/start") response.writeHead(302, { location: "/secret" }).end();
      else response.end("inside");
    });
    let asked = 0;
    const changing = fetcher({ allowAddress: () => (asked += 1) === 1 });
    expect(await changing.told(`http://changing.example:${String(port)}/start`)).toMatch(/is not public/);
    expect(requests.map(({ url }) => url)).toEqual(["/start"]);
    expect(await fetcher().told(`http://changing.example:${String(port)}/start`)).toMatch(/^ok: .*inside$/s);
  });
});

describe("a redirect", () => {
  /** What is told when a page on the (allowed) server leads there; any later address must be public. */
  const led = async (location: string): Promise<string> => {
    const { port, requests } = await serve((_request, response) => response.writeHead(302, { location }).end());
    let asked = 0;
    const allowAddress = (address: string): boolean => (asked += 1) === 1 || isPublicAddress(address);
    const { told, lookups } = fetcher({ allowAddress });
    const text = await told(`http://example.com:${String(port)}/`);
    expect([lookups, requests.length]).toEqual([["example.com"], 1]);
    return text;
  };

  it.each([
    ...[
      "http://169.254.169.254/latest/meta-data/iam/",
      "http://[fd00:ec2::254]/latest/",
      "http://127.0.0.1/",
      "http://[::1]/",
    ],
    ...["http://[::ffff:169.254.169.254]/", "http://2852039166/", "http://0251.0376.0251.0376/", "//169.254.169.254/"],
    ...[
      "///169.254.169.254/",
      "\\\\169.254.169.254\\",
      "http://user@example.com/",
      "http://example.com:22/",
      "http://",
    ],
    ...["file:///etc/passwd", "gopher://127.0.0.1/", "javascript:alert(1)", "data:text/html,x"],
  ])("to %s is refused, and no second call is asked for", async (location) => {
    const text = await led(location);
    expect(text).toMatch(/^error: \S+ redirects, and .*\. It was not followed\.$/);
    expect(text).not.toContain("Call web_fetch");
  });

  it.each(["http://93.184.215.14/", "https://other.example/"])(
    "to %s, which is public, is offered",
    async (location) => {
      expect(await led(location)).toContain(`another host, which was not asked:\n${location}\nCall web_fetch`);
    },
  );

  it("to another port of the same host is another service: told, not followed", async () => {
    const inside = await serve((_request, response) => response.end("inside"));
    const { port } = await serve((_request, response) =>
      response.writeHead(302, { location: `http://example.com:${String(inside.port)}/` }).end(),
    );
    expect(await fetcher().told(`http://example.com:${String(port)}/`)).toMatch(/^ok: .*Call web_fetch/s);
    expect(inside.requests.length).toBe(0);
  });
});

it("no proxy of the environment comes between the check and the connection", async () => {
  const proxy = await serve((_request, response) => response.end("through the proxy"));
  const target = await serve((_request, response) => response.end("straight"));
  const tool = join(dirname(import.meta.dirname), "../src/tool/web-fetch.ts");
  const script = `
    const { createWebFetchTool } = await import(${JSON.stringify(tool)});
    const tool = createWebFetchTool({ allowAddress: () => true, lookup: async () => [{ address: "127.0.0.1", family: 4 }] });
    const clock = { sleep: () => new Promise(() => undefined) };
    const context = { signal: new AbortController().signal, clock, limit_ms: 1e4 };
    console.log(JSON.stringify((await tool.run({ url: process.argv[1] }, context)).content));
    const http = await import("node:http");
    const control = await new Promise((done) => http.get("http://control.example/", (r) => r.setEncoding("utf8").on("data", done)));
    console.log(control);
    process.exit(0);`;
  const url = `http://127.0.0.1:${String(proxy.port)}`;
  const env = { ...process.env, NODE_USE_ENV_PROXY: "1", HTTP_PROXY: url, http_proxy: url, NO_PROXY: "", no_proxy: "" };
  const address = `http://example.com:${String(target.port)}/`;
  const args = ["--input-type=module", "-e", script, address];
  const { stdout } = await promisify(execFile)(process.execPath, args, { env });
  expect(stdout).toContain("straight");
  expect(proxy.requests.map(({ url: asked }) => asked)).toEqual(["http://control.example/"]);
});
