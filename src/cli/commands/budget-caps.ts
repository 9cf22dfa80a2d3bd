/** What `belay budget` does: it looks at the ledger, and sets the caps of the tenant. */
import type { LedgerScope } from "../../kernel/ledger-scopes.ts";
import { HarnessError } from "../../kernel/harness-error.ts";
import { LOCAL_TENANT } from "../../kernel/ids.ts";
import { formatMoney, type NanoDollars, nanoDollars, NO_MONEY } from "../../kernel/money.ts";
import type { ScopePosition, TenantCap, TenantPeriod } from "../../store/ledger.ts";
import type { Store } from "../../store/port.ts";
import type { Face } from "../face.ts";
import { withStore } from "../session-choice.ts";
import { formatCount, plural } from "../view/format.ts";
import { tableLines } from "../view/table.ts";

export interface ShowBudgetOptions {
  readonly json?: true;
}

export interface SetBudgetOptions {
  readonly daily?: NanoDollars;
  readonly monthly?: NanoDollars;
  readonly total?: NanoDollars;
  readonly dailyTokens?: number;
  readonly monthlyTokens?: number;
  readonly totalTokens?: number;
}

export interface ClearBudgetOptions {
  readonly daily?: true;
  readonly monthly?: true;
  readonly total?: true;
}

/** Where there is no terminal nothing is cut. */
const PIPE_COLUMNS = 400;
/** Sessions that are looked at; they are listed by name, not by what they spent. */
const SESSIONS_MAX = 10_000;
const DEAREST = 5;
const SESSION_PREFIX = "session:";

const PERIODS = [
  { period: "day", option: "daily", tokens: "dailyTokens", of: (day: string) => `day:${day}`, title: "today" },
  {
    period: "month",
    option: "monthly",
    tokens: "monthlyTokens",
    of: (day: string) => `month:${day.slice(0, "2026-11".length)}`,
    title: "this month",
  },
  { period: "total", option: "total", tokens: "totalTokens", of: () => "tenant", title: "in all" },
] as const satisfies readonly {
  readonly period: TenantPeriod;
  readonly option: keyof ClearBudgetOptions;
  readonly tokens: keyof SetBudgetOptions;
  readonly of: (day: string) => string;
  readonly title: string;
}[];

export async function showBudget(options: ShowBudgetOptions, face: Face): Promise<number> {
  return withStore(face, async (store) => {
    const { periods, sessions, cut } = await spending(store);
    if (options.json === true) {
      face.out.json(JSON.stringify({ money: "nano-dollars", periods, sessions, complete: !cut }));
      return 0;
    }
    const columns = face.out.isTerminal ? face.out.columns() : PIPE_COLUMNS;
    const head = ["PERIOD", "CAP", "SPENT", "UNKNOWN", "RESERVED", "LEFT"];
    for (const line of tableLines(head, periods.flatMap(periodRows), columns)) face.out.line(line);
    const [all] = periods.slice(-1);
    if (all !== undefined && all.unpriced > 0)
      face.out.line(`${plural(all.unpriced, "call")} had no known price: their money is not in it, their tokens are.`);
    if (sessions.length > 0) printSessions(sessions, cut, { face, columns });
    return 0;
  });
}

interface Spending {
  readonly periods: readonly (ScopePosition & { readonly period: TenantPeriod; readonly title: string })[];
  /** The dearest first. */
  readonly sessions: readonly ScopePosition[];
  /** Whether there are more sessions than were looked at. */
  readonly cut: boolean;
}

async function spending(store: Store): Promise<Spending> {
  const day = new Date(await store.now()).toISOString().slice(0, "2026-11-21".length);
  const scopes = PERIODS.map(({ of }) => scopeOf(of(day)));
  const positions = await store.positions(LOCAL_TENANT, scopes);
  const listed = await store.listScopes(LOCAL_TENANT, SESSION_PREFIX, SESSIONS_MAX);
  const total = ({ cost, unknown_cost }: ScopePosition): number => cost + unknown_cost;
  return {
    periods: PERIODS.flatMap(({ period, title }, i) => {
      const position = positions[i];
      return position === undefined ? [] : [{ period, title, ...position }];
    }),
    sessions: listed.toSorted((a, b) => total(b) - total(a) || b.tokens - a.tokens).slice(0, DEAREST),
    cut: listed.length === SESSIONS_MAX,
  };
}

