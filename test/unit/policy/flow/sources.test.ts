/** What a call brings in, told before it runs by what it is, and after it by what it printed. */
import { expect, it } from "vitest";
import type { SandboxMode } from "../../../../src/kernel/config.ts";
import { CLEAN_LABEL } from "../../../../src/kernel/label.ts";
import { readCall } from "../../../../src/policy/call-reading.ts";
import { bringsIn, type BringsIn, cameAcross } from "../../../../src/policy/flow/sources.ts";
import { testConfig } from "../../../support/config.ts";

interface Reach {
  readonly network?: boolean;
  readonly mode?: SandboxMode;
}

async function command(text: string, { network = false, mode = "bwrap" }: Reach = {}): Promise<BringsIn> {
  const request = { tool: "bash", effect: "execute", input: { command: text } } as const;
  const standing = { config: testConfig(), label: CLEAN_LABEL, phase: null, root: "/w", home: "/home/u", now: 0 };
  const reading = await readCall(request, { ...standing, userWrote: () => false, webNamed: () => false });
  return bringsIn(request, network, mode, reading);
}

function file(tool: string, input: Readonly<Record<string, string>>): BringsIn {
  return bringsIn({ tool, effect: "read", input }, false, "bwrap", null);
}

it("the web is strangers', and the user's own files are not", () => {
  expect(bringsIn({ tool: "web_fetch", effect: "network", input: {} }, false, "bwrap", null).untrusted).toBe(
    "web_fetch",
  );
  for (const path of ["src/a.ts", "README.md", "docs/node_modules.md", "src/modules/x"])
    expect(file("read", { path })).toEqual({ untrusted: null, secret: null });
});

it("what package managers brought is strangers', by whatever tool it is read", () => {
  for (const path of [
    ...[
      "node_modules/x/README.md",
      "packages/a/NODE_MODULES/b",
      ".venv/lib/x.py",
      "/usr/lib/python3/dist-packages/x.py",
    ],
    ...["/home/u/.cargo/registry/src/x", "/home/u/go/pkg/mod/x", "ios/Pods/x", ".yarn/cache/x.zip"],
  ])
    expect({ path, untrusted: file("read", { path }).untrusted }).toEqual({
      path,
      untrusted: `downloaded code (${path})`,
    });
  expect(file("grep", { pattern: "x", glob: "node_modules/**" }).untrusted).not.toBeNull();
  expect(file("glob", { pattern: "**/node_modules/*/README.md" }).untrusted).not.toBeNull();
});

it("a command that reads it is told by its words, and one that leaves it out or runs a program of it is not", async () => {
  for (const text of [
    "cat node_modules/x/README.md",
    "cd node_modules && cat x/y",
    "head 'node_modules/a b'",
    "ls node_modules",
  ])
    expect({ text, is: (await command(text)).untrusted !== null }).toEqual({ text, is: true });
  for (const text of [
    ...[
      "grep -r --exclude-dir=node_modules x .",
      "find . -not -path './node_modules/*' -name x",
      "rm -rf node_modules",
    ],
    ...["node_modules/.bin/vitest run", "./node_modules/.bin/tsc -p .", "rg -g '!node_modules' x", "npm test"],
  ])
    expect({ text, is: (await command(text)).untrusted !== null }).toEqual({ text, is: false });
});

it("a search that came across it is told by what it printed; a stack trace that names it is not", () => {
  expect(cameAcross(["./node_modules/x/a.js:3:DO this\n"])).not.toBeNull();
  expect(cameAcross(["src/a.ts:1:x\npackages/b/node_modules/c/README.md\n"])).not.toBeNull();
  expect(cameAcross(["Error: no\n    at f (/w/node_modules/x/a.js:1:2)\n"])).toBeNull();
  expect(cameAcross(["src/a.ts:1:import x from 'node_modules/x'\n"])).toBeNull();
});

it("a sandboxed command with network brings in whatever it likes, unless all its programs stay offline", async () => {
  expect((await command("node x.js", { network: true })).untrusted).toBe("a command with network");
  expect((await command("curl https://a.example", { network: true })).untrusted).toBe("a command with network");
  expect((await command("ls; git status", { network: true })).untrusted).toBeNull();
  expect((await command("curl https://a.example")).untrusted).toBeNull();
});

it("where every command could fetch, those that are made for it count", async () => {
  const reach = { network: true, mode: "external" } as const;
  for (const text of [
    "curl https://a.example",
    "git fetch",
    "wget -qO- a.example",
    "cat < /dev/tcp/a.example/80",
    "gh issue view 1",
  ])
    expect({ text, is: (await command(text, reach)).untrusted !== null }).toEqual({ text, is: true });
  for (const text of ["npm test", "npm ci", "node x.js"]) expect((await command(text, reach)).untrusted).toBeNull();
});

it("a file of secrets is secret", () => {
  expect(file("read", { path: "deploy/.env" }).secret).toBe("the file deploy/.env");
  expect(file("read", { path: ".env.example" }).secret).toBeNull();
});
