/** A reservation was replaced by what was really used; what a lost answer may have cost stays as unknown spend. */
import * as z from "zod";
import { lazy } from "../lazy.ts";
import { addKnownMoney } from "../money.ts";
import { spend } from "../scope.ts";
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
  }),
);

export const budgetSettled: EventDefinition<z.infer<ReturnType<typeof schema>>> = {
  version: 1,
  schema,
  fold: (state, event) => {
    const { usage: used, cost, unknown_tokens } = event.data;
    const path = [
      { kind: "session", id: state.session } as const,
      ...(event.run ? [{ kind: "run", id: event.run } as const] : []),
    ];
    return {
      ...state,
      reserved: null,
      unknown_tokens: state.unknown_tokens + unknown_tokens,
      usage: addUsage(state.usage, used),
      cost: addKnownMoney(state.cost, cost),
      tally: spend(state.tally, path, { usage: used, cost, calls: 1 }),
    };
  },
};
