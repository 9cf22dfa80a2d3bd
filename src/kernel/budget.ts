/**
 * Caps on what a session may spend, by scope. A cap of money or tokens is a reservation in the store's ledger before each call;
 * caps of turns and time are checked by `decide`.
 */
import * as z from "zod";
import { lazy } from "./lazy.ts";
import { type NanoDollars, nanoDollars } from "./money.ts";

/** Nano-dollars. The brand is this file's word: a journal holds what `nanoDollars` let through. */
const nano = lazy(() => z.int().nonnegative() as unknown as z.ZodType<NanoDollars>);

const capSchema = lazy(() =>
  z.object({
    /** `session`, `run`, `turn`, `phase:NAME`, `skill:NAME`, `sub_agent:NAME`; or `group:NAME`, shared by all sessions that name it. */
    scope: z.string(),
    cost: nano().nullable(),
    /** A call whose price is unknown is refused, not let through: the cap was asked for. */
    strict: z.boolean(),
    tokens: z.int().positive().nullable(),
    turns: z.int().positive().nullable(),
    active_ms: z.int().positive().nullable(),
  }),
);

export type Cap = Readonly<z.infer<ReturnType<typeof capSchema>>>;

export const budgetSchema = lazy(() =>
  z.object({
    caps: z.array(capSchema()),
    /** Share of a cap at which a person is asked, or told where nobody is there. Null is never. */
    alert_at: z.number().positive().max(1).nullable(),
    /** What one turn may cost before a person is asked or told; null is never. */
    turn_alert: nano().nullable(),
  }),
);

export type Budget = Readonly<z.infer<ReturnType<typeof budgetSchema>>>;

export const SESSION_COST_DEFAULT: NanoDollars = nanoDollars(5_000_000_000);
export const ALERT_AT_DEFAULT = 0.8;

/** Money alone: turns, time and tokens of a session have limits of their own (`limits.ts`). */
export const NO_CAP: Omit<Cap, "scope"> = { cost: null, strict: false, tokens: null, turns: null, active_ms: null };

export const DEFAULT_BUDGET: Budget = {
  caps: [{ ...NO_CAP, scope: "session", cost: SESSION_COST_DEFAULT }],
  alert_at: ALERT_AT_DEFAULT,
  turn_alert: null,
};

/** `max_tokens` is lowered to what a cap leaves, but not below this: an answer that is cut at once is paid for twice. */
export const OUTPUT_TOKENS_MIN = 1_024;

/** Of two caps the one that holds; null is none. */
export function smallerCap<N extends number>(a: N | null, b: N | null): N | null {
  if (a === null || b === null) return a ?? b;
  return a < b ? a : b;
}
