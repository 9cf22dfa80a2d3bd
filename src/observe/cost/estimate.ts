/** What runs like a task cost before: quantiles over finished sessions, with how many they rest on and which rule picked them. */
import { DEFAULT_BUDGET } from "../../kernel/budget.ts";
import { HarnessError } from "../../kernel/harness-error.ts";
import { LOCAL_TENANT, type SessionId } from "../../kernel/ids.ts";
import { DEFAULT_LIMITS } from "../../kernel/limits.ts";
import { type NanoDollars, nanoDollars } from "../../kernel/money.ts";
import type { Outcome } from "../../kernel/outcome.ts";
import { loadSession } from "../../store/journal.ts";
import type { SessionRow, Store } from "../../store/port.ts";
import { type Picked, type Rule, RUNS_WANTED, similarRuns, type Sought } from "./similar-runs.ts";

/** Sessions that are looked at, newest first. */
export const EARLIER_MAX = 10_000;

/** A run that was stopped or that broke says nothing about what the task costs. */
const SAY_NOTHING: readonly Outcome[] = ["canceled", "failed", "needs_approval"];

export interface Estimate {
  readonly rule: Rule;
  /** How many it rests on. */
  readonly runs: number;
  /** Fewer than `RUNS_WANTED`. */
  readonly few: boolean;
  /** Of them, those whose price is known. */
  readonly priced: number;
  /** With what lost answers may have cost. Null where no price is known. */
  readonly cost: Quantiles | null;
  readonly turns: Quantiles | null;
  /** How long they were at work, in milliseconds. */
  readonly duration_ms: Quantiles | null;
  /** Most alike first. */
  readonly sessions: readonly SessionId[];
  /** What bounds a run for which nobody says otherwise. */
  readonly default_caps: { readonly cost: NanoDollars | null; readonly turns: number; readonly tokens: number };
}

/** By nearest rank: each is a value that occurred. */
export interface Quantiles {
  readonly p50: number;
  readonly p90: number;
  readonly max: number;
}

export async function estimateOf(store: Store, sought: Sought): Promise<Estimate> {
  const rows = await store.listSessions({ tenant: LOCAL_TENANT, limit: EARLIER_MAX });
  const { rule, runs }: Picked<Earlier> = similarRuns(rows.filter(isTelling).map(earlierOf), sought);
  const facts: Facts[] = [];
  for (const { row } of runs) {
    const one = await factsOf(store, row);
    if (one !== null) facts.push(one);
  }
  const costs = facts.flatMap(({ cost }) => (cost === null ? [] : [cost]));
  return {
    rule,
    runs: facts.length,
    few: facts.length < RUNS_WANTED,
    priced: costs.length,
    cost: quantiles(costs),
    turns: quantiles(facts.map(({ turns }) => turns)),
    duration_ms: quantiles(facts.map(({ duration_ms }) => duration_ms)),
    sessions: facts.map(({ session }) => session),
    default_caps: {
      cost: DEFAULT_BUDGET.caps.find(({ scope }) => scope === "session")?.cost ?? null,
      turns: DEFAULT_LIMITS.turns,
      tokens: DEFAULT_LIMITS.tokens,
    },
  };
}

interface Earlier {
  readonly row: SessionRow;
  readonly title: string;
  readonly source: string;
  readonly model: string;
}

function earlierOf(row: SessionRow): Earlier {
  return { row, title: row.summary.title, source: row.place.source, model: row.summary.model };
}

/** A fork begins with what its parent spent, and is no run of its own; what has no turns is no run at all (a batch). */
function isTelling({ summary, root, session }: SessionRow): boolean {
  // what is stored as an outcome was one
  return (
    summary.status === "ended" &&
    summary.turns > 0 &&
    root === session &&
    !SAY_NOTHING.includes(summary.outcome as Outcome)
  );
}

interface Facts {
  readonly session: SessionId;
  readonly cost: NanoDollars | null;
  readonly turns: number;
  readonly duration_ms: number;
}

/** Null where it cannot be read: removed meanwhile, or damaged. */
async function factsOf(store: Store, { tenant, session }: SessionRow): Promise<Facts | null> {
  try {
    const { state } = await loadSession(store, tenant, session);
    const { cost, unknown_cost, turn, active_ms } = state;
    return {
      session,
      cost: cost === null ? null : nanoDollars(cost + unknown_cost),
      turns: turn,
      duration_ms: active_ms,
    };
  } catch (error) {
    if (!(error instanceof HarnessError) || !UNREADABLE.includes(error.kind)) throw error;
    return null;
  }
}

const UNREADABLE: readonly HarnessError["kind"][] = ["session_not_found", "store_corrupt", "blob_missing"];

/** Null of nothing. */
export function quantiles(values: readonly number[]): Quantiles | null {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
  return sorted.length === 0 ? null : { p50: at(0.5), p90: at(0.9), max: at(1) };
}
