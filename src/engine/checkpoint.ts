/** Records the workspace as a named tree and commits it to the session's branch. */
import type { Draft } from "../kernel/events/index.ts";
import type { Drive } from "./run.ts";

export async function checkpoint(label: string, run: Drive): Promise<readonly Draft[]> {
  const workspace = await run.workspace();
  const { tree, files, left_out } = await workspace.snapshot();
  if (tree === run.state().checkpoints.at(-1)?.tree) {
    const data = {
      tree,
      call: null,
      files,
      left_out: left_out.map((left) => ({ ...left, paths: [...left.paths] })),
      duration_ms: 0,
    };
    return [{ kind: "WorkspaceSnapshotted", data }];
  }
  const { title } = run.state();
  const commit = await workspace.commit(tree, `${label === "task done" ? title : `${label}: ${title}`}`);
  return [{ kind: "CheckpointCreated", data: { checkpoint: run.host.ids.checkpoint(), tree, commit, label } }];
}
