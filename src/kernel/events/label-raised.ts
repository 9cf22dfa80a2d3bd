/** Something other than a part of the conversation raised the session's label: a set-up with network, a fork's code, a secret file. */
import * as z from "zod";
import { raise } from "../label.ts";
import { lazy } from "../lazy.ts";
import type { EventDefinition } from "./definition.ts";
import { toolCallId } from "./shapes.ts";

const schema = lazy(() =>
  z.object({
    label: z.enum(["untrusted", "secret"]),
    /** `the workspace: a fork of …` */
    what: z.string(),
    call: toolCallId().nullable(),
  }),
);

export const labelRaised: EventDefinition<z.infer<ReturnType<typeof schema>>> = {
  version: 1,
  schema,
  fold: (state, { seq, data: { label, what, call } }) => ({
    ...state,
    label: raise(state.label, label, { seq, what, call }),
  }),
};
