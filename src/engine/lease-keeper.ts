/**
 * Keeps a session's lease while it is driven, and looks for a cancel from elsewhere.
 *
 * L1: a driver that cannot renew in time stops: it never acts on a lease it may have lost.
 */
import type { Clock } from "../kernel/clock.ts";
import { HarnessError } from "../kernel/harness-error.ts";
import type { Journal } from "../store/journal.ts";
import type { Store } from "../store/port.ts";

/** How long a lease lasts without renewal, in milliseconds: a frozen owner is fenced after this. */
export const LEASE_TTL_MS = 15_000;
const RENEW_MS = LEASE_TTL_MS / 3;
/** How often a cancel is looked for: G10 leaves 2 s for everything. */
const CANCEL_POLL_MS = 500;

export interface LeaseKeeper {
  stop(): Promise<void>;
}

export interface LeaseEvents {
  readonly onCancelRequested: () => void;
  /** The lease is lost, or could not be renewed in time. */
  readonly onLost: (error: HarnessError) => void;
}

export function keepLease(store: Store, journal: Journal, clock: Clock, events: LeaseEvents): LeaseKeeper {
  const stop = new AbortController();
  const work = keep(store, journal, clock, events, stop.signal);
  return {
    stop: async () => {
      stop.abort();
      await work;
    },
  };
}

async function keep(
  store: Store,
  journal: Journal,
  clock: Clock,
  events: LeaseEvents,
  signal: AbortSignal,
): Promise<void> {
  const { tenant, session } = journal.lease;
  let renewed = clock.monotonic();
  for (;;) {
    await clock.sleep(CANCEL_POLL_MS, signal);
    if (signal.aborted) return;
    try {
      const row = await store.getSession(tenant, session);
      if (row?.cancel_requested) events.onCancelRequested();
      if (clock.monotonic() - renewed >= RENEW_MS) {
        await journal.renew(LEASE_TTL_MS);
        renewed = clock.monotonic();
      }
    } catch (error) {
      if (!(error instanceof HarnessError)) throw error;
      const inTime = clock.monotonic() - renewed < LEASE_TTL_MS;
      if (error.kind === "store_busy" && inTime) continue;
      events.onLost(error);
      return;
    }
  }
}
