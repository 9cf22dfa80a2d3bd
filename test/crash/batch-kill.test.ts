/**
 * What breaks if belay dies while it hands in, watches or collects a batch?
 *
 * The process that drives a batch is killed with SIGKILL at random moments, five times, and started anew each time. Then every
 * job has exactly one result, the provider was handed none of them twice, the money in the journal is the ledger's and that of the
 * results, and the memory of the process does not grow with the jobs.
 *
 * BELAY_BATCH_SEED repeats a choice of moments; BELAY_TEST_LONG=1 takes 10,000 jobs.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, describe, expect, it } from "vitest";
import { LOCAL_TENANT, parseSessionId } from "../../src/kernel/ids.ts";
import { NO_MONEY } from "../../src/kernel/money.ts";
import { loadSession } from "../../src/store/journal.ts";
import { type Emulator, startEmulator } from "../../src/testing/emulator/emulator.ts";
import { openSqliteStore } from "../../src/store/sqlite/sqlite-store.ts";
import { systemClock } from "../support/host.ts";
import type { BatchChild } from "./batch-child.ts";

const LONG = process.env["BELAY_TEST_LONG"] === "1";
const JOBS = LONG ? 10_000 : 300;
const FEW_JOBS = 100;
const PARTS = 6;
const KILLS = 5;
/** Of a kill, after the event that it was chosen for. Milliseconds. */
const AFTER_EVENT_MS = 120;
/** What a process may take more for a hundred times the jobs: less than their texts alone. Kilobytes. */
const GROWTH_KB_MAX = 96 * 1024;
/** A heap that is smaller than what the jobs come to: garbage is not left lying, and what is kept for each job would not fit. */
const HEAP = ["--max-old-space-size=96", "--max-semi-space-size=2"];
/** Bytes of each prompt: ten thousand of them are twenty megabytes. */
const PROMPT_BYTES = 2_000;
/** Of a run that nobody disturbs, less than there are: a kill comes within these. Events. */
const EVENTS = 8;

const directory = mkdtempSync(join(tmpdir(), "belay-batch-kill-"));
afterAll(() => {
  rmSync(directory, { recursive: true, force: true });
});

interface End {
  readonly outcome: string | null;
  readonly error: string | null;
  readonly peak_kb: number;
}

