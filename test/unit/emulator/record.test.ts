/** `belay record`: a session is run, recorded, played and run again, and must be the same session. */
import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Emulator, startEmulator } from "../../../src/testing/emulator/emulator.ts";
import type { ScenarioInput } from "../../../src/testing/emulator/scenario.ts";
import { parseScenario } from "../../../src/testing/emulator/scenario-file.ts";
import { program, type ProgramEnd } from "../../support/program.ts";

const KEY = "sk-ant-api03-a-very-secret-key-of-this-test";

const SESSION: ScenarioInput = {
  turns: [
    {
      think: "Let me see: the file says what it is.",
      say: `The key is ${KEY}, I will not tell.`,
      call: [{ tool: "read", input: { path: "a.txt" } }],
      usage: { input_tokens: 123, output_tokens: 45, cache_read_input_tokens: 6 },
    },
    {
      call: [{ tool: "write", input: { path: "b.txt", content: 'zwei: ü\n"quoted"\n' } }],
      fault: [{ reset: true }, { status: 500 }, { cut_in_json: true }],
    },
    { say: "Done: b is there.\n\n- one\n- two" },
  ],
};

let directory = "";
const emulators: Emulator[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "belay-record-"));
});

afterEach(async () => {
  await Promise.all(emulators.splice(0).map((emulator) => emulator.close()));
  await rm(directory, { recursive: true, force: true });
});

async function repository(name: string): Promise<string> {
  const path = join(directory, name);
  await mkdir(path);
  await writeFile(join(path, "a.txt"), "a\n");
  const git = (...args: readonly string[]): unknown =>
    execFileSync("git", ["-c", "user.name=t", "-c", "user.email=t@localhost", ...args], { cwd: path });
  git("init", "-q");
  git("add", "-A");
  git("commit", "-qm", "first");
  return path;
}

function belay(cwd: string, url: string, ...args: readonly string[]): Promise<ProgramEnd> {
  const variables = {
    PATH: process.env["PATH"],
    ANTHROPIC_BASE_URL: url,
    ANTHROPIC_API_KEY: KEY,
    OPENAI_BASE_URL: `${url}/v1`,
    OPENAI_API_KEY: KEY,
  };
  return program({ directory, cwd, variables }, args);
}

async function emulate(scenario: ScenarioInput): Promise<Emulator> {
  const emulator = await startEmulator({ scenario });
  emulators.push(emulator);
  return emulator;
}

/** All that the last request of a session shows of it: calls, answers and results, without ids of the server and places. */
function history(emulator: Emulator): unknown {
  const last = emulator.requests.findLast(({ play }) => play !== null)?.body;
  const { messages, input } = last as { messages?: unknown[]; input?: unknown[] };
  const shown = JSON.stringify((messages ?? input ?? []).slice(1), (key, value: unknown) =>
    key === "cache_control" ? undefined : value,
  );
  return JSON.parse(
    shown
      .replaceAll(/\[secret:[^\]]*\]|sk-ant-api03[a-z-]*/g, "SECRET")
      .replaceAll(/[0-9a-f]{12}_(?=\d)/g, "CONVERSATION_")
      .replaceAll(/"(signature|encrypted_content)":"[^"]*"/g, '"$1":"…"'),
  );
}

async function run(
  emulator: Emulator,
  cwd: string,
  model = "claude-sonnet-4-5",
): Promise<{ session: string; report: Record<string, unknown> }> {
  const { code, out, err } = await belay(
    cwd,
    emulator.url,
    "run",
    "make b from a",
    "--no-sandbox",
    "-m",
    model,
    "--output",
    "json",
  );
  if (code !== 0) throw new RangeError(`run ended with ${code}: ${out}\n${err}`);
  const report = JSON.parse(out) as Record<string, unknown>;
  return { session: String(report["session"]), report };
}

describe("belay record", { timeout: 120_000 }, () => {
  it.each(["claude-sonnet-4-5", "openai/gpt-5"])(
    "makes a scenario that plays the same session of %s again, with its failures and without its secrets",
    async (model) => {
      const first = await emulate(SESSION);
      const there = await repository("one");
      const { session } = await run(first, there, model);
      expect(first.remaining()).toEqual([]);

      const file = join(directory, "recorded.yaml");
      const recorded = await belay(there, first.url, "record", session, "-o", file);
      expect([recorded.code, recorded.err]).toEqual([0, expect.stringContaining(`wrote ${file}`)]);
      const text = await readFile(file, "utf8");
      expect(text).not.toContain(KEY);
      expect(text).toContain("[secret:");
      const scenario = parseScenario(text, file);
      expect(scenario.conversations[0]).toMatchObject({
        task_contains: "make b from a",
        turns: [
          { usage: { input_tokens: 123, cache_read_input_tokens: 6 } },
          { fault: [{ reset: true }, { error: "server_error" }, { cut_in_json: true }] },
          { say: "Done: b is there.\n\n- one\n- two" },
        ],
      });

      const second = await emulate(scenario);
      await run(second, await repository("two"), model);
      expect(second.remaining()).toEqual([]);
      expect(history(second)).toEqual(history(first));
    },
  );

  it("plays turns that the model paused again, each once, however many pauses came in a row", async () => {
    const first = await emulate({
      turns: [
        { say: "One.", stop: "pause_turn" },
        { say: "Two.", stop: "pause_turn" },
        { say: "Three.", call: [{ tool: "write", input: { path: "b.txt", content: "b\n" } }] },
        { say: "Four.", stop: "pause_turn", fault: { error: "overloaded" } },
        { say: "Done: five." },
      ],
    });
    const there = await repository("one");
    const { session } = await run(first, there);
    expect(first.remaining()).toEqual([]);
    const second = await emulate(parseScenario((await belay(there, first.url, "record", session)).out));
    await run(second, await repository("two"));
    expect(second.remaining()).toEqual([]);
    expect(second.requests).toHaveLength(6);
    expect(history(second)).toEqual(history(first));
  });

  it("prints YAML, or JSON, of the last session of the directory", async () => {
    const emulator = await emulate({ turns: [{ say: "Nothing to do." }] });
    const there = await repository("one");
    await run(emulator, there);
    const yaml = await belay(there, emulator.url, "record");
    const json = await belay(there, emulator.url, "record", "--json");
    expect(parseScenario(yaml.out).conversations[0]?.turns).toMatchObject([{ say: "Nothing to do." }]);
    expect(JSON.parse(json.out)).toMatchObject({ conversations: [{ turns: [{ say: "Nothing to do." }] }] });
  });

  it("says which session is not there, which id is none, and which file cannot be written", async () => {
    const emulator = await emulate({ turns: [{ say: "x" }] });
    const there = await repository("one");
    const { session } = await run(emulator, there);
    const unknown = await belay(there, emulator.url, "record", `${session.slice(0, -4)}0000`);
    expect([unknown.code, unknown.err]).toEqual([expect.any(Number), expect.stringContaining("There is no session")]);
    expect(unknown.code).not.toBe(0);
    const odd = await belay(there, emulator.url, "record", "no-id");
    expect([odd.code === 0, odd.err]).toEqual([false, expect.stringContaining("no-id")]);
    const file = await belay(there, emulator.url, "record", session, "-o", join(directory, "none", "x.yaml"));
    expect([file.code === 0, file.err]).toEqual([false, expect.stringMatching(/could not be written .*\(ENOENT\)/)]);
  });
});
