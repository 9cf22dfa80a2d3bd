/**
 * Does a secret that a session meets get out of it? Canaries of every kind stand wherever a session reads or hears something: files
 * and their names, output, errors, what the model writes, the task, the verification, a remote's address, a page of the web, the
 * environment. None of them may be in the journal's bytes, in what is printed or exported, or in a request to the model.
 * Control: the secrets are in the work tree all along, and the vault beside the journal knows them.
 */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { globSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from "node:zlib";
import { describe, expect, it, onTestFinished } from "vitest";
import { COMPILE_CACHE } from "../support/compile-cache.ts";
import type { Delta } from "../../src/kernel/delta.ts";
import { staysInside } from "../../src/engine/judge-tools.ts";
import { LOCAL_TENANT } from "../../src/kernel/ids.ts";
import { DEFAULT_CONFINEMENT } from "../../src/kernel/permissions.ts";
import { loadSession } from "../../src/store/journal.ts";
import { createRedactor } from "../../src/store/redaction.ts";
import { memoryVault } from "../../src/store/vault.ts";
import { startEmulator } from "../../src/testing/emulator/emulator.ts";
import { callTool, say, scriptedModel } from "../../src/testing/scripted-model.ts";
import type { Tool } from "../../src/tool/tool.ts";
import { createWebFetchTool } from "../../src/tool/web-fetch.ts";
import { testHost } from "../support/host.ts";
import { testConfig } from "../support/config.ts";
import { KNOWN, KNOWN_FORMS, SAMPLES } from "../support/secret-samples.ts";
import { eventsOf, start, testPlace, type TestPlace } from "../support/session.ts";
import { serve } from "../support/web-server.ts";

const MAIN = join(import.meta.dirname, "../../src/cli/main.ts");
const ALL = [...SAMPLES.map(({ text }) => text), ...KNOWN_FORMS.map(([name, text]) => `${name}: ${text}`)].join("\n");
const SECRETS: readonly (readonly [kind: string, secret: string])[] = [
  ...SAMPLES.map(({ kind, secret }) => [kind, secret] as const),
  ...KNOWN_FORMS.map(([name, , secret]) => [`known secret ${name}`, secret] as const),
];
/** Fits into a file's name. */
const NAMED = SAMPLES.find(({ kind }) => kind === "GitHub classic token")?.secret ?? "";

/** The kinds that stand in a text, as they are or as a string of JSON. */
function leaks(text: string): readonly string[] {
  return SECRETS.flatMap(([kind, secret]) =>
    text.includes(secret) || text.includes(JSON.stringify(secret).slice(1, -1)) ? [kind] : [],
  );
}

interface End {
  readonly code: unknown;
  readonly out: string;
  readonly err: string;
}

async function belay(place: TestPlace, url: string, ...args: readonly string[]): Promise<End> {
  const child = spawn(process.execPath, [MAIN, ...args], {
    cwd: place.repository,
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      ...COMPILE_CACHE,
      PATH: process.env["PATH"],
      HOME: join(place.directory, "user"),
      BELAY_HOME: place.home,
      LANG: "C.UTF-8",
      ANTHROPIC_API_KEY: "sk-ant-test-key-0123456789",
      ANTHROPIC_BASE_URL: url,
      [KNOWN.name]: KNOWN.value,
    },
  });
  const [out, err] = [child.stdout, child.stderr].map((stream) => stream.setEncoding("utf8").toArray());
  const [code] = (await once(child, "close")) as [unknown];
  return { code, out: ((await out) ?? []).join(""), err: ((await err) ?? []).join("") };
}

/** With the canaries in files, in a file's name and in the address of a remote. */
function planted(): TestPlace {
  const place = testPlace();
  const git = (...args: readonly string[]): unknown => execFileSync("git", args, { cwd: place.repository });
  mkdirSync(join(place.repository, "notes"));
  writeFileSync(join(place.repository, "notes/all.txt"), ALL);
  writeFileSync(join(place.repository, `notes/${NAMED}.txt`), "named\n");
  git("add", "-A");
  git("-c", "user.name=t", "-c", "user.email=t@localhost", "commit", "-qm", `add notes ${NAMED}`);
  git("remote", "add", "origin", `https://me:${NAMED}@git.example.com/a/b.git`);
  return place;
}

const bash = (command: string): { tool: string; input: { command: string } } => ({ tool: "bash", input: { command } });

