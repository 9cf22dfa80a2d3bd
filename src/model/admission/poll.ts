/** When one who waits looks again. Pure. */
import type { Random } from "../../kernel/clock.ts";
import type { Wait } from "./judge.ts";

/** The longest sleep near one's turn. Milliseconds. */
const NEAR_MS = 1_000;
/** The longest sleep at all: what others give back may bring the turn nearer. Milliseconds. */
const FAR_MS = 5_000;
/** The first sleep of one who waits for others, which nobody can foretell; half as long again each time. Milliseconds. */
const OTHERS_MS = 40;
const OTHERS_FACTOR = 1.5;
/** The longest of these sleeps for each that is before it: whoever is next looks often, and a long queue does not. Milliseconds. */
const OTHERS_EACH_MS = 100;
/** Added to a sleep until a time, so that no two look in step. Share of it, and the least. Milliseconds. */
const JITTER = 0.1;
const JITTER_MS = 10;
/** After the provider asked everybody to wait, they come back over this long. Share of the wait, and the most. Milliseconds. */
const BLOCK_JITTER = 0.2;
const BLOCK_JITTER_MS_MAX = 2_000;

/** @param polls how often it has looked before */
export function pollDelay({ wait_ms, until, ahead }: Wait, polls: number, random: Random): number {
  switch (until) {
    case "others":
      return (
        Math.min(NEAR_MS, OTHERS_EACH_MS * (1 + ahead), OTHERS_MS * OTHERS_FACTOR ** Math.min(polls, 20)) *
        (0.75 + 0.5 * random())
      );
    case "blocked":
      if (wait_ms > FAR_MS) return FAR_MS * (0.9 + 0.1 * random());
      return wait_ms + random() * Math.min(BLOCK_JITTER_MS_MAX, Math.max(100, wait_ms * BLOCK_JITTER));
    case "time":
      if (wait_ms <= NEAR_MS) return wait_ms + random() * (JITTER_MS + wait_ms * JITTER);
      return Math.min(FAR_MS, Math.max(NEAR_MS, wait_ms / 2)) * (0.9 + 0.2 * random());
  }
}
