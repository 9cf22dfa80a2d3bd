/** Whether a tool call may run, by whom and why. Written for every call, also where the policy is trivial. */
import * as z from "zod";
import { withCall } from "../conversation.ts";
import { lazy } from "../lazy.ts";
import type { ToolEffect } from "../state.ts";
import type { EventDefinition } from "./definition.ts";
import { toolCallId } from "./shapes.ts";

const EFFECTS = ["read", "write", "execute", "network"] as const satisfies readonly ToolEffect[];

const schema = lazy(() =>
  z.object({
    call: toolCallId(),
    decision: z.enum(["allow", "ask", "deny"]),
    reason: z.string(),
    /** Null for a tool that does not exist. */
    effect: z.enum(EFFECTS).nullable(),
  }),
);

export const toolJudged: EventDefinition<z.infer<ReturnType<typeof schema>>> = {
  version: 1,
  schema,
  fold: (state, event) =>
    withCall(state, event.data.call, (call) => ({
      ...call,
      effect: event.data.effect,
      // A denied call stays `requested` until its result, in the same append, finishes it.
      status: event.data.decision === "allow" ? "allowed" : event.data.decision === "ask" ? "asking" : call.status,
    })),
};
