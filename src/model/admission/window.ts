/**
 * How many calls may be under way at once, found out by trying: for providers that say nothing of their limits. Doubled by
 * every round of successes until the first 429, then one more for each round; halved by every episode of 429s.
 */

const START = 4;
const SIZE_MAX = 256;
/** 429s so close to the last cut, or of calls that were sent before it, are the same episode. Milliseconds. */
const COOL_DOWN_MS = 15_000;

export interface CallWindow {
  readonly size: number;
  /** True until the first 429. */
  readonly doubling: boolean;
  /** Successes since it last grew. */
  readonly successes: number;
  readonly cut_at: number;
}

export const FIRST_WINDOW: CallWindow = { size: START, doubling: true, successes: 0, cut_at: 0 };

/** @param busy how many were under way or waiting: a window that nobody fills says nothing about a larger one */
export function widened(window: CallWindow, busy: number): CallWindow {
  // While it doubles, it grows faster than those who settle can fill it again.
  if (busy < (window.doubling ? window.size / 2 : window.size)) return window;
  const size = Math.min(SIZE_MAX, window.size + 1);
  if (window.doubling) return { ...window, size };
  if (window.successes + 1 < window.size) return { ...window, successes: window.successes + 1 };
  return { ...window, size, successes: 0 };
}

/** After a 429 of a call that was admitted at `admitted_at`. */
export function narrowed(window: CallWindow, admitted_at: number, now: number): CallWindow {
  if (admitted_at < window.cut_at || now - window.cut_at < COOL_DOWN_MS) return { ...window, doubling: false };
  return { size: Math.max(1, Math.floor(window.size / 2)), doubling: false, successes: 0, cut_at: now };
}
