/**
 * The emulator's own time. It stands for a foreign server, so nobody hands it a clock, and nothing of belay's state or of
 * a replay hangs on it: it goes into rate headers and the log of requests only.
 */

/* eslint-disable no-restricted-properties -- a foreign server has a clock of its own (see above) */

/** Milliseconds since the epoch. */
export function serverNow(): number {
  return Math.ceil(performance.timeOrigin + performance.now());
}

/** Milliseconds from an arbitrary start; never goes back. */
export function serverTicks(): number {
  return performance.now();
}
