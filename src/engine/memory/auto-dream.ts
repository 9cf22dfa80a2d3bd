/** Between sessions belay dreams by itself, now and then: without a model, with small bounds, and never two at a time. */
import { HarnessError } from "../../kernel/harness-error.ts";
import type { SessionState } from "../../kernel/state.ts";
import type { Host } from "../host.ts";
import { type Dreamed, dream } from "./dream.ts";
import { readDream } from "./dream-lease.ts";

/** So long after the last one, in milliseconds. */
const REST_MS = 24 * 60 * 60_000;
/** So many sessions after the last one. */
const SESSIONS = 5;
const ITEMS_MAX = 2_000;
const COMPARISONS = 20_000;

/** Dreams of what the session's person and project know, when that is due. @returns null when it was not, or could not be done */
export async function dreamWhenDue(host: Host, state: SessionState, signal: AbortSignal): Promise<Dreamed | null> {
  const { tenant, principal, config } = state;
  const { store } = host;
  if (config === null || config.memory.project === "" || config.agents.level > 0 || !config.memory.remember)
    return null;
  try {
    const { last, now } = await readDream(store, tenant);
    if (now - last < REST_MS) return null;
    const rows = await store.listSessions({ tenant, limit: SESSIONS });
    if (rows.length < SESSIONS || rows.some(({ created_at }) => created_at <= last)) return null;
    return await dream(host, {
      of: { tenant, principal },
      projects: [config.memory.project],
      owner: host.owner().token,
      apply: true,
      applyProposals: false,
      signal,
      items: ITEMS_MAX,
      comparisons: COMPARISONS,
    });
  } catch (error) {
    // What was to be tidied up is tidied up another time; the run has ended as it ended.
    if (!(error instanceof HarnessError)) throw error;
    return null;
  }
}
