/** A sub-agent's run ended, one way or another. Its result is the result of the call; its files are brought in later. */
import * as z from "zod";
import { raise } from "../label.ts";
import { lazy } from "../lazy.ts";
import type { EventDefinition } from "./definition.ts";
import { outcome, sessionId, usage } from "./shapes.ts";

const schema = lazy(() =>
  z.object({
    session: sessionId(),
    outcome: outcome(),
    turns: z.int().nonnegative(),
    usage: usage(),
    /** Nano-dollars; null when unknown. */
    cost: z.int().nonnegative().nullable(),
    /** It left files that differ from those it began with. */
    changed: z.boolean(),
    /** What it had taken in. Its result raises nothing where only what cannot carry words came back. */
    untrusted: z.boolean(),
    secret: z.boolean(),
  }),
);

export const subAgentEnded: EventDefinition<z.infer<ReturnType<typeof schema>>> = {
  version: 1,
  schema,
  fold: (state, { seq, data }) => {
    const { session, outcome: ended, changed, untrusted, secret } = data;
    const record = state.agents.find((agent) => agent.session === session);
    const source = { seq, call: record?.call ?? null, what: `the sub-agent ${record?.agent ?? "?"} (${session})` };
    const once = untrusted ? raise(state.label, "untrusted", source) : state.label;
    const label = secret ? raise(once, "secret", source) : once;
    const merged = record?.writes === true && changed ? null : ("kept" as const);
    const agents = state.agents.map((one) =>
      one.session === session ? { ...one, outcome: ended, changed, merged } : one,
    );
    return { ...state, agents, label };
  },
};
