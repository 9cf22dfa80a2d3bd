/**
 * The account behind an API key, as the provider keeps it: for each key and model what is left of its limits, and for each
 * key what it has spent. It decides alone, without waiting: what arrives first is counted first.
 *
 * L1: a request is let in when every limit has room for it, and then takes from all of them; or from none (L3).
 * L2: output is counted as it is produced (Anthropic): a request comes in while anything is left, whatever its max_tokens.
 * L3: tokens of input and output in one (OpenAI) are max(estimated input, max_tokens), taken at once and never put back,
 *     and a request that is refused for its tokens has still used up one of the requests.
 */
import type { Clock } from "../../../kernel/clock.ts";
import { addMoney, dollarsOf, NO_MONEY, type NanoDollars, nanoFromDollars } from "../../../kernel/money.ts";
import type { DialectName } from "../dialect.ts";
import { type Bucket, createBucket } from "./bucket.ts";
import type { Level, Limits, RateName, Refusal } from "./limits.ts";

/** Keys, each with each model it asked; the oldest goes first, and begins anew. */
const POOLS_MAX = 10_000;

export interface Wanted {
  /** Tells keys apart. */
  readonly key: string;
  /** What the counters call the key. */
  readonly label: string;
  readonly dialect: DialectName;
  /** What this provider limits. */
  readonly rates: readonly RateName[];
  readonly model: string;
  /** Tokens of the prompt, all and those that were read from the cache. */
  readonly prompt: { readonly total: number; readonly read: number };
  /** Null: it does not say. */
  readonly maxTokens: number | null;
}

/** A request that was let in. */
export interface Pass {
  /** The input turned out to be so many tokens: the estimate is put right (Anthropic). */
  settleInput(tokens: number): void;
  /** So many tokens of the answer have been produced by now. */
  produced(tokens: number): void;
  spend(cost: NanoDollars): void;
  /** It is over, however it ended. May be called more than once. */
  leave(): void;
}

/** Of one key and model, since the start. */
export interface PoolCounts {
  /** The last four characters. */
  readonly key: string;
  readonly dialect: DialectName;
  readonly model: string;
  /** Let in. */
  readonly served: number;
  /** Refused with 429, and of those by what. */
  readonly refused: number;
  readonly refused_for: { readonly [what in Refusal["what"]]?: number };
  /** Met by an outage. */
  readonly outages: number;
  /** As they were counted against the limits. */
  readonly input_tokens: number;
  readonly output_tokens: number;
  /** What its answers cost; 0 where no spend limit asks. */
  readonly spent_usd: number;
  /** Being answered now, and the most there ever were. */
  readonly busy: number;
  readonly busy_max: number;
}

export interface Gate {
  /** False: answers say nothing of rates and of when to come again. */
  readonly tells: boolean;
  enter(wanted: Wanted): Pass | { readonly refusal: Refusal };
  /** An outage answered it instead. */
  outage(wanted: Wanted): void;
  /** Null where nothing is enforced that headers could tell. */
  levels(wanted: Wanted): readonly Level[] | null;
  counts(): readonly PoolCounts[];
}

interface Pool {
  readonly wanted: Pick<Wanted, "label" | "dialect" | "model">;
  readonly buckets: ReadonlyMap<RateName, Bucket>;
  readonly concurrency: number | null;
  readonly refusedFor: Map<Refusal["what"], number>;
  readonly account: Account;
  served: number;
  outages: number;
  input: number;
  output: number;
  spent: NanoDollars;
  busy: number;
  busyMax: number;
}

interface Account {
  spent: NanoDollars;
}

export function createGate(limits: Limits | undefined, clock: Clock): Gate {
  const pools = new Map<string, Pool>();
  const accounts = new Map<string, Account>();
  const tells = limits?.headers !== false;
  const cap = limits?.spend_usd === undefined ? null : nanoFromDollars(limits.spend_usd);

  const poolOf = (wanted: Wanted): Pool => {
    const name = `${wanted.key} ${wanted.dialect} ${wanted.model}`;
    const known = pools.get(name);
    if (known !== undefined) return known;
    const account = accounts.get(wanted.key) ?? { spent: NO_MONEY };
    accounts.set(wanted.key, account);
    const made = createPool(wanted, limits, account);
    pools.set(name, made);
    forgetOldest(pools);
    forgetOldest(accounts);
    return made;
  };

  return {
    tells,
    enter: (wanted) => {
      const pool = poolOf(wanted);
      const now = clock.monotonic();
      const refusal =
        (cap !== null && pool.account.spent >= cap ? ({ what: "spend" } as const) : null) ??
        fullHouse(pool) ??
        tooMuch(pool, wanted, now, tells);
      if (refusal === null) return letIn(pool, wanted, clock);
      pool.refusedFor.set(refusal.what, (pool.refusedFor.get(refusal.what) ?? 0) + 1);
      // L3
      if (refusal.what === "tokens") pool.buckets.get("requests")?.take(1, now);
      return { refusal };
    },
    outage: (wanted) => {
      poolOf(wanted).outages += 1;
    },
    levels: (wanted) => {
      if (limits === undefined) return null;
      if (!tells) return [];
      const now = clock.monotonic();
      return [...poolOf(wanted).buckets].map(([name, bucket]) => ({
        name,
        limit: bucket.limit,
        left: Math.max(0, bucket.left(now)),
        fullMs: bucket.fullMs(now),
      }));
    },
    counts: () => [...pools.values()].map(countsOf),
  };
}

