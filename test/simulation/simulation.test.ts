/**
 * Does a session keep its promises whatever happens to it? Thousands of whole sessions through the real engine, each with its own
 * weather; the invariants stand in `auditor.ts`. `npm test` runs some hundred seeds, `npm run test:long` ten thousand.
 *
 * `BELAY_SEED=1234 npx vitest run test/simulation` repeats one, with every step and fault.
 */
import { execFile } from "node:child_process";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { simulate } from "./simulate.ts";
import type { Seeds } from "./seeds-child.ts";
import { NEVER_MET, SEEN_RARELY, WHAT_CAN_BE_MET } from "./coverage.ts";

const LONG = process.env["BELAY_TEST_LONG"] === "1";
const ONE = process.env["BELAY_SEED"];
const SEEDS = LONG ? 10_000 : 300;
const WORKERS = Math.max(1, Math.min(4, availableParallelism()));
const TIMEOUT_MS = 1_200_000;

const again = (seed: number): string => `repeat it with BELAY_SEED=${seed} npx vitest run test/simulation`;

async function seeds(first: number, count: number): Promise<Seeds> {
  const child = join(import.meta.dirname, "seeds-child.ts");
  const { stdout } = await promisify(execFile)(process.execPath, [child, String(first), String(count)], {
    maxBuffer: 64 * 1024 * 1024,
  });
  return JSON.parse(stdout) as Seeds; // what the child prints
}

describe("a simulated session", () => {
  if (ONE !== undefined) {
    it(`keeps every invariant (seed ${ONE})`, async () => {
      const result = await simulate(Number(ONE), { trace: true });
      process.stdout.write(`${result.trace.join("\n")}\n`);
      expect(result.violations, again(result.seed)).toEqual([]);
    });
    return;
  }

  it("takes the same course for the same seed, to the byte of its journal", async () => {
    for (const seed of [1, 2, 3, 5, 8, 13, 21, 34]) {
      const [first, second] = [await simulate(seed), await simulate(seed)];
      expect(second.journal, again(seed)).toEqual(first.journal);
      expect([...second.counters]).toEqual([...first.counters]);
      expect(first.journal.length).toBeGreaterThan(0);
    }
  });

  it(
    `keeps every invariant, over ${SEEDS} seeds, and meets all there is to meet`,
    { timeout: TIMEOUT_MS },
    async () => {
      const share = Math.ceil(SEEDS / WORKERS);
      const all = await Promise.all(Array.from({ length: WORKERS }, (_, i) => seeds(1 + i * share, share)));
      const failed = all.flatMap((one) => one.failed);
      expect(failed.map(({ seed, violation }) => `seed ${seed}: ${violation}; ${again(seed)}`)).toEqual([]);

      const met = new Map<string, number>();
      for (const { counters } of all)
        for (const [what, times] of Object.entries(counters)) met.set(what, (met.get(what) ?? 0) + times);
      const events = all.reduce((sum, one) => sum + one.events, 0);
      const hours = Math.round(all.reduce((sum, one) => sum + one.virtual_ms, 0) / 3_600_000);
      process.stdout.write(`${share * WORKERS} seeds, ${events} events, ${hours} virtual hours\n`);
      if (LONG)
        process.stdout.write(
          `${[...met]
            .sort()
            .map(([what, times]) => `${what}: ${times}`)
            .join(", ")}\n`,
        );
      // What a simulation never met it says nothing about.
      const expected = WHAT_CAN_BE_MET.filter((what) => LONG || !SEEN_RARELY.test(what));
      expect(expected.filter((what) => !met.has(what))).toEqual([]);
      // And what is said to be impossible is.
      expect([...met.keys()].filter((what) => NEVER_MET.includes(what))).toEqual([]);
    },
  );
});
