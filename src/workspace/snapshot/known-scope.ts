/**
 * What the last snapshot saw of the scope. When the next look finds the same names, and nothing that only git can judge, then
 * the files whose marks differ are all that changed, and git need not be asked.
 *
 * K1: a mark is trusted only when it is older than the look that took it, by the clock of the file system: what was changed
 *     during that look, or in the same tick, counts as changed.
 * K2: in doubt the answer is "not the same", and git is asked: a new name, a missing one, another kind, a repository inside,
 *     anything unreadable, too large or special.
 */
import type { BytePath } from "../byte-path.ts";
import { isSameMark } from "./file-mark.ts";
import type { FileTree } from "./file-tree.ts";
import type { ObjectName } from "../git/objects.ts";
import type { GitListing, ScopeWalk } from "./scope.ts";

/** Files of a scope that is remembered. Above it git's own index does better. */
export const KNOWN_FILES_MAX = 50_000;

export interface KnownScope {
  /** The instant before the look, on the clock of the file system. In milliseconds. */
  readonly looked_ms: number;
  readonly listing: GitListing;
  readonly walk: ScopeWalk;
  /** Its content, without the manifest. */
  readonly plain: ObjectName;
  /** The same in memory; null until it is needed. */
  readonly tree: FileTree | null;
}

/** Whether a scope can be known without git at all. */
export function isKnowable(listing: GitListing, walk: ScopeWalk): boolean {
  return (
    walk.marks.size <= KNOWN_FILES_MAX &&
    listing.nested.size === 0 &&
    walk.too_large.size + walk.special.size + walk.unreadable.size === 0 &&
    isPlain(listing, walk)
  );
}

/** Every ignored name was met where and as what it was, and no repository stands inside. */
function isPlain(listing: GitListing, walk: ScopeWalk): boolean {
  return walk.ignored_met === listing.ignored.size && !walk.odd;
}

/** The paths whose content may differ from what is known; null when git has to be asked. K1, K2. */
export function changedSince(known: KnownScope, walk: ScopeWalk): readonly BytePath[] | null {
  const { marks, walked } = known.walk;
  const sameNames =
    walk.marks.size === marks.size &&
    walk.walked.size === walked.size &&
    [...walk.walked].every((directory) => walked.has(directory));
  if (!sameNames || !isKnowable(known.listing, walk)) return null;
  const changed: BytePath[] = [];
  for (const [path, mark] of walk.marks) {
    const before = marks.get(path);
    if (before === undefined) return null;
    if (!isSameMark(before, mark) || before.changed_ms >= known.looked_ms) changed.push(path);
  }
  return changed;
}
