/** The workspace was set back to an earlier tree: by a person, or after a crash to undo a half-done call. */
import * as z from "zod";
import { textPart } from "../content.ts";
import { say } from "../conversation.ts";
import { withMistake } from "../continuity.ts";
import { lazy } from "../lazy.ts";
import type { EventDefinition } from "./definition.ts";
import { checkpointId, toolCallId, treeHash } from "./shapes.ts";

const schema = lazy(() =>
  z.object({
    reason: z.string(),
    tree: treeHash(),
    /** What was there before, so that nothing is lost; null after a crash, where it is half of something. */
    from: treeHash().nullable(),
    /** The half-done call that is undone; null when a person rolled back. */
    call: toolCallId().nullable(),
    checkpoint: checkpointId().nullable(),
  }),
);

export const rolledBack: EventDefinition<z.infer<ReturnType<typeof schema>>> = {
  version: 1,
  schema,
  fold: (state, event) => {
    const { call, tree, reason, checkpoint } = event.data;
    const back = { ...state, workspace: state.workspace && { ...state.workspace, tree } };
    if (call !== null) return back;
    const to = checkpoint === null ? "the start of the session" : `checkpoint ${checkpoint}`;
    const continuity = withMistake(state.continuity, state.turn, `The user set the files back to ${to}: ${reason}`);
    return say({ ...back, continuity }, [
      textPart(`The files of the workspace were set back to ${to} by the user. Reason: ${reason}`, { from: "belay" }),
    ]);
  },
};
