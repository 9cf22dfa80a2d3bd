/** `belay dream --model`: the real command as a process, the real SDK over HTTP, a store of its own. */
import { type ChildProcess, execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { systemClock } from "../../../src/host/system-clock.ts";
import type { Memory } from "../../../src/kernel/memory.ts";
import { type Emulator, startEmulator } from "../../../src/testing/emulator/emulator.ts";
import { openSqliteStore } from "../../../src/store/sqlite/sqlite-store.ts";
import { COMPILE_CACHE } from "../../support/compile-cache.ts";
import { DAY, memory, memoryId, OF } from "../../support/memories.ts";
import { program, type ProgramEnd } from "../../support/program.ts";

const MAIN = join(import.meta.dirname, "../../../src/cli/main.ts");
const at = (days: number): Partial<Memory> => {
  const then = systemClock.now() - days * DAY;
  return { scope: "user", project: "", created_at: then, used_at: then };
};
const A = memory("a", "Integration tests need a running Postgres database", at(3));
const B = memory("b", "start the Postgres database before you run the integration tests", at(1));
const SAME = { group: "g1", verdict: "same", keep: B.id, drop: [A.id] };

/** A text that has this in it. */
const saying = (text: string | RegExp): unknown => expect.stringMatching(text);

let directory = "";
let cwd = "";
let emulator: Emulator;
/** As soon as the command says anything beside its output. */
let onErr: ((child: ChildProcess) => void) | null = null;
beforeEach(async () => {
  onErr = null;
  directory = await mkdtemp(join(tmpdir(), "belay-dream-model-"));
  cwd = join(directory, "project");
  await mkdir(cwd);
  await mkdir(join(directory, "home"));
  const store = await openSqliteStore({ path: join(directory, "home", "belay.db"), clock: systemClock });
  await store.changeMemories(OF, { put: [A, B], forget: [], used: [] });
  await store.close();
  emulator = await startEmulator({ scenario: { turns: [{ say: JSON.stringify({ groups: [SAME] }) }] } });
});
afterEach(async () => {
  await emulator.close();
  await rm(directory, { recursive: true, force: true });
});

function belay(...argv: readonly string[]): Promise<ProgramEnd> {
  const env = {
    ...COMPILE_CACHE,
    PATH: process.env["PATH"],
    HOME: directory,
    BELAY_HOME: join(directory, "home"),
    ANTHROPIC_BASE_URL: emulator.url,
    ANTHROPIC_API_KEY: "key-of-a-test",
  };
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [MAIN, ...argv], { cwd, env }, (error, out, err) => {
      resolve({ code: error === null ? 0 : Number(error.code), out, err });
    });
    child.stdin?.end();
    child.stderr?.on("data", () => onErr?.(child));
  });
}

it("prints what the model had a part in beside the rest, and what it cost; the session is like any other", async () => {
  const { code, out, err } = await belay("dream", "--model");
  expect(code, err).toBe(0);
  expect(err).toMatch(/^belay: asking claude-\S+ \(1\): 1 group of 1 that are alike\n$/);
  expect(out).toContain(
    `= ${memoryId("b")} "${B.text}"\n    merged with ${memoryId("a")} "${A.text}" (anthropic/claude-`,
  );
  expect(out).toContain("0 stay as they are.");
  const cost = /anthropic\/\S+: 1 group answered, 0 left, (\$0\.0\d+) \(session (ses_\w+)\)\./.exec(out);
  expect(cost, out).not.toBeNull();
  expect((await belay("cost")).out).toContain(cost?.[1]);
  expect((await belay("sessions", "list")).out).toContain("belay dream: which memories say the same");
  // No files of its own beside its journal, and no session of this directory.
  expect(await readdir(join(directory, "home"))).not.toContain("dreams");
  expect((await belay("resume")).code).toBe(2);

  const again = await belay("dream", "--model", "--json");
  expect(JSON.parse(again.out)).toMatchObject({
    status: "done",
    model: {
      provider: "anthropic",
      calls: 0,
      answered: 0,
      left: 0,
      merged: [],
      cost_usd: 0,
      session: null,
      stopped: null,
    },
  });
});

it("what cannot be paid for or spoken to is said before anything is done", async () => {
  const quiet = (...argv: readonly string[]): Promise<ProgramEnd> => program({ directory, cwd }, argv);
  expect(await quiet("dream", "--budget", "1")).toMatchObject({ code: 2, err: saying("--model") });
  const keyless = await quiet("dream", "--model");
  expect(keyless).toMatchObject({ out: "", err: saying("no key") });
  const unpriced = await belay("dream", "--model", "anthropic/claude-of-tomorrow");
  expect(unpriced).toMatchObject({ out: "", err: saying("price") });
  expect(emulator.requests).toEqual([]);
});

it("a budget that is too small is said, and what needs no model is done", async () => {
  const { code, out } = await belay("dream", "--model", "--budget", "0.0001");
  expect(code).toBe(0);
  expect(out).toMatch(/was not asked further: .+/);
  expect(out).toContain("2 stay as they are.");
  expect(emulator.requests).toEqual([]);
});

it("Ctrl+C while the model thinks ends it in good order", async () => {
  await emulator.close();
  const turns = [{ say: JSON.stringify({ groups: [SAME] }), latency_ms: 60_000 }];
  emulator = await startEmulator({ scenario: { turns } });
  onErr = (child) => child.kill("SIGINT");
  const { code, out } = await belay("dream", "--model");
  expect(code, out).toBe(130);
  expect(out).toContain("1 left");
  expect(out).toContain("Stopped. What is above was begun; what was done stays.");
});