function scopeOf(scope: string): LedgerScope {
  return { scope, cost: null, tokens: null, strict: false, opening: { cost: NO_MONEY, tokens: 0 } };
}

function periodRows(position: Spending["periods"][number]): readonly (readonly string[])[] {
  const { title, cap_cost, cost, unknown_cost, reserved_cost, cap_tokens, tokens, ...rest } = position;
  const left = cap_cost === null ? null : nanoDollars(Math.max(0, cap_cost - cost - unknown_cost - reserved_cost));
  const tokensLeft = cap_tokens === null ? null : cap_tokens - tokens - rest.unknown_tokens - rest.reserved_tokens;
  return [
    [
      title,
      cap_cost === null ? "-" : formatMoney(cap_cost),
      ...[cost, unknown_cost, reserved_cost].map((amount) => formatMoney(amount)),
      left === null ? "-" : formatMoney(left),
    ],
    [
      "  tokens",
      cap_tokens === null ? "-" : formatCount(cap_tokens),
      ...[tokens, rest.unknown_tokens, rest.reserved_tokens].map(formatCount),
      tokensLeft === null ? "-" : formatCount(Math.max(0, tokensLeft)),
    ],
  ];
}

function printSessions(
  sessions: readonly ScopePosition[],
  cut: boolean,
  { face, columns }: { readonly face: Face; readonly columns: number },
): void {
  const rows = sessions.map((one) => [
    one.scope.slice(SESSION_PREFIX.length),
    formatMoney(one.cost),
    formatMoney(one.unknown_cost),
    formatCount(one.tokens),
    `${one.calls}`,
  ]);
  face.out.line("");
  for (const line of tableLines(["DEAREST SESSIONS", "SPENT", "UNKNOWN", "TOKENS", "CALLS"], rows, columns))
    face.out.line(line);
  if (cut) face.out.line(`Of the oldest ${SESSIONS_MAX}; there are more.`);
}

/** @throws HarnessError `usage` when nothing is named */
export async function setBudget(options: SetBudgetOptions, face: Face): Promise<number> {
  const named = PERIODS.filter(({ option, tokens }) => options[option] !== undefined || options[tokens] !== undefined);
  if (named.length === 0)
    throw new HarnessError("usage", "No cap was named.", "Say, for instance: belay budget set --daily 20.");
  return withStore(face, async (store) => {
    const present = await store.tenantCaps(LOCAL_TENANT);
    for (const { period, option, tokens } of named) {
      const cap: TenantCap = {
        cost: options[option] ?? present[period]?.cost ?? null,
        tokens: options[tokens] ?? present[period]?.tokens ?? null,
      };
      await store.setTenantCap(LOCAL_TENANT, period, cap);
      face.out.line(`The cap ${titleOf(period)} is ${capText(cap)}.`);
    }
    return 0;
  });
}

export async function clearBudget(options: ClearBudgetOptions, face: Face): Promise<number> {
  const said = PERIODS.filter(({ option }) => options[option] === true);
  return withStore(face, async (store) => {
    for (const { period } of said.length === 0 ? PERIODS : said) {
      await store.setTenantCap(LOCAL_TENANT, period, null);
      face.out.line(`There is no cap ${titleOf(period)}.`);
    }
    return 0;
  });
}

function titleOf(period: TenantPeriod): string {
  return { day: "of a day", month: "of a month", total: "of all" }[period];
}

function capText({ cost, tokens }: TenantCap): string {
  const parts = [
    ...(cost === null ? [] : [formatMoney(cost)]),
    ...(tokens === null ? [] : [`${tokens.toLocaleString("en-US")} tokens`]),
  ];
  return parts.join(" and ");
}