/** @param killed after so many events, and so many milliseconds then; null: to its end @returns null for one that was killed */
function run(
  child: BatchChild,
  killed: { readonly events: number; readonly after_ms: number } | null,
): Promise<End | null> {
  return new Promise((resolve, reject) => {
    const program = join(import.meta.dirname, "batch-child.ts");
    const process_ = spawn(process.execPath, [...HEAP, program, JSON.stringify(child)], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    let end: End | null = null;
    let seen = 0;
    let stderr = "";
    process_.stderr.on("data", (piece: Buffer) => (stderr += piece.toString()));
    createInterface({ input: process_.stdout }).on("line", (line) => {
      if (line.startsWith("done ")) end = JSON.parse(line.slice("done ".length)) as End; // the child's own words
      seen += 1;
      if (killed !== null && seen === killed.events) setTimeout(() => process_.kill("SIGKILL"), killed.after_ms);
    });
    process_.on("close", (code, signal) => {
      if (signal === "SIGKILL" && end === null) resolve(null);
      else if (end !== null) resolve(end);
      else reject(new Error(`the child ended with ${code}: ${stderr}`));
    });
  });
}

function jobsFile(count: number): string {
  const path = join(directory, `jobs-${count}.jsonl`);
  const filler = "word ".repeat(PROMPT_BYTES / 5);
  const lines = Array.from({ length: count }, (_, n) => JSON.stringify({ id: `job-${n}`, prompt: `${n} ${filler}` }));
  writeFileSync(path, `${lines.join("\n")}\n`);
  return path;
}

function childOf(emulator: Emulator, count: number): BatchChild {
  const session = `ses_${count.toString().padStart(26, "0")}`;
  const home = join(directory, `home-${count}`);
  return { home, url: emulator.url, session, jobs: jobsFile(count), part: Math.ceil(count / PARTS) };
}

/** Deterministic for a seed (mulberry32). */
function dice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

describe("a batch whose process is killed at random moments", () => {
  it(`has one result for each of ${JOBS} jobs, and handed in none twice`, { timeout: 900_000 }, async () => {
    const seed = Number(process.env["BELAY_BATCH_SEED"] ?? (LONG ? Math.floor(Math.random() * 1e9) : 71));
    const random = dice(seed);
    const emulator = await startEmulator({ scenario: { batches: { polls: 2 } } });
    try {
      const child = childOf(emulator, JOBS);
      let kills = 0;
      let end: End | null = null;
      while (end === null) {
        const killed = { events: 1 + Math.floor(random() * EVENTS), after_ms: random() * AFTER_EVENT_MS };
        end = await run(child, kills < KILLS ? killed : null);
        if (end === null) kills += 1;
      }
      const about = `seed ${seed}, ${kills} kills`;
      expect(end, about).toMatchObject({ outcome: "completed", error: null });
      expect(kills, about).toBe(KILLS);
      const { requests, custom_ids_repeated, paid_twice } = emulator.batches();
      expect({ requests, custom_ids_repeated, paid_twice }, about).toEqual({
        requests: JOBS,
        custom_ids_repeated: [],
        paid_twice: [],
      });
      const results = readFileSync(join(child.home, "sessions", child.session, "results.jsonl"), "utf8")
        .trimEnd()
        .split("\n");
      const parsed = results.map((line) => JSON.parse(line) as { id: string; ok: boolean; cost_usd: number });
      expect(new Set(parsed.map(({ id }) => id)).size, about).toBe(JOBS);
      expect({ lines: parsed.length, failed: parsed.filter(({ ok }) => !ok).length }, about).toEqual({
        lines: JOBS,
        failed: 0,
      });
      await expectSameMoney(
        child,
        parsed.reduce((sum, { cost_usd }) => sum + Math.round(cost_usd * 1e9), 0),
      );
      console.log(`batch kill: ${JOBS} jobs, ${about}, peak of the last run ${Math.round(end.peak_kb / 1024)} MB`);
    } finally {
      await emulator.close();
    }
  });

  if (LONG) {
    it("takes no more memory for a hundred times the jobs", { timeout: 900_000 }, async () => {
      const emulator = await startEmulator({ scenario: { batches: { polls: 2 } } });
      try {
        const few = await run({ ...childOf(emulator, FEW_JOBS), part: FEW_JOBS }, null);
        const many = await run(
          { ...childOf(emulator, FEW_JOBS * 100), home: join(directory, "calm"), part: 2_000 },
          null,
        );
        console.log(`batch memory: ${few?.peak_kb} KB for ${FEW_JOBS} jobs, ${many?.peak_kb} KB for ${FEW_JOBS * 100}`);
        expect((many?.peak_kb ?? Infinity) - (few?.peak_kb ?? 0)).toBeLessThan(GROWTH_KB_MAX);
      } finally {
        await emulator.close();
      }
    });
  }
});

/** Journal, ledger and results agree to the last nano-dollar, and nothing is left reserved. */
async function expectSameMoney({ home, session }: BatchChild, inResults: number): Promise<void> {
  const store = await openSqliteStore({ path: join(home, "belay.db"), clock: systemClock });
  try {
    const { state } = await loadSession(store, LOCAL_TENANT, parseSessionId(session));
    const scope = { scope: `session:${session}`, cost: null, tokens: null, strict: false };
    const [position] = await store.positions(LOCAL_TENANT, [{ ...scope, opening: { cost: NO_MONEY, tokens: 0 } }]);
    expect([position?.cost, position?.reserved_cost, inResults]).toEqual([state.cost, 0, state.cost]);
  } finally {
    await store.close();
  }
}
