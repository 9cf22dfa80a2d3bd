/**
 * Which tree the workspace had at a place in the journal. A tree is recorded before a change and at checkpoints, so the
 * changes of the last calls may not be in the newest one: then the next one that was recorded has them, when nothing else
 * began to change the files before it.
 */
import type { Event, UnknownEvent } from "../../kernel/events/index.ts";
import { isUnknown } from "../../kernel/fold.ts";
import type { ToolCallId, TreeHash } from "../../kernel/ids.ts";

export interface FilesAt {
  readonly tree: TreeHash | null;
  /** Whether the tree has every change that was made. */
  readonly exact: boolean;
  /** The newest commit of the session's branch. */
  readonly commit: string | null;
  /** Calls under way that can change files. */
  readonly changing: ReadonlySet<ToolCallId>;
}

export const NO_FILES: FilesAt = { tree: null, exact: true, commit: null, changing: new Set() };

export function filesAfter(files: FilesAt, event: Event | UnknownEvent): FilesAt {
  if (isUnknown(event)) return files;
  switch (event.kind) {
    case "WorkspacePrepared":
      return { ...files, tree: event.data.base, exact: true };
    case "CheckpointCreated":
      return { ...files, tree: event.data.tree, exact: true, commit: event.data.commit ?? files.commit };
    case "WorkspaceSnapshotted":
    case "RolledBack":
      return { ...files, tree: event.data.tree, exact: true };
    case "SessionForked":
    case "SessionImported":
      return event.data.workspace === null ? files : { ...files, tree: event.data.workspace.tree, exact: true };
    case "ToolStarted":
      // Only what can change something has a mark on the clock of the files.
      return event.data.file_time === null
        ? files
        : { ...files, changing: new Set([...files.changing, event.data.call]) };
    case "ToolFinished": {
      if (!files.changing.has(event.data.call)) return files;
      return {
        ...files,
        exact: false,
        changing: new Set([...files.changing].filter((call) => call !== event.data.call)),
      };
    }
    default:
      return files;
  }
}

/** What a later event tells of the files as they were: the tree, `unknown` when it never will be known, or nothing yet. */
export function treeToldBy(event: Event | UnknownEvent): TreeHash | "unknown" | null {
  if (isUnknown(event)) return null;
  switch (event.kind) {
    case "CheckpointCreated":
    case "WorkspaceSnapshotted":
      return event.data.tree;
    case "ToolStarted":
      return event.data.file_time === null ? null : "unknown";
    case "RunStarted":
    case "RolledBack":
    case "WorkspaceRemoved":
    case "WorkspacePrepared":
    case "SessionForked":
    case "SessionImported":
      return "unknown";
    default:
      return null;
  }
}
