/** A tool call has its result: exactly one for every call the model made. */
import * as z from "zod";
import type { PlainPart } from "../content.ts";
import { afterTool } from "../continuity.ts";
import { closeBatch, withCall } from "../conversation.ts";
import { isUntrusted, joinParts, raise, type SessionLabel } from "../label.ts";
import { lazy } from "../lazy.ts";
import type { ToolCall, ToolStatus } from "../state.ts";
import type { EventDefinition } from "./definition.ts";
import { blobHash, plainPart, toolCallId } from "./shapes.ts";

const STATUSES = [
  "ok",
  "error",
  "denied",
  "canceled",
  "timed_out",
  "stalled",
  "interrupted",
] as const satisfies readonly ToolStatus[];

const schema = lazy(() =>
  z.object({
    call: toolCallId(),
    status: z.enum(STATUSES),
    /** What the model sees. */
    content: z.array(plainPart()),
    /** The whole output, when the model saw only part of it. */
    output: blobHash().nullable(),
    /** Of a command: how it ended. `killed` tells a kill by belay from an exit by itself. */
    exit: z.object({ code: z.int().nullable(), signal: z.string().nullable(), killed: z.boolean() }).nullable(),
    duration_ms: z.int().nonnegative(),
  }),
);

export const toolFinished: EventDefinition<z.infer<ReturnType<typeof schema>>> = {
  version: 1,
  schema,
  fold: (state, event) => {
    const { call: id, status, content } = event.data;
    const finished = withCall(state, id, (call) => ({
      ...call,
      status: "finished",
      result: {
        type: "tool_result",
        call: id,
        provider_id: call.part.provider_id,
        is_error: status !== "ok",
        content,
        origin: { from: "tool", by: call.part.name },
      },
    }));
    const call = state.batch.find((open) => open.part.call === id);
    const changed =
      call?.started != null &&
      (call.effect === "write" || call.effect === "execute") &&
      state.workspace?.snapshots === true;
    const joined = joinParts(broughtIn(state.label, call, content, event.seq), content, { seq: event.seq, call: id });
    // What was taken out of it stands in the journal as tokens only, and was there.
    const label =
      event.redactions === 0
        ? joined
        : raise(joined, "secret", { seq: event.seq, call: id, what: `the output of ${call?.part.name ?? "a tool"}` });
    const continuity =
      call === undefined
        ? state.continuity
        : afterTool(state.continuity, { part: call.part, status, content, turn: state.turn });
    return closeBatch({ ...finished, label, continuity, dirty: changed || finished.dirty });
  },
};

/** What a call brought in is there also when its result does not say so: a command that a crash cut has written its files. */
function broughtIn(
  label: SessionLabel,
  call: ToolCall | undefined,
  content: readonly PlainPart[],
  seq: number,
): SessionLabel {
  const { untrusted = null } = call?.judged?.brings_in ?? {};
  if (call?.started == null || untrusted === null || content.some(({ origin }) => isUntrusted(origin))) return label;
  return raise(label, "untrusted", { seq, what: untrusted, call: call.part.call });
}
