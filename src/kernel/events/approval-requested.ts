/** A person is asked about a call. */
import * as z from "zod";
import { lazy } from "../lazy.ts";
import type { EventDefinition } from "./definition.ts";
import { toolCallId } from "./shapes.ts";

const schema = lazy(() =>
  z.object({
    call: toolCallId(),
    /** SHA-256 of the tool's name and input: an approval is for exactly this. */
    hash: z.string(),
    /** One line: what would be done. */
    title: z.string(),
    reason: z.string(),
  }),
);

export const approvalRequested: EventDefinition<z.infer<ReturnType<typeof schema>>> = {
  version: 2,
  schema,
  fold: (state, event) => ({ ...state, approvals: { ...state.approvals, [event.data.call]: "asked" } }),
  upcast: (data) => ({ ...data, title: "", reason: "" }),
};
