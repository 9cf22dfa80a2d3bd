/** What `belay models` shows of a model: read from the cells that admission keeps, changing nothing. */
import type { TenantId } from "../../kernel/ids.ts";
import type { Cells } from "../../store/cells.ts";
import { type BreakerState, breakerState } from "./breaker.ts";
import { CELL_PREFIX, type CellState, decode, type LastError } from "./cell-state.ts";
import { type RateShare, rateShares } from "./judge.ts";
import { withoutDead } from "./limiter.ts";

/** Accounts and models that are shown. */
const SHOWN_MAX = 200;

export interface ModelHealth {
  readonly provider: string;
  readonly model: string;
  readonly account: string;
  readonly breaker: BreakerState;
  /** By the store's clock, in milliseconds since the epoch; null while it is not open. */
  readonly opens_until: number | null;
  /** Of the last call that was answered. */
  readonly last_latency_ms: number | null;
  readonly last_error: LastError | null;
  readonly rate: readonly RateShare[];
  readonly waiting: number;
  readonly in_flight: number;
}

/** Models that were called, by account. */
export async function readModelHealth(
  cells: Pick<Cells, "readCell" | "listCells">,
  tenant: TenantId,
): Promise<readonly ModelHealth[]> {
  const found = await cells.listCells(tenant, CELL_PREFIX, SHOWN_MAX);
  const [first] = found;
  if (first === undefined) return [];
  const { now } = await cells.readCell(tenant, first.key);
  return found.flatMap(({ value }) => {
    const state = decode(value, now);
    return state === null ? [] : [healthOf(state, now)];
  });
}

function healthOf({ provider, model, account, ...state }: CellState, now: number): ModelHealth {
  const limiter = withoutDead(state.limiter, now);
  const breaker = breakerState(state.breaker, now);
  return {
    ...{ provider, model, account, breaker },
    opens_until: breaker === "open" ? state.breaker.open_until : null,
    last_latency_ms: state.last_latency_ms,
    last_error: state.last_error,
    rate: rateShares(limiter, now),
    waiting: limiter.queue.length,
    in_flight: limiter.turns.length,
  };
}
