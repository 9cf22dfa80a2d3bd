/**
 * The emulator's own time, where nobody hands it a clock. It stands for a foreign server, and nothing of belay's state or
 * of a replay hangs on it: it goes into rate headers, the life of cached prompts and the log of requests only.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Clock } from "../../kernel/clock.ts";

/* eslint-disable no-restricted-properties -- a foreign server has a clock of its own (see above) */

export const serverClock: Clock = {
  now: () => Math.ceil(performance.timeOrigin + performance.now()),
  monotonic: () => performance.now(),
  sleep: async (ms, signal) => {
    await sleep(ms, undefined, signal ? { signal } : {}).catch((error: unknown) => {
      if (!signal?.aborted) throw error; // a sleep that is aborted ends early, and does not fail
    });
  },
};
