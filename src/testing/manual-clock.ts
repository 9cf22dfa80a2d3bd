/** A clock that a test moves by hand: nothing happens by itself, and nothing is ever slow. */
import type { Clock } from "../kernel/clock.ts";

export interface ManualClock extends Clock {
  /** Moves time on. Sleepers wake in the order of their times, each at its own time, and may sleep again within it. */
  advance(ms: number): Promise<void>;
  /** Sets the wall clock, also backwards; `monotonic` and sleepers do not notice. */
  setWallClock(ms: number): void;
  /** How many are asleep. */
  readonly sleepers: number;
}

interface Sleeper {
  readonly due: number;
  readonly wake: () => void;
}

/** @param start milliseconds since the epoch; the default is an ordinary day. */
export function manualClock(start = 1_750_000_000_000): ManualClock {
  const sleepers = new Set<Sleeper>();
  let passed = 0;
  let offset = start;

  const nextDue = (until: number): Sleeper | undefined =>
    [...sleepers].filter(({ due }) => due <= until).sort((a, b) => a.due - b.due)[0];

  return {
    now: () => offset + passed,
    monotonic: () => passed,
    sleep(ms, signal) {
      if (signal?.aborted || ms <= 0) return Promise.resolve();
      return new Promise((resolve) => {
        const sleeper: Sleeper = { due: passed + ms, wake: () => wake() };
        const wake = (): void => {
          sleepers.delete(sleeper);
          signal?.removeEventListener("abort", wake);
          resolve();
        };
        sleepers.add(sleeper);
        signal?.addEventListener("abort", wake, { once: true });
      });
    },
    async advance(ms) {
      const until = passed + ms;
      for (let sleeper = nextDue(until); sleeper; sleeper = nextDue(until)) {
        passed = Math.max(passed, sleeper.due);
        sleeper.wake();
        await settled(); // whoever woke up may go to sleep again before `until`
      }
      passed = Math.max(passed, until);
      await settled();
    },
    setWallClock(ms) {
      offset = ms - passed;
    },
    get sleepers() {
      return sleepers.size;
    },
  };
}

/** After everything that was ready to run has run. */
function settled(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