describe("a run of the command", () => {
  it("lets no canary out: journal, screen, machine output, exports, reports, requests", async () => {
    const place = planted();
    const emulator = await startEmulator({
      scenario: {
        turns: [
          {
            say: `I saw this:\n${ALL}\nand go on.`,
            call: [bash("cat notes/all.txt; ls notes; git log -1; git remote -v")],
          },
          { call: [{ tool: "read", input: { path: "notes/all.txt" } }] },
          { call: [{ tool: "grep", input: { pattern: ".", path: "notes" } }] },
          { call: [{ tool: "write", input: { path: `notes/${NAMED}.md`, content: ALL } }] },
          { call: [{ tool: "edit", input: { path: "notes/nothing.txt", old_string: ALL, new_string: ALL } }] },
          { call: [bash(`cat 'no-such-file-${NAMED}'; echo "$${KNOWN.name}"; cat notes/all.txt >&2; exit 3`)] },
          { say: `Done, with ${NAMED}.` },
        ],
      },
    });
    onTestFinished(() => emulator.close());
    const ends: Record<string, End> = {};
    const verify = ["--verify", "cat notes/all.txt"];
    for (const output of ["events", "json", "text"]) {
      ends[output] = await belay(
        place,
        emulator.url,
        "run",
        "--no-sandbox",
        "--output",
        output,
        ...verify,
        `fix it: ${ALL}`,
      );
    }
    for (const [name, args] of Object.entries(REPORTS)) ends[name] = await belay(place, emulator.url, ...args);

    expect(emulator.requests.length).toBeGreaterThanOrEqual(21);
    expect(leaks(JSON.stringify(emulator.requests.map(({ body }) => body)))).toEqual([]);
    for (const [name, end] of Object.entries(ends)) {
      expect({ name, leaks: leaks(end.out + end.err) }).toEqual({ name, leaks: [] });
    }
    const stored = globSync(join(place.home, "belay.db*")).map((path) => readFileSync(path, "latin1"));
    expect(stored.join("").length).toBeGreaterThan(50_000);
    expect(leaks(stored.join(""))).toEqual([]);
    expect(leaks(unpacked(readFileSync(join(place.repository, "session.belay"))))).toEqual([]);
    // controls
    const vaults = globSync(join(place.home, "sessions/*/secrets.json")).map((path) => readFileSync(path, "utf8"));
    expect(leaks(vaults.join("")).length).toBeGreaterThan(SAMPLES.length / 2);
    expect(ends["show"]?.out).toContain("[secret:github_token:");
  }, 300_000);
});

const REPORTS: Readonly<Record<string, readonly string[]>> = {
  show: ["sessions", "show"],
  labels: ["sessions", "show", "--labels"],
  list: ["sessions", "list"],
  listJson: ["sessions", "list", "--json"],
  journal: ["sessions", "export"],
  archive: ["sessions", "export", "-o", "session.belay"],
  record: ["record"],
  cost: ["cost"],
  costJson: ["cost", "--json"],
  replay: ["replay"],
};

/** As it is, and as its compression holds it. */
function unpacked(bytes: Buffer): string {
  const ways = [gunzipSync, zstdDecompressSync, brotliDecompressSync].map((way) => {
    try {
      return way(bytes).toString("latin1");
    } catch {
      return ""; // not compressed like this
    }
  });
  return [bytes.toString("latin1"), ...ways].join("\n");
}

describe("a page of the web, and what is shown while it comes", () => {
  it("lets no canary into the journal, the requests or the deltas", async () => {
    const place = testPlace();
    const server = await serve((_, response) => {
      response.setHeader("content-type", "text/plain; charset=utf-8");
      response.end(ALL);
    });
    const model = scriptedModel([
      callTool("web_fetch", { url: `http://example.com:${server.port}/page` }),
      callTool("bash", { command: "printf 'a b\\n'" }),
      say(`The page says:\n${ALL}`),
    ]);
    const plain = await testHost({ home: place.home, model });
    const web = createWebFetchTool({
      allowAddress: () => true,
      lookup: () => Promise.resolve([{ address: "127.0.0.1", family: 4 }]),
    });
    const redactor = createRedactor({ known: [KNOWN], vault: memoryVault() });
    const host = {
      ...plain,
      // a tool among others: its input is parsed by its own schema
      tools: plain.tools.map((tool) => (tool.name === web.name ? (web as unknown as Tool) : tool)),
      redactor: () => Promise.resolve(redactor),
    };
    const live = await start(host, place, {
      sandbox: { mode: "none", network: true },
      permission_mode: "bypassPermissions",
    });
    const deltas: Delta[] = [];
    live.onDelta((delta) => deltas.push(delta));
    expect(await live.done).toMatchObject({ outcome: "completed" });
    expect(server.requests).toHaveLength(1);
    expect(leaks(JSON.stringify(model.calls.map(({ messages }) => messages)))).toEqual([]);
    expect(leaks(deltas.map((delta) => ("text" in delta ? delta.text : "")).join(""))).toEqual([]);
    const events = await eventsOf(host, live.session);
    expect(leaks(JSON.stringify(events))).toEqual([]);
    // what was taken out of a result raises the session's label
    const finished = events.filter((event) => event.kind === "ToolFinished");
    expect(finished.map((event) => event.redactions > 0)).toEqual([true, false]);
    const { state } = await loadSession(host.store, LOCAL_TENANT, live.session);
    expect(state.label.secret.map(({ what }) => what)).toEqual(["the output of web_fetch"]);
  }, 120_000);
});

describe("the value behind a token", () => {
  const [edit, bash_, web] = (["write", "execute", "network"] as const).map((effect) => ({ effect }) as Tool); // all that is asked
  const open = { ...DEFAULT_CONFINEMENT, domains: ["example.com"] };
  const confined = { sandbox: { mode: "bwrap", network: false } } as const;

  it.each([
    ["into a file of the workspace", edit, confined, true],
    ["into a command that has no network", bash_, confined, true],
    [
      "not into a command with all of the network",
      bash_,
      { sandbox: { mode: "bwrap", network: true } } as const,
      false,
    ],
    ["not into a command that reaches one host", bash_, { ...confined, confinement: open }, false],
    ["not into a command without the sandbox", bash_, { sandbox: { mode: "none", network: false } } as const, false],
    ["not into a tool that acts on the network itself", web, confined, false],
  ] as const)("goes %s", (_, tool, facts, inside) => {
    expect(tool !== undefined && staysInside(tool, testConfig(facts))).toBe(inside);
  });
});
