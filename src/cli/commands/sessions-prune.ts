/** `belay sessions prune`. */
import { pruneWorkspaces } from "../../engine/operations.ts";
import type { Face } from "../face.ts";
import { createHost } from "../command-host.ts";
import { withStore } from "../session-choice.ts";
import { plural } from "../view/format.ts";

export interface PruneOptions {
  readonly olderThan: number;
  readonly force?: true;
  readonly dryRun?: true;
  readonly json?: true;
}

const DAY_MS = 24 * 3_600_000;

export async function pruneSessions(options: PruneOptions, face: Face): Promise<number> {
  return withStore(face, async (store) => {
    const host = createHost({ face, store, prompter: null });
    const dry_run = options.dryRun === true;
    const pruned = await pruneWorkspaces(host, {
      idle_ms: options.olderThan * DAY_MS,
      force: options.force === true,
      dry_run,
    });
    if (options.json === true) {
      face.out.json(JSON.stringify(pruned));
      return 0;
    }
    const removed = pruned.filter(({ what }) => what === "removed");
    const kept = pruned.filter(({ what }) => what === "kept");
    for (const { session } of removed)
      face.out.line(`${dry_run ? "Would remove" : "Removed"} the workspace of session ${session}.`);
    for (const { session } of kept)
      face.out.line(`Kept session ${session}: its work was not brought back (belay merge ${session}).`);
    if (pruned.length === 0)
      face.out.line(`No session without an event for ${plural(options.olderThan, "day")} has a workspace.`);
    return 0;
  });
}
