/** Batches among the sessions of a store. */
import { BATCH_TITLE } from "../../kernel/batch-state.ts";
import { LOCAL_TENANT } from "../../kernel/ids.ts";
import type { SessionState } from "../../kernel/state.ts";
import { loadSession } from "../../store/journal.ts";
import type { SessionRow, Store } from "../../store/port.ts";

/** Sessions that are looked through, newest first. */
const ROWS_MAX = 10_000;

export interface FoundBatch {
  readonly row: SessionRow;
  readonly state: SessionState;
}

/** Newest first. A session whose task only begins like a batch's title is none. */
export async function allBatches(store: Store, limit: number): Promise<readonly FoundBatch[]> {
  const found: FoundBatch[] = [];
  for (const { session, summary } of await store.listSessions({ tenant: LOCAL_TENANT, limit: ROWS_MAX })) {
    if (found.length >= limit) break;
    if (!summary.title.startsWith(BATCH_TITLE)) continue;
    const one = await loadSession(store, LOCAL_TENANT, session);
    if (one.state.jobs !== null) found.push(one);
  }
  return found;
}
