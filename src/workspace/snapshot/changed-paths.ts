/** What differs between two trees, path by path, and how people are shown it. All in a store of belay's own. */
import { type BytePath, splitNul, textOf } from "../byte-path.ts";
import type { Git, GitRepository } from "../git/git.ts";
import { NO_OBJECT, type ObjectName } from "../git/objects.ts";
import type { FileChange } from "../workspace.ts";

export interface Side {
  readonly mode: string;
  readonly object: ObjectName;
}

export interface ChangedPath {
  readonly path: BytePath;
  /** Null where there is none. */
  readonly before: Side | null;
  readonly after: Side | null;
}

const RAW = /^:(\d{6}) (\d{6}) ([0-9a-f]{40}) ([0-9a-f]{40}) [A-Z]\d*$/;
const PLAIN = ["--no-renames", "--no-ext-diff", "--no-textconv", "--no-color"];

export async function changedPaths(
  git: Git,
  repository: GitRepository,
  from: ObjectName,
  to: ObjectName,
): Promise<readonly ChangedPath[]> {
  const args = ["diff-tree", "-r", "-z", "--raw", "--no-abbrev", ...PLAIN, from, to];
  const parts = splitNul((await git({ repository, args })).output);
  const changes: ChangedPath[] = [];
  for (let i = 0; i + 1 < parts.length; i += 2) {
    const [, mode, newMode, object, newObject] = RAW.exec(parts[i] ?? "") ?? [];
    const path = parts[i + 1];
    if (path !== undefined) changes.push({ path, before: side(mode, object), after: side(newMode, newObject) });
  }
  return changes;
}

function side(mode: string | undefined, object: string | undefined): Side | null {
  if (mode === undefined || object === undefined || object === NO_OBJECT) return null;
  return { mode, object };
}

const COUNTS = /^(-|\d+)\t(-|\d+)\t([^]*)$/;

/** With counts of lines, as `git diff --numstat`. */
export async function countChanges(
  git: Git,
  repository: GitRepository,
  from: ObjectName,
  to: ObjectName,
): Promise<readonly FileChange[]> {
  const args = ["diff-tree", "-r", "-z", "--numstat", ...PLAIN, from, to];
  const [changes, counted] = await Promise.all([changedPaths(git, repository, from, to), git({ repository, args })]);
  const counts = new Map<string, { added: number | null; removed: number | null }>();
  for (const line of splitNul(counted.output)) {
    const [, added, removed, path] = COUNTS.exec(line) ?? [];
    if (path !== undefined) counts.set(path, { added: count(added), removed: count(removed) });
  }
  return changes.map(({ path, before, after }) => ({
    path: textOf(path),
    status: before === null ? "added" : after === null ? "deleted" : "modified",
    added: counts.get(path)?.added ?? null,
    removed: counts.get(path)?.removed ?? null,
  }));
}

function count(text: string | undefined): number | null {
  return text === undefined || text === "-" ? null : Number(text);
}

export async function unifiedDiff(
  git: Git,
  repository: GitRepository,
  from: ObjectName,
  to: ObjectName,
): Promise<string> {
  const shown = ["--no-ext-diff", "--no-textconv", "--no-color", "--find-renames"];
  const answer = await git({ repository, args: ["diff-tree", "-r", "-p", ...shown, from, to] });
  return answer.output.toString("utf8");
}
