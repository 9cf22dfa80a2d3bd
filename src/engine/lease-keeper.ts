/**
 * Keeps a session's lease while it is driven, and looks for a cancel from elsewhere.
 *
 * L1: a driver that cannot renew in time stops: it never acts on a lease it may have lost.
 */
import type { Clock } from "../kernel/clock.ts";
import { HarnessError } from "../kernel/harness-error.ts";
import type { Lease, Store } from "../store/port.ts";
import { LEASE_TTL_MS, type Ownership } from "./ownership.ts";

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

export interface Kept {
  readonly store: Store;
  readonly lease: Pick<Lease, "tenant" | "session">;
  readonly ownership: Ownership;
  readonly clock: Clock;
}

export function keepLease(kept: Kept, events: LeaseEvents): LeaseKeeper {
  const stop = new AbortController();
  const work = keep(kept, events, stop.signal);
  return {
    stop: async () => {
      stop.abort();
      await work;
    },
  };
}

async function keep(
  { store, lease: { tenant, session }, ownership, clock }: Kept,
  events: LeaseEvents,
  signal: AbortSignal,
): Promise<void> {
  let renewed = clock.monotonic();
  for (;;) {
    await clock.sleep(CANCEL_POLL_MS, signal);
    if (signal.aborted) return;
    try {
      const row = await store.getSession(tenant, session);
      if (row?.cancel_requested) events.onCancelRequested();
      if (clock.monotonic() - renewed >= RENEW_MS) {
        await ownership.renew();
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
