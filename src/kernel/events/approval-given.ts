/** A person answered. */
import * as z from "zod";
import { withCall } from "../conversation.ts";
import { lazy } from "../lazy.ts";
import type { EventDefinition } from "./definition.ts";
import { toolCallId } from "./shapes.ts";

const schema = lazy(() =>
  z.object({
    call: toolCallId(),
    approved: z.boolean(),
    by: z.string(),
    hash: z.string(),
    /** Milliseconds since the epoch after which it no longer counts. */
    expiry: z.int(),
    /** What the person tells the model with a no. */
    reason: z.string().nullable(),
    remember: z.enum(["once", "session", "always"]),
  }),
);

export const approvalGiven: EventDefinition<z.infer<ReturnType<typeof schema>>> = {
  version: 2,
  schema,
  fold: (state, event) => {
    const { call, approved, expiry } = event.data;
    const answered = {
      ...state,
      approvals: { ...state.approvals, [call]: approved ? ("approved" as const) : ("denied" as const) },
    };
    return approved
      ? withCall(answered, call, (open) => ({ ...open, status: "allowed", approved_until: expiry }))
      : answered;
  },
  upcast: (data) => ({ ...data, reason: null, remember: "once" }),
};
