/** Runs seeds in a process of its own: `node seeds-child.ts FIRST COUNT`. Prints one line of JSON: `Seeds`. */
import { simulate } from "./simulate.ts";

export interface Seeds {
  /** Seeds whose invariants did not hold, with the first thing that was wrong. */
  readonly failed: readonly { readonly seed: number; readonly violation: string }[];
  readonly counters: Readonly<Record<string, number>>;
  readonly events: number;
  readonly virtual_ms: number;
}

export async function runSeeds(first: number, count: number, failuresMax = 20): Promise<Seeds> {
  const failed: { seed: number; violation: string }[] = [];
  const counters: Record<string, number> = {};
  let events = 0;
  let virtual_ms = 0;
  for (let seed = first; seed < first + count && failed.length < failuresMax; seed++) {
    const result = await simulate(seed);
    for (const [what, times] of result.counters) counters[what] = (counters[what] ?? 0) + times;
    events += result.journal.length;
    virtual_ms += result.virtual_ms;
    const [violation] = result.violations;
    if (violation !== undefined) failed.push({ seed, violation });
  }
  return { failed, counters, events, virtual_ms };
}

if (import.meta.main) {
  const [first = "1", count = "100"] = process.argv.slice(2);
  process.stdout.write(`${JSON.stringify(await runSeeds(Number(first), Number(count)))}\n`);
}
