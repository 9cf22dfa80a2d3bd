/** What changed outside the tracked scope: ignored files, nested repositories, the workspace's own `.git`. */
import * as fs from "node:fs";
import { absoluteBytes, type BytePath, joinPath, pathFromText, textOf } from "../byte-path.ts";
import { isSystemError, lstatIfThere } from "../files/rooted.ts";
import { isPlaceOfCover } from "../sandbox/placeholders.ts";
import { holdsOwnNote, isOwnNote } from "../own-note.ts";
import type { Outside } from "./shadow.ts";
import { nextTurn } from "../turns.ts";

/** Entries looked at before other work of the process gets its turn. */
const ENTRIES_PER_TURN = 2_048;

const GIT = pathFromText(".git");
/** Every `git status` writes it anew, and it follows from the rest. */
const DERIVED: ReadonlySet<string> = new Set([".git", ".git/index"]);

export interface OutsideRequest {
  readonly root: string;
  readonly now: Outside;
  /** Ignored paths at the last snapshot. */
  readonly before: readonly BytePath[];
  /** Of the file system's clock. */
  readonly mark_ms: number;
  readonly limit: number;
  readonly entries_max: number;
}

/** Paths, at most `limit`. When there is too much to look at, one entry says so: unknown counts as changed. */
export async function changedOutside(request: OutsideRequest): Promise<readonly string[]> {
  const { root, now, mark_ms, limit, entries_max } = request;
  const changed = request.before.filter((path) => !now.ignored.has(path) && isGone(root, path)).map(textOf);
  const pending: BytePath[] = [GIT, ...now.ignored, ...now.other];
  let looked = 0;
  for (let path = pending.pop(); path !== undefined && changed.length < limit; path = pending.pop()) {
    if (++looked > entries_max) return [...changed, `(more than ${entries_max} entries outside the tracked scope)`];
    if (looked % ENTRIES_PER_TURN === 0) await nextTurn();
    const stat = lstatIfThere(absoluteBytes(root, path));
    if (stat === null) continue;
    if (stat.ctimeMs > mark_ms && !DERIVED.has(path) && !isBelays(root, path)) changed.push(textOf(path));
    if (stat.isDirectory()) for (const name of namesIn(root, path)) pending.push(joinPath(path, name));
  }
  return [...new Set(changed)].slice(0, limit);
}

/** What belay itself makes and changes there while a session runs. */
function isBelays(root: string, path: BytePath): boolean {
  return isPlaceOfCover(root, path) || isOwnNote(root, path) || holdsOwnNote(root, path);
}

function isGone(root: string, path: BytePath): boolean {
  return lstatIfThere(absoluteBytes(root, path)) === null;
}

function namesIn(root: string, path: BytePath): readonly string[] {
  try {
    return fs.readdirSync(absoluteBytes(root, path), { encoding: "latin1" });
  } catch (error) {
    if (isSystemError(error, "ENOENT", "ENOTDIR", "EACCES", "EPERM", "ELOOP")) return [];
    throw error;
  }
}
