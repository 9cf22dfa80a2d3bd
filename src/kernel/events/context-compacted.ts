/**
 * The conversation was made smaller. All that a fold needs is in the event: what stands in for old results, and what the
 * conversation begins with from now on. What was there stays in the journal.
 */
import * as z from "zod";
import { clearResults, startAnew } from "../compacted-messages.ts";
import { textPart } from "../content.ts";
import { say } from "../conversation.ts";
import { lazy } from "../lazy.ts";
import { COMPACTIONS_KEPT_MAX, type SessionState } from "../state.ts";
import type { EventDefinition } from "./definition.ts";
import { plainPart, toolCallId } from "./shapes.ts";

const schema = lazy(() =>
  z.object({
    /** `micro`: old results; `auto`: at the threshold or when it pays; `reactive`: after an overflow; `fresh`: another task begins. */
    layer: z.enum(["micro", "auto", "reactive", "fresh"]),
    reason: z.string(),
    /** Likely tokens of the prompt. */
    before: z.int().nonnegative(),
    after: z.int().nonnegative(),
    /** Tokens of the beginning that the provider can still read from its cache. */
    same: z.int().nonnegative(),
    /** Tokens that were in the cache and have to be written again. */
    cache_lost: z.int().nonnegative(),
    /** Results that a line stands in for. */
    cleared: z.array(z.object({ call: toolCallId(), receipt: z.string() })),
    /** What the conversation begins with from now on; empty where its beginning stays. */
    head: z.array(plainPart()),
    /** Messages that stay behind the head; of no meaning without one. */
    kept: z.int().nonnegative(),
    /** Whether the model's own summary is part of the head. */
    summarized: z.boolean(),
  }),
);

export const contextCompacted: EventDefinition<z.infer<ReturnType<typeof schema>>> = {
  version: 1,
  schema,
  fold: (state, { data }) => {
    const { layer, before, after, same, cleared, head, kept } = data;
    const { run, turn } = { run: state.runs, turn: state.turn };
    const compactions = [...state.compactions, { layer, run, turn, before, after }].slice(-COMPACTIONS_KEPT_MAX);
    const smaller = clearResults(state, cleared, { freed: Math.max(0, before - after), same });
    const done = { ...smaller, compactions, summary: null };
    const moved = head.length === 0 ? done : startAnew(done, head, kept);
    if (layer !== "reactive") return moved;
    const failures = { ...moved.failures, repaired: [...moved.failures.repaired, "context_overflow" as const] };
    const again: SessionState = { ...moved, model: { status: "idle" }, stop: null, failures };
    if (again.messages.at(-1)?.role !== "assistant") return again;
    return say(again, [textPart("Your last answer was cut. Go on from where it ended.", { from: "belay" })]);
  },
};
