/** Whether the ledger says of a session what its journal says, to the last nano-dollar. */
import { LOCAL_TENANT, type SessionId } from "../../src/kernel/ids.ts";
import { NO_MONEY } from "../../src/kernel/money.ts";
import { totalTokens } from "../../src/kernel/usage.ts";
import { loadSession } from "../../src/store/journal.ts";
import type { Store } from "../../src/store/port.ts";

/** Of a session that nothing is under way of. Each problem is a sentence. */
export async function moneyProblems(store: Store, session: SessionId): Promise<readonly string[]> {
  const { state } = await loadSession(store, LOCAL_TENANT, session);
  const scope = { scope: `session:${session}`, cost: null, tokens: null, strict: false };
  const [at] = await store.positions(LOCAL_TENANT, [{ ...scope, opening: { cost: NO_MONEY, tokens: 0 } }]);
  const pairs = {
    cost: [at?.cost, state.priced_cost],
    tokens: [at?.tokens, totalTokens(state.usage)],
    "unknown cost": [at?.unknown_cost, state.unknown_cost],
    "unknown tokens": [at?.unknown_tokens, state.unknown_tokens],
    "reserved cost": [at?.reserved_cost, 0],
    "reserved tokens": [at?.reserved_tokens, 0],
  };
  return Object.entries(pairs)
    .filter(([, [ledger, journal]]) => ledger !== journal)
    .map(
      ([what, [ledger, journal]]) => `the ${what} in the ledger is ${ledger ?? "?"}, by the journal ${journal ?? "?"}`,
    );
}
