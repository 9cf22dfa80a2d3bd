/** What became of a sub-agent's files. Conflicts are data for the model, which decides what to do about them. */
import * as z from "zod";
import { textPart } from "../content.ts";
import { note } from "../conversation.ts";
import { lazy } from "../lazy.ts";
import type { EventDefinition } from "./definition.ts";
import { sessionId, treeHash } from "./shapes.ts";

const schema = lazy(() =>
  z.object({
    session: sessionId(),
    status: z.enum(["merged", "conflict", "red", "kept"]),
    /** Paths that were brought in. */
    files: z.array(z.string()),
    /** Paths that both sides changed. */
    conflicts: z.array(z.string()),
    /** The tree after; null where it is as it was, or snapshots are off. */
    tree: treeHash().nullable(),
    /** The verification that was run with them; null where none was. */
    verification: z.object({ command: z.string(), exit_code: z.int().nullable(), tail: z.string() }).nullable(),
    /** For the model. */
    say: z.string(),
  }),
);

export const agentMerged: EventDefinition<z.infer<ReturnType<typeof schema>>> = {
  version: 1,
  schema,
  fold: (state, { data: { session, status, tree, say } }) => {
    const agents = state.agents.map((one) => (one.session === session ? { ...one, merged: status } : one));
    const workspace = tree === null ? state.workspace : state.workspace && { ...state.workspace, tree };
    const dirty = state.dirty || status === "merged";
    // It may quote what a verification printed, of files that a tainted sub-agent wrote.
    const untrusted = state.label.untrusted.length > 0 ? { untrusted: true as const } : {};
    const told = textPart(say, { from: "belay", by: "merge", ...untrusted });
    return note({ ...state, agents, workspace, dirty, merging: null }, [told]);
  },
};
