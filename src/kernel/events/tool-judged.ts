/** Whether a tool call may run, by whom and why. Written for every call, also where the policy is trivial. */
import * as z from "zod";
import { withCall } from "../conversation.ts";
import { lazy } from "../lazy.ts";
import { ruleSchema, SINKS } from "../permissions.ts";
import type { JudgedCall, ToolEffect } from "../state.ts";
import type { EventDefinition } from "./definition.ts";
import { toolCallId } from "./shapes.ts";

const EFFECTS = ["read", "write", "execute", "network"] as const satisfies readonly ToolEffect[];

const DECISIONS = ["allow", "ask", "deny"] as const;

const schema = lazy(() =>
  z.object({
    call: toolCallId(),
    decision: z.enum(DECISIONS),
    reason: z.string(),
    /** Null for a tool that does not exist. */
    effect: z.enum(EFFECTS).nullable(),
    /** The rule that decided; null where none did. */
    rule: ruleSchema().nullable(),
    /** What was judged by itself: commands, redirect targets, paths. The first of them. */
    parts: z.array(
      z.object({ text: z.string(), decision: z.enum(DECISIONS), rule: z.string().nullable(), reason: z.string() }),
    ),
    /** Where it acts outside, or on what outlives the session. */
    sink: z.object({ sink: z.enum(SINKS), destination: z.string() }).nullable(),
    network_withheld: z.boolean(),
    /** Why its result will be text of strangers, or hold secrets. */
    brings_in: z.object({ untrusted: z.string().nullable(), secret: z.string().nullable() }),
  }),
);

export const toolJudged: EventDefinition<z.infer<ReturnType<typeof schema>>> = {
  version: 2,
  schema,
  fold: (state, event) =>
    withCall(state, event.data.call, (call) => ({
      ...call,
      effect: event.data.effect,
      judged: judgedOf(event.data),
      // A denied call stays `requested` until its result, in the same append, finishes it.
      status: event.data.decision === "allow" ? "allowed" : event.data.decision === "ask" ? "asking" : call.status,
    })),
  upcast: (data) => ({
    ...data,
    rule: null,
    parts: [],
    sink: null,
    network_withheld: false,
    brings_in: { untrusted: null, secret: null },
  }),
};

function judgedOf({ reason, rule, sink, network_withheld, brings_in }: z.infer<ReturnType<typeof schema>>): JudgedCall {
  return { reason, rule, sink, network_withheld, brings_in };
}
