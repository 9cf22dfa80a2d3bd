/**
 * What the sessions of a store cost, from their journals alone, beside what the ledger says. One session is read after the
 * other; what is kept are the sums.
 */
import type { LedgerScope } from "../../kernel/ledger-scopes.ts";
import type { Host } from "../../engine/host.ts";
import { isUnknown } from "../../kernel/fold.ts";
import { HarnessError } from "../../kernel/harness-error.ts";
import { LOCAL_TENANT, type SessionId } from "../../kernel/ids.ts";
import { type NanoDollars, nanoDollars, NO_MONEY } from "../../kernel/money.ts";
import { totalTokens } from "../../kernel/usage.ts";
import { readEvents } from "../../store/journal.ts";
import type { ScopePosition } from "../../store/ledger.ts";
import type { SessionRow } from "../../store/port.ts";
import { sessionNotFound } from "../../store/refusal.ts";
import { attribution } from "./attribution.ts";
import { classPrices, type ClassPricesOf } from "./class-prices.ts";
import { addGroups, addSums, type Grouping, type Groups, groupsOf, NO_SUMS, type Sums, sumsOf } from "./cost-sums.ts";

/** Sessions that are looked at, newest first. Their rows are held in memory. */
export const SESSIONS_MAX = 100_000;

export interface CostRequest {
  /** Null: all of the store. */
  readonly session: SessionId | null;
  readonly by: Grouping;
  /** Only what was settled from here on, in milliseconds since the epoch; null: all. */
  readonly since: number | null;
  /** Called before each session. Default nobody. */
  readonly onProgress?: (done: number, of: number) => void;
}

export interface CostReport {
  readonly groups: Groups;
  /** Of the sessions that are groups. */
  readonly titles: ReadonlyMap<string, string>;
  readonly total: Sums;
  /** Sessions that were counted. */
  readonly sessions: number;
  /** What forks and imported sessions took over: it was paid for elsewhere, and is in no other number. */
  readonly inherited: Sums;
  readonly damaged: readonly DamagedSession[];
  /** Events of kinds that this version does not know: what they may have cost is not counted. */
  readonly unknown_events: number;
  /** Whether there are sessions beyond `SESSIONS_MAX`. */
  readonly more: boolean;
  /** Null where only a part of the store was asked for. */
  readonly ledger: LedgerCheck | null;
}

/** Not counted: its journal cannot be read to the end. */
export interface DamagedSession {
  readonly session: SessionId;
  readonly message: string;
  /** What the list of sessions says; null when that is unknown. */
  readonly cost: NanoDollars | null;
}

/** The ledger of all sessions beside their journals. */
export interface LedgerCheck {
  /** Settled, of lost answers, and held by calls under way: as the ledger has it. */
  readonly cost: NanoDollars;
  readonly unknown_cost: NanoDollars;
  readonly reserved_cost: NanoDollars;
  /**
   * What the ledger has and no journal that was counted: sessions that were removed or are damaged, and work that is no
   * session's. All 0: they agree to the last nano-dollar.
   */
  readonly missing: { readonly cost: number; readonly unknown_cost: number; readonly tokens: number };
  /** What the journals have from before there was a ledger. */
  readonly older: Sums;
  /** Money was spent while the journals were read: a difference may be that. */
  readonly moved: boolean;
}

type Parts = Pick<Host, "store" | "prices">;

/** @throws `session_not_found`, and what the store throws but for damaged journals */
export async function costsOf(host: Parts, request: CostRequest): Promise<CostReport> {
  const { rows, more } = await rowsOf(host, request);
  const prices = classPrices(host.prices);
  const whole = request.session === null && request.since === null && !more;
  const before = whole ? await tenantPosition(host) : null;
  let all = NOTHING;
  const damaged: DamagedSession[] = [];
  for (const [i, row] of rows.entries()) {
    request.onProgress?.(i, rows.length);
    const one = await countedSession(host, row, request, prices);
    if ("message" in one) damaged.push(one);
    else all = together(all, one);
  }
  const after = whole ? await tenantPosition(host) : null;
  const { groups, total, inherited, sessions, unknown_events } = all;
  const ledger = before === null || after === null ? null : checked(before, after, all);
  const titles = new Map(
    rows.filter(({ session }) => groups.has(session)).map((row) => [row.session, row.summary.title]),
  );
  return { groups, titles, total, sessions, inherited, unknown_events, damaged, more, ledger };
}

interface Counted {
  readonly groups: Groups;
  readonly total: Sums;
  readonly in_ledger: Sums;
  readonly inherited: Sums;
  readonly sessions: number;
  readonly unknown_events: number;
}

const NOTHING: Counted = {
  groups: new Map(),
  total: NO_SUMS,
  in_ledger: NO_SUMS,
  inherited: NO_SUMS,
  sessions: 0,
  unknown_events: 0,
};