function createPool(wanted: Wanted, limits: Limits | undefined, account: Account): Pool {
  const { label, dialect, model, rates } = wanted;
  const own = limits?.models && Object.hasOwn(limits.models, model) ? limits.models[model] : undefined;
  const buckets = rates.flatMap((name) => {
    const limit = own?.[name] ?? limits?.[name];
    return limit === undefined ? [] : [[name, createBucket(limit, limits?.burst_s)] as const];
  });
  return {
    wanted: { label, dialect, model },
    buckets: new Map(buckets),
    concurrency: own?.concurrency ?? limits?.concurrency ?? null,
    refusedFor: new Map(),
    account,
    served: 0,
    outages: 0,
    input: 0,
    output: 0,
    spent: NO_MONEY,
    busy: 0,
    busyMax: 0,
  };
}

function forgetOldest(map: Map<string, unknown>): void {
  if (map.size <= POOLS_MAX) return;
  const [oldest] = map.keys();
  if (oldest !== undefined) map.delete(oldest);
}

function fullHouse({ busy, concurrency }: Pool): Refusal | null {
  return concurrency !== null && busy >= concurrency ? { what: "concurrency", limit: concurrency } : null;
}

function tooMuch({ buckets }: Pool, wanted: Wanted, now: number, told: boolean): Refusal | null {
  for (const [what, bucket] of buckets) {
    const requested = asksFor(what, wanted);
    const waitMs = bucket.waitMs(requested, now);
    const never = requested > bucket.capacity;
    if (waitMs === 0 && !never) continue;
    return { what, limit: bucket.limit, left: Math.max(0, bucket.left(now)), requested, waitMs, never, told };
  }
  return null;
}

/** How much must be there. Of output one token (L2), which is not taken. */
function asksFor(what: RateName, { prompt, maxTokens }: Wanted): number {
  switch (what) {
    case "requests":
    case "output_tokens":
      return 1;
    case "input_tokens":
      return prompt.total - prompt.read;
    case "tokens":
      return Math.max(prompt.total, maxTokens ?? 0);
  }
}

/** L1 */
function letIn(pool: Pool, wanted: Wanted, clock: Clock): Pass {
  const { buckets, account } = pool;
  const now = clock.monotonic();
  for (const [what, bucket] of buckets) if (what !== "output_tokens") bucket.take(asksFor(what, wanted), now);
  let input = asksFor("input_tokens", wanted);
  let output = 0;
  let isOver = false;
  pool.served += 1;
  pool.input += input;
  pool.busy += 1;
  pool.busyMax = Math.max(pool.busyMax, pool.busy);
  return {
    settleInput: (tokens) => {
      if (tokens !== input) buckets.get("input_tokens")?.take(tokens - input, clock.monotonic());
      pool.input += tokens - input;
      input = tokens;
    },
    produced: (tokens) => {
      if (tokens <= output) return;
      buckets.get("output_tokens")?.take(tokens - output, clock.monotonic());
      pool.output += tokens - output;
      output = tokens;
    },
    spend: (cost) => {
      account.spent = addMoney(account.spent, cost);
      pool.spent = addMoney(pool.spent, cost);
    },
    leave: () => {
      if (isOver) return;
      isOver = true;
      pool.busy -= 1;
    },
  };
}

function countsOf(pool: Pool): PoolCounts {
  return {
    key: pool.wanted.label,
    dialect: pool.wanted.dialect,
    model: pool.wanted.model,
    served: pool.served,
    refused: [...pool.refusedFor.values()].reduce((sum, count) => sum + count, 0),
    refused_for: Object.fromEntries(pool.refusedFor),
    outages: pool.outages,
    input_tokens: pool.input,
    output_tokens: pool.output,
    spent_usd: dollarsOf(pool.spent),
    busy: pool.busy,
    busy_max: pool.busyMax,
  };
}
