/** A reservation was replaced by what was really used; what a lost answer may have cost stays as unknown spend. */
import * as z from "zod";
import { lazy } from "../lazy.ts";
import { addKnownMoney, addMoney, NO_MONEY } from "../money.ts";
import { scopeName, spend, type Tally } from "../scope.ts";
import { addUsage } from "../usage.ts";
import type { EventDefinition } from "./definition.ts";
import { modelCallId, nano, usage } from "./shapes.ts";

const schema = lazy(() =>
  z.object({
    call: modelCallId(),
    /** What the provider reported. */
    usage: usage(),
    /** Of that usage; null for a model without a known price. */
    cost: nano().nullable(),
    /** The entry of the price table that matched; null for a model without a known price. */
    price: z.string().nullable(),
    /** The rest of the reservation, when the answer was lost: it may have been spent. */
    unknown_tokens: z.int().nonnegative(),
    /** What that rest may have cost; null for a model without a known price. */
    unknown_cost: nano().nullable(),
  }),
);

export const budgetSettled: EventDefinition<z.infer<ReturnType<typeof schema>>> = {
  version: 2,
  schema,
  fold: (state, event) => {
    const { usage: used, cost, unknown_tokens, unknown_cost } = event.data;
    const path = [
      { kind: "session", id: state.session } as const,
      ...(event.run ? [{ kind: "run", id: event.run } as const] : []),
      ...(event.phase === null ? [] : [{ kind: "phase", id: event.phase } as const]),
      { kind: "turn", id: String(event.turn) } as const,
    ];
    return {
      ...state,
      reserved: null,
      unknown_tokens: state.unknown_tokens + unknown_tokens,
      unknown_cost: addMoney(state.unknown_cost, unknown_cost ?? NO_MONEY),
      usage: addUsage(state.usage, used),
      cost: addKnownMoney(state.cost, cost),
      priced_cost: addMoney(state.priced_cost, cost ?? NO_MONEY),
      tally: spend(ofThisTurn(state.tally, event.turn), path, { usage: used, cost, calls: 1 }),
    };
  },
  // What a lost answer may have cost was not written down: the tokens are, and they are counted against their cap.
  upcast: (data) => ({ ...data, unknown_cost: null }),
};

/** Turns are many; only the present one has a cap that is still open. */
function ofThisTurn(tally: Tally, turn: number): Tally {
  const mine = scopeName({ kind: "turn", id: String(turn) });
  const others = Object.keys(tally).some((name) => name.startsWith("turn:") && name !== mine);
  return others
    ? Object.fromEntries(Object.entries(tally).filter(([name]) => !name.startsWith("turn:") || name === mine))
    : tally;
}
