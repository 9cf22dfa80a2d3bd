/** What tells without reading that a file is as it was: as much as git's own index looks at. */
import type { Stats } from "node:fs";

/** What a change of a file changes. */
export interface FileMark {
  readonly inode: number;
  readonly size: number;
  readonly mode: number;
  readonly modified_ms: number;
  readonly changed_ms: number;
}

export function markOf(stat: Stats): FileMark {
  const { ino, size, mode, mtimeMs, ctimeMs } = stat;
  return { inode: ino, size, mode, modified_ms: mtimeMs, changed_ms: ctimeMs };
}

export function isSameMark(a: FileMark, b: FileMark): boolean {
  return (
    a.changed_ms === b.changed_ms &&
    a.modified_ms === b.modified_ms &&
    a.size === b.size &&
    a.inode === b.inode &&
    a.mode === b.mode
  );
}
