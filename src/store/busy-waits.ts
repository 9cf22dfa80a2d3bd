/** The waits between attempts of a command while another writer is in the way: the bound of `store_busy`, for every back-end. */
import type { Clock, Random } from "../kernel/clock.ts";
import { ERROR_TABLE } from "../kernel/error-kind.ts";

export interface Waits {
  /** Waits for the next attempt. @returns false, at once, when there is none: the bound is over */
  another(): Promise<boolean>;
}

/** @param total_ms no attempt begins after this; the bound of `store_busy` without it */
export function busyWaits(of: { readonly clock: Clock; readonly random: Random }, total_ms?: number): Waits {
  const limit = ERROR_TABLE.store_busy.limit ?? { attempts: 1, base_ms: 0, cap_ms: 0, total_ms: 0 };
  const until = of.clock.monotonic() + (total_ms ?? limit.total_ms);
  let tried = 0;
  return {
    async another() {
      tried += 1;
      if (tried >= limit.attempts || of.clock.monotonic() >= until) return false;
      await of.clock.sleep(Math.min(limit.cap_ms, limit.base_ms * 2 ** tried) * of.random());
      return true;
    },
  };
}
