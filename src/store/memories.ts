/**
 * Memories, as the store keeps them: the part of the port that outlives sessions.
 *
 * M1: a memory is seen by its tenant alone, and there: of scope `user` and `project` by its own principal, of scope `team` by all.
 * M2: after a change that forgets has resolved no byte of the text is left in the store's files: not in the index, not in free pages,
 *     not in the log. The same holds for a text that was replaced. What is no file of the store's (backups, what the file system or
 *     the disk keeps of removed bytes) is nobody's promise. A back-end whose files are a server's says what holds there.
 * M3: `searchMemories` ranks by full text (bm25 or its like), best first, and touches nothing.
 * M4: a change is atomic: `changeMemories` does all of it or nothing.
 *
 * No message, log or error of a back-end holds the text of a memory.
 */
import type { Memory, MemoryKind, MemoryScope, MemoryState } from "../kernel/memory.ts";
import type { MemoryId, PrincipalId, TenantId } from "../kernel/ids.ts";

/**
 * Memories of one scope and project (of scope `user` and `project`: of one principal); a change after which there were more is
 * refused with `store_full`: retention keeps below it.
 */
export const MEMORIES_MAX = 20_000;

/** Memories of one sort (`put`, `revise`, `forget`, `used`) in one change. */
export const MEMORY_CHANGES_MAX = 20_000;

export interface MemoryView {
  readonly tenant: TenantId;
  readonly principal: PrincipalId;
  /** The project whose memories are looked at besides the user's own; null for the user's own alone. */
  readonly project: string | null;
  /** Default all. */
  readonly scopes?: readonly MemoryScope[];
  readonly kinds?: readonly MemoryKind[];
  /** Default `active` alone. */
  readonly states?: readonly MemoryState[];
}

export interface MemoryHit {
  readonly memory: Memory;
  /** Of the full-text search, above 0; greater is better. Comparable within one answer only. */
  readonly rank: number;
}

/** `put` and `revise` first, then `used`, then `forget`: what is named in all is forgotten. */
export interface MemoryChanges {
  /** New ones, and whole new versions of known ones. A team's memory may be changed by all who share it; its author stays. */
  readonly put: readonly Memory[];
  /**
   * As `put`, but what is no longer there stays away: for a version made from one that was read before, which somebody may have
   * forgotten meanwhile. Absent: none.
   */
  readonly revise?: readonly Memory[];
  readonly forget: readonly MemoryId[];
  /** Recalled or confirmed: `used_at` becomes the store's now and `uses` grows by one. */
  readonly used: readonly MemoryId[];
}

export interface Memories {
  /**
   * M4. Ids of `forget` and `used` that are unknown, or not visible to who asks, change nothing.
   * @throws `usage` when an id of `put` is somebody else's, `store_full` beyond `MEMORIES_MAX`; `store_busy` also when all was done
   *         but a reader kept the bytes of what was forgotten: then the message says so, and to forget again finishes it
   */
  changeMemories(of: Pick<MemoryView, "tenant" | "principal">, changes: MemoryChanges): Promise<void>;
  /** Those ids that are there and visible, in no order. */
  getMemories(of: Pick<MemoryView, "tenant" | "principal">, ids: readonly MemoryId[]): Promise<readonly Memory[]>;
  /** Newest first. */
  listMemories(view: MemoryView, limit: number): Promise<readonly Memory[]>;
  /**
   * Memories that hold at least one of the words, or a word that begins with one, in the text or in what they resolve. When the
   * rarest of the words have `limit` hits already, the common ones may be left out.
   * @param query words of anybody: no syntax of the index reaches it. Without a word in it there are no hits.
   */
  searchMemories(view: MemoryView, query: string, limit: number): Promise<readonly MemoryHit[]>;
}
