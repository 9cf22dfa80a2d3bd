/** A sub-agent is about to begin: written ahead, so that a crash leaves no session that its parent does not know. */
import * as z from "zod";
import { lazy } from "../lazy.ts";
import { AGENTS_KEPT_MAX } from "../state.ts";
import type { EventDefinition } from "./definition.ts";
import { sessionId, toolCallId } from "./shapes.ts";

const schema = lazy(() =>
  z.object({
    call: toolCallId(),
    session: sessionId(),
    agent: z.string(),
    description: z.string(),
    /** Levels below the first session of the tree. */
    level: z.int().positive(),
    /** It works in files of its own. */
    writes: z.boolean(),
    provider: z.string(),
    model: z.string(),
    /** Which one of the whole tree it is, from 1. */
    number: z.int().positive(),
  }),
);

export const subAgentStarted: EventDefinition<z.infer<ReturnType<typeof schema>>> = {
  version: 1,
  schema,
  fold: (state, { data: { call, session, agent, writes } }) => ({
    ...state,
    agents: [...state.agents, { session, call, agent, writes, outcome: null, changed: null, merged: null }].slice(
      -AGENTS_KEPT_MAX,
    ),
  }),
};
