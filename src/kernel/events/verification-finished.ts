/** The verification command ran. Its exit code, not the model, says whether the work is done. */
import * as z from "zod";
import { textPart } from "../content.ts";
import { say } from "../conversation.ts";
import { withMistake } from "../continuity.ts";
import { lazy } from "../lazy.ts";
import type { EventDefinition } from "./definition.ts";
import { blobHash, treeHash } from "./shapes.ts";

const schema = lazy(() =>
  z.object({
    command: z.string(),
    /** Null when it was killed. */
    exit_code: z.int().nullable(),
    passed: z.boolean(),
    /** The tree it ran on; null where snapshots are off. */
    tree: treeHash().nullable(),
    duration_ms: z.int().nonnegative(),
    /** The end of its output. */
    tail: z.string(),
    output: blobHash().nullable(),
  }),
);

export const verificationFinished: EventDefinition<z.infer<ReturnType<typeof schema>>> = {
  version: 1,
  schema,
  fold: (state, event) => {
    const { command, exit_code, passed, tree, tail } = event.data;
    const verified = { ...state, processes: [], verified: { passed, tree } };
    if (passed) return verified;
    const end = exit_code === null ? "was killed" : `ended with exit code ${exit_code}`;
    // Said to the model now, read by it in the next run: a resume goes on with the findings.
    const last = tail.trimEnd().split("\n").at(-1) ?? "";
    const continuity = withMistake(state.continuity, state.turn, `Verification \`${command}\` ${end}: ${last}`);
    return say({ ...verified, continuity }, [
      textPart(`Verification failed: \`${command}\` ${end}.\n${tail}`, { from: "tool", by: "verify" }),
    ]);
  },
};
