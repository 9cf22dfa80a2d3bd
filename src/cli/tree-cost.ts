/** What a session cost together with the sub-agents that it started, and theirs. */
import { LOCAL_TENANT, type SessionId } from "../kernel/ids.ts";
import { addKnownMoney, dollarsOf, formatMoney, nanoDollars, type NanoDollars, NO_MONEY } from "../kernel/money.ts";
import type { Store } from "../store/port.ts";

/** Of one tree. */
const SESSIONS_MAX = 5_000;

export interface TreeCost {
  readonly sub_agents: number;
  /** Dollars of the sub-agents, and of all together; null where a price is not known. */
  readonly sub_agents_usd: number | null;
  readonly usd: number | null;
}

/** Null for a session that started none, or is one. */
export async function treeCost(store: Store, session: SessionId): Promise<TreeCost | null> {
  const rows = await store.listSessions({ tenant: LOCAL_TENANT, root: session, limit: SESSIONS_MAX });
  const agents = rows.filter(({ summary }) => summary.agent !== undefined);
  const own = rows.find((row) => row.session === session);
  if (own === undefined || agents.length === 0) return null;
  const theirs = agents.map(({ summary }) => money(summary.cost)).reduce(addKnownMoney, NO_MONEY);
  const all = addKnownMoney(theirs, money(own.summary.cost));
  return { sub_agents: agents.length, sub_agents_usd: usd(theirs), usd: usd(all) };
}

export function treeLine({ sub_agents, sub_agents_usd, usd: all }: TreeCost): string {
  const shown = (dollars: number | null): string =>
    formatMoney(dollars === null ? null : nanoDollars(Math.round(dollars * 1e9)));
  return `\nIts ${sub_agents} sub-agent${sub_agents === 1 ? "" : "s"} cost ${shown(sub_agents_usd)} besides: ${shown(all)} together.`;
}

function money(cost: number | null): NanoDollars | null {
  return cost === null ? null : nanoDollars(cost);
}

function usd(cost: NanoDollars | null): number | null {
  return cost === null ? null : dollarsOf(cost);
}
