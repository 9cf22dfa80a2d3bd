/**
 * `belay run` and `belay resume` as a process: the real command, the real SDK over HTTP, a real repository and a store of
 * its own. Without the sandbox, which has tests of its own.
 */
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { COMPILE_CACHE } from "../../support/compile-cache.ts";
import { TOGETHER_MS } from "../../../src/cli/signals.ts";
import { type Emulator, startEmulator } from "../../../src/testing/emulator/emulator.ts";
import type { ScenarioInput } from "../../../src/testing/emulator/scenario.ts";

const MAIN = join(import.meta.dirname, "../../../src/cli/main.ts");

const EDITS: ScenarioInput = {
  turns: [
    { say: "I write it.", call: [{ tool: "write", input: { path: "hello.txt", content: "hello\n" } }] },
    { say: "Written." },
  ],
};
/** A command that says that it runs, and then runs for longer than any test. */
const SLOW: ScenarioInput = {
  turns: [
    { say: "I wait.", call: [{ tool: "bash", input: { command: "echo ready; sleep 300", timeout_ms: 400_000 } }] },
    { say: "Waited." },
  ],
};

/** More than the difference between two clocks' readings of one wait. */
const TIMER_MS = 50;

const DEAF: ScenarioInput = {
  turns: [
    {
      say: "I wait.",
      call: [{ tool: "bash", input: { command: "trap '' TERM; echo ready; while :; do sleep 1; done" } }],
    },
  ],
};

let directory = "";
/** Of the environment, what a test changes. */
let changed: Readonly<Record<string, string>> = {};
let emulator: Emulator | null = null;
const children = new Set<ChildProcess>();

beforeEach(async () => {
  changed = {};
  directory = await mkdtemp(join(tmpdir(), "belay-run-"));
  const repository = join(directory, "repository");
  await mkdir(repository);
  await writeFile(join(repository, "a.txt"), "a\n");
  const git = (...args: readonly string[]): unknown =>
    execFileSync("git", ["-c", "user.name=t", "-c", "user.email=t@localhost", ...args], { cwd: repository });
  git("init", "-q");
  git("add", "-A");
  git("commit", "-qm", "first");
});

afterEach(async () => {
  for (const child of children) child.kill("SIGKILL");
  children.clear();
  await emulator?.close();
  emulator = null;
  await rm(directory, { recursive: true, force: true });
});

interface Running {
  readonly child: ChildProcess;
  out(): string;
  err(): string;
  /** Resolves when standard output holds this. */
  says(text: string): Promise<void>;
  readonly ended: Promise<number | string>;
}

