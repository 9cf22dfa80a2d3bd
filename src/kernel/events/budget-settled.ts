/** A reservation was replaced by what was really used, or kept as unknown spend when the answer was lost. */
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
    /** Null when the answer was lost: then the reservation stands as unknown spend. */
    usage: usage().nullable(),
    cost: nano().nullable(),
    /** The entry of the price table that matched; null for a model without a known price. */
    price: z.string().nullable(),
    unknown_tokens: z.int().nonnegative(),
  }),
);

export const budgetSettled: EventDefinition<z.infer<ReturnType<typeof schema>>> = {
  version: 1,
  schema,
  fold: (state, event) => {
    const { usage: used, cost, unknown_tokens } = event.data;
    const settled = { ...state, reserved: null, unknown_tokens: state.unknown_tokens + unknown_tokens };
    if (used === null) return { ...settled, cost: null };
    const path = [
      { kind: "session", id: state.session } as const,
      ...(event.run ? [{ kind: "run", id: event.run } as const] : []),
    ];
    return {
      ...settled,
      usage: addUsage(state.usage, used),
      cost: addKnownMoney(state.cost, cost),
      tally: spend(state.tally, path, { usage: used, cost, calls: 1 }),
    };
  },
};
