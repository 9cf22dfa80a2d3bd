/** The machine's clock. Below the faces nobody else looks at it. */
import type { Clock } from "../kernel/clock.ts";

/** What a timer of Node can hold, in milliseconds; a longer one would fire at once. */
const TIMER_MS_MAX = 2_147_483_647;

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: async (ms, signal) => {
    const until = performance.now() + ms;
    for (let left = ms; left > 0 && signal?.aborted !== true; left = until - performance.now()) {
      await timer(Math.min(left, TIMER_MS_MAX), signal);
    }
  },
};

function timer(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timeout);
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const timeout = setTimeout(done, Math.ceil(ms));
    signal?.addEventListener("abort", done, { once: true });
  });
}
