/** The next request is changed so that the provider accepts it. Appended, never rewritten: the journal keeps what was. */
import * as z from "zod";
import { say } from "../conversation.ts";
import { lazy } from "../lazy.ts";
import { textPart } from "../content.ts";
import { OUTPUT_TOKENS_RAISED } from "../limits.ts";
import type { SessionState } from "../state.ts";
import type { EventDefinition } from "./definition.ts";
import { errorKind } from "./shapes.ts";

const REPAIRS = ["raise_max_tokens", "lower_max_tokens", "continue", "drop_thinking", "rebuild"] as const;
export type Repair = (typeof REPAIRS)[number];

const schema = lazy(() => z.object({ kind: errorKind(), repair: z.enum(REPAIRS) }));

/** The smallest `max_tokens` that is worth a call. */
const LOWERED = 2_048;

const APPLY: { readonly [R in Repair]: (state: SessionState) => SessionState } = {
  raise_max_tokens: (state) => ({ ...state, max_tokens: Math.max(state.max_tokens, OUTPUT_TOKENS_RAISED) }),
  lower_max_tokens: (state) => ({ ...state, max_tokens: Math.min(state.max_tokens, LOWERED) }),
  continue: (state) =>
    say({ ...state, max_tokens: Math.max(state.max_tokens, OUTPUT_TOKENS_RAISED) }, [
      textPart("Your last answer was cut or empty. Go on from where it ended.", { from: "belay" }),
    ]),
  drop_thinking: (state) => ({ ...state, thinking_from: state.messages.length }),
  // The request is always built from the fold, which holds a result for every call: building it again is the repair.
  rebuild: (state) => state,
};

export const historyRepaired: EventDefinition<z.infer<ReturnType<typeof schema>>> = {
  version: 1,
  schema,
  fold: (state, event) => ({
    ...APPLY[event.data.repair](state),
    model: { status: "idle" },
    failures: { ...state.failures, repaired: [...state.failures.repaired, event.data.kind] },
  }),
};