async function belay(scenario: ScenarioInput, ...args: readonly string[]): Promise<Running> {
  emulator ??= await startEmulator({ scenario });
  const environment = {
    ...COMPILE_CACHE,
    PATH: process.env["PATH"],
    HOME: directory,
    BELAY_HOME: join(directory, "home"),
    ANTHROPIC_BASE_URL: emulator.url,
    ANTHROPIC_API_KEY: "key-of-a-test",
    ...changed,
  };
  const child = spawn(process.execPath, [MAIN, ...args], {
    cwd: join(directory, "repository"),
    env: environment,
    stdio: ["ignore", "pipe", "pipe"],
  });
  children.add(child);
  const written = { out: "", err: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => (written.out += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (written.err += text));
  const ended = once(child, "close").then(([code, signal]: (number | string | null)[]) => code ?? signal ?? "nothing");
  return {
    child,
    out: () => written.out,
    err: () => written.err,
    ended,
    says: async (text) => {
      while (!written.out.includes(text)) {
        const more = await Promise.race([once(child.stdout, "data").then(() => true), ended.then(() => false)]);
        if (!more && !written.out.includes(text))
          throw new RangeError(`it never said ${text}:\n${written.out}\n${written.err}`);
      }
    },
  };
}

const start = (scenario: ScenarioInput, ...args: readonly string[]): Promise<Running> =>
  belay(scenario, "run", "do it", "--no-sandbox", ...args);

interface Report {
  readonly session: string;
  readonly outcome: string;
  readonly verification: string;
  readonly exit_code: number;
  readonly workspace: string;
}

describe("belay run", () => {
  it("streams the work and ends with what to type next", async () => {
    const run = await start(EDITS, "--verify", "test -f hello.txt");
    expect(await run.ended).toBe(0);
    expect(run.out()).toMatch(/^belay: claude-sonnet-5 in /);
    for (const text of [
      "! --no-sandbox: commands run unconfined",
      "I write it.\n",
      "● write hello.txt\n",
      "✓ verification passed",
      "✓ completed · verification passed",
      "belay merge ses_",
    ]) {
      expect(run.out()).toContain(text);
    }
    expect(run.out()).not.toContain("\u001b");
    expect(run.err()).toBe("");
  });

  it("with --output json prints one object with exactly the promised members", async () => {
    const run = await start(EDITS, "--output", "json");
    expect(await run.ended).toBe(0);
    const report = JSON.parse(run.out()) as Report;
    expect(Object.keys(report)).toEqual(
      "session run outcome verification exit_code turns usage cost_usd unknown_cost_usd budget_left cache_read_share context model_switches waits duration_ms workspace branch checkpoints error waiting review".split(
        " ",
      ),
    );
    expect(report).toMatchObject({ outcome: "completed", verification: "none_found", exit_code: 0, error: null });
    expect(await readFile(join(report.workspace, "hello.txt"), "utf8")).toBe("hello\n");
  });

  it("with --output events prints every event and delta, a line each, and the report last", async () => {
    const run = await start(EDITS, "--output", "events");
    expect(await run.ended).toBe(0);
    const lines = run
      .out()
      .trim()
      .split("\n")
      .map(
        (line) =>
          JSON.parse(line) as {
            type: string;
            event?: { seq: number; kind: string };
            delta?: { type: string; text?: string };
            standing?: { cost_usd: number; budget_left: { scope: string; usd: number }; cache_read_share: number };
          },
      );
    const last = lines.flatMap(({ standing }) => (standing === undefined ? [] : [standing])).at(-1);
    expect(last).toMatchObject({
      budget_left: { scope: "session" },
      context: { window: expect.any(Number) as number },
    });
    expect((last?.cost_usd ?? 0) + (last?.budget_left.usd ?? 0)).toBeCloseTo(5, 9);
    const events = lines.flatMap(({ event }) => (event === undefined ? [] : [event]));
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, i) => i + 1));
    expect([events[0]?.kind, events.at(-1)?.kind, lines.at(-1)?.type]).toEqual([
      "SessionCreated",
      "RunEnded",
      "report",
    ]);
    const text = lines.flatMap(({ delta }) => (delta?.type === "text" ? [delta.text] : [])).join("");
    expect(text).toBe("I write it.Written.");
  });

  it("fails with an exit code of its own when the verification is red", async () => {
    const run = await start(EDITS, "--output", "json", "--verify", "exit 5");
    expect(await run.ended).toBe(3);
    expect(JSON.parse(run.out())).toMatchObject({
      outcome: "verification_failed",
      verification: "failed",
      exit_code: 3,
    });
  });
});

describe("belay resume", () => {
  it("of a completed session says that nothing is left to do", async () => {
    await (
      await start(EDITS)
    ).ended;
    const again = await belay(EDITS, "resume");
    expect(await again.ended).toBe(0);
    expect(again.out()).toContain("It is completed: nothing is left to do. Say what more with --message.\n");
  });
});