function together(a: Counted, b: Counted): Counted {
  return {
    groups: addGroups(a.groups, b.groups),
    total: addSums(a.total, b.total),
    in_ledger: addSums(a.in_ledger, b.in_ledger),
    inherited: addSums(a.inherited, b.inherited),
    sessions: a.sessions + b.sessions,
    unknown_events: a.unknown_events + b.unknown_events,
  };
}

async function rowsOf(
  { store }: Parts,
  { session, since }: CostRequest,
): Promise<{ readonly rows: readonly SessionRow[]; readonly more: boolean }> {
  if (session !== null) {
    const row = await store.getSession(LOCAL_TENANT, session);
    if (row === null) throw sessionNotFound(session);
    return { rows: [row], more: false };
  }
  const found = await store.listSessions({ tenant: LOCAL_TENANT, limit: SESSIONS_MAX + 1 });
  const rows = found.slice(0, SESSIONS_MAX).filter((row) => since === null || row.updated_at >= since);
  return { rows, more: found.length > SESSIONS_MAX };
}

async function countedSession(
  { store }: Parts,
  row: SessionRow,
  { by, since }: CostRequest,
  prices: ClassPricesOf,
): Promise<Counted | DamagedSession> {
  const { take } = attribution(prices);
  let counted: Counted = { ...NOTHING, sessions: 1 };
  try {
    for await (const event of readEvents(store, row.tenant, row.session)) {
      if (isUnknown(event)) {
        counted = { ...counted, unknown_events: counted.unknown_events + 1 };
        continue;
      }
      for (const finding of await take(event)) {
        if (finding.kind === "inherited")
          counted = { ...NOTHING, sessions: 1, inherited: addSums(counted.inherited, counted.total) };
        else if (since === null || (finding.kind === "charge" ? finding.charge : finding).at >= since) {
          counted = { ...counted, groups: addGroups(counted.groups, groupsOf(finding, by)) };
          if (finding.kind === "charge") counted = withCharge(counted, finding.charge);
        }
      }
    }
    return counted;
  } catch (error) {
    if (!(error instanceof HarnessError) || !DAMAGE.includes(error.kind)) throw error;
    const { cost } = row.summary;
    return { session: row.session, message: error.message, cost: cost === null ? null : nanoDollars(cost) };
  }
}

const DAMAGE: readonly HarnessError["kind"][] = ["store_corrupt", "blob_missing"];

function withCharge(counted: Counted, charge: Parameters<typeof sumsOf>[0]): Counted {
  const sums = sumsOf(charge);
  return {
    ...counted,
    total: addSums(counted.total, sums),
    in_ledger: charge.in_ledger ? addSums(counted.in_ledger, sums) : counted.in_ledger,
  };
}

const TENANT: LedgerScope = {
  scope: "tenant",
  cost: null,
  tokens: null,
  strict: false,
  opening: { cost: NO_MONEY, tokens: 0 },
};

async function tenantPosition({ store }: Parts): Promise<ScopePosition | null> {
  const [position] = await store.positions(LOCAL_TENANT, [TENANT]);
  return position ?? null;
}

function checked(before: ScopePosition, after: ScopePosition, { in_ledger, total }: Counted): LedgerCheck {
  const tokens = totalTokens(in_ledger.usage);
  return {
    cost: after.cost,
    unknown_cost: after.unknown_cost,
    reserved_cost: after.reserved_cost,
    missing: {
      cost: after.cost - in_ledger.cost,
      unknown_cost: after.unknown_cost - in_ledger.unknown_cost,
      tokens: after.tokens - tokens,
    },
    older: without(total, in_ledger),
    moved: before.cost !== after.cost || before.unknown_cost !== after.unknown_cost || before.tokens !== after.tokens,
  };
}

/** @param part of `all` */
function without(all: Sums, part: Sums): Sums {
  const { usage } = part;
  return {
    usage: {
      input_tokens: all.usage.input_tokens - usage.input_tokens,
      cache_read_tokens: all.usage.cache_read_tokens - usage.cache_read_tokens,
      cache_write_5m_tokens: all.usage.cache_write_5m_tokens - usage.cache_write_5m_tokens,
      cache_write_1h_tokens: all.usage.cache_write_1h_tokens - usage.cache_write_1h_tokens,
      output_tokens: all.usage.output_tokens - usage.output_tokens,
    },
    cost: nanoDollars(all.cost - part.cost),
    unknown_tokens: all.unknown_tokens - part.unknown_tokens,
    unknown_cost: nanoDollars(all.unknown_cost - part.unknown_cost),
    calls: all.calls - part.calls,
    unpriced: all.unpriced - part.unpriced,
  };
}