describe("stopping a run", () => {
  it("Ctrl+C once keeps what is finished, and resume goes on", async () => {
    const run = await start(SLOW);
    await run.says("│ ready");
    run.child.kill("SIGINT");
    expect(await run.ended).toBe(130);
    expect(run.out()).toContain("stopping; what is finished is kept");
    expect(run.out()).toContain("✗ canceled");
    const resumed = await belay(SLOW, "resume", "--last", "--output", "json");
    expect(await resumed.ended).toBe(0);
    expect(JSON.parse(resumed.out())).toMatchObject({ outcome: "completed" });
  });

  it("Ctrl+C twice leaves at once", async () => {
    const run = await start(DEAF);
    await run.says("│ ready");
    run.child.kill("SIGINT");
    await run.says("stopping;");
    // A timer may fire a millisecond early. The command outlives its SIGTERM by a second, so this one is in time.
    await new Promise((resolve) => setTimeout(resolve, TOGETHER_MS + TIMER_MS));
    run.child.kill("SIGINT");
    expect(await run.ended).toBe(130);
    expect(run.out()).toMatch(/left at once; `belay resume ses_\w+` goes on from the last event\.\n$/);
  });

  it("SIGTERM ends in good order, resumable, with the exit code of a termination", async () => {
    const run = await start(SLOW, "--output", "json");
    const watcher = await belay(SLOW, "sessions", "list");
    await watcher.ended;
    while (!(await toolRuns())) continue;
    run.child.kill("SIGTERM");
    expect(await run.ended).toBe(143);
    expect(JSON.parse(run.out())).toMatchObject({ outcome: "canceled", exit_code: 143 });
  });

  it("a reader that goes away stops the run instead of letting it spend unseen", async () => {
    const run = await start(SLOW, "--output", "events");
    await run.says('"ToolStarted"');
    run.child.stdout?.destroy();
    await run.ended;
    const list = await belay(SLOW, "sessions", "list", "--json");
    await list.ended;
    expect(JSON.parse(list.out())).toMatchObject([{ state: "canceled" }]);
  });

  async function toolRuns(): Promise<boolean> {
    const list = await belay(SLOW, "sessions", "show");
    await list.ended;
    return list.out().includes("● bash");
  }
});

describe("a run that cannot begin", () => {
  it("without credentials ends resumable, and says what to set", async () => {
    emulator = await startEmulator({ scenario: EDITS, apiKey: "another-key" });
    const run = await start(EDITS);
    expect(await run.ended).toBe(1);
    expect(run.out()).toContain("(auth)");
    expect(run.out()).toContain("next       belay resume ses_");
  });

  it("from a revision that is none is a usage error before a word is said to the model", async () => {
    const run = await start(EDITS, "--base", "nowhere");
    expect(await run.ended).toBe(2);
    expect(run.err()).toMatch(
      /^belay: "nowhere" names no commit of .+\n {7}Name a branch, a tag or a commit with --base\.\n$/,
    );
    expect(emulator?.requests).toEqual([]);
    const list = await belay(EDITS, "sessions", "list");
    await list.ended;
    expect(list.out()).toContain("There are no sessions.");
  });

  it.each(["--verify", "--setup", "--base", "--model", "--cwd"])(
    "with an empty %s is a usage error",
    async (option) => {
      const run = await start(EDITS, option, "");
      expect(await run.ended).toBe(2);
      expect(run.err()).toContain("It must not be empty.");
    },
  );

  it("where git is missing says so before a word is said to the model", async () => {
    await mkdir(join(directory, "no-programs"));
    changed = { PATH: join(directory, "no-programs") };
    const run = await start(EDITS);
    expect(await run.ended).toBe(1);
    expect(run.err()).toBe("belay: git was not found.\n       Install git 2.30 or newer.\n");
    expect(emulator?.requests).toEqual([]);
  });

  it("with a base address that is none says which setting is wrong", async () => {
    changed = { ANTHROPIC_BASE_URL: "localhost" };
    const run = await start(EDITS);
    expect(await run.ended).toBe(2);
    expect(run.err()).toContain('ANTHROPIC_BASE_URL is "localhost", which is no address of a server.');
  });

  it("in a bare repository says what to do instead of changing its insides", async () => {
    execFileSync("git", ["init", "-q", "--bare", join(directory, "bare.git")]);
    const run = await start(EDITS, "--cwd", join(directory, "bare.git"));
    expect(await run.ended).toBe(1);
    expect(run.err()).toContain("is a repository without files.\n       Work in a clone of it.");
  });

  it("in a directory that was removed says so, without a stack", async () => {
    const gone = `mkdir gone && cd gone && rmdir ../gone && exec "$0" "$1" sessions list`;
    const child = spawn("/bin/sh", ["-c", gone, process.execPath, MAIN], {
      cwd: directory,
      stdio: ["ignore", "ignore", "pipe"],
    });
    children.add(child);
    const said = child.stderr.setEncoding("utf8").toArray();
    const [code] = (await once(child, "close")) as [number]; // it is not killed
    expect([code, (await said).join("")]).toEqual([
      2,
      "belay: The current directory was removed.\n       Change to one that is there.\n",
    ]);
  });

  it("in a directory that is none is a usage error", async () => {
    const run = await start(EDITS, "--cwd", "nowhere");
    expect(await run.ended).toBe(2);
    expect(run.err()).toContain("is no directory.");
  });
});
