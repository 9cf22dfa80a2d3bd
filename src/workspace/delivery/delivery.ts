/** What bringing work back by `apply` and by `merge` have in common: what the work is, and how refusals are worded. */
import { writeFileSync } from "node:fs";
import type { Clock } from "../../kernel/clock.ts";
import type { WorkspaceMode } from "../../kernel/config.ts";
import { isProtectedPath } from "../../kernel/protected-paths.ts";
import { HarnessError } from "../../kernel/harness-error.ts";
import { type BytePath, directoriesAbove, textOf } from "../byte-path.ts";
import { type ChangedPath, changedPaths, type Side } from "../snapshot/changed-paths.ts";
import type { Git } from "../git/git.ts";
import type { Layout } from "../layout.ts";
import { readIfThere } from "../git/link-objects.ts";
import { type OrdinaryModes, splitTree } from "../snapshot/manifest.ts";
import { MODE_EXECUTABLE, MODE_FILE, MODE_SUBMODULE, type ObjectName } from "../git/objects.ts";
import type { RootedDirectory } from "../files/rooted.ts";
import type { ShadowPlace } from "../snapshot/shadow.ts";
import type { DeliverRequest } from "../workspace.ts";

export interface DeliveryPlace {
  readonly git: Git;
  readonly clock: Clock;
  /** The user's tree. */
  readonly source: string;
  readonly ordinary: OrdinaryModes;
  readonly branch: string;
  readonly mode: WorkspaceMode;
  readonly layout: Layout;
  readonly store: ShadowPlace;
}

/** Bytes of one of the user's files that are compared. A larger one counts as different. */
export const DELIVERED_FILE_BYTES_MAX = 256 * 1024 * 1024;
/** Paths that a refusal names. */
const NAMED_MAX = 10;

export interface Work {
  readonly tree: ObjectName;
  readonly changes: readonly ChangedPath[];
  /** The same paths as they were last brought back; the user's file may well be in that state. */
  readonly earlier: ReadonlyMap<BytePath, Side | null>;
}

export async function readWork(place: DeliveryPlace, request: DeliverRequest): Promise<Work> {
  const { git, store, layout } = place;
  const [base, tree] = await Promise.all([splitTree(git, store, request.base), splitTree(git, store, request.tree)]);
  const changes = await changedPaths(git, store, base.plain, tree.plain);
  if (!request.protected) refuseProtected(changes);
  const last = readIfThere(layout.delivered)?.toString("latin1").trim();
  const earlier = last === undefined ? [] : await changedPaths(git, store, base.plain, last);
  return { tree: tree.plain, changes, earlier: new Map(earlier.map(({ path, after }) => [path, after])) };
}

/** A sandbox protects the exact names; a file system that folds case reads others as the same. */
function refuseProtected(changes: readonly ChangedPath[]): void {
  const steering = changes.map(({ path }) => textOf(path)).filter(isProtectedPath);
  if (steering.length === 0) return;
  const named = steering.slice(0, NAMED_MAX).join(", ");
  const more = steering.length > NAMED_MAX ? ` and ${steering.length - NAMED_MAX} more` : "";
  throw new HarnessError(
    "usage",
    `Nothing was brought over: the work changes what steers other programs: ${named}${more}.`,
    "Look at it with `belay diff`, then say --protected to bring it, too.",
  );
}

/** @param tree without a manifest. */
export function rememberDelivered(place: DeliveryPlace, tree: ObjectName): void {
  writeFileSync(place.layout.delivered, `${tree}\n`, { mode: 0o600 });
}

export function isRegular(side: Side | null): side is Side {
  return side !== null && (side.mode === MODE_FILE || side.mode === MODE_EXECUTABLE);
}

export function touchesSubmodule({ before, after }: ChangedPath): boolean {
  return before?.mode === MODE_SUBMODULE || after?.mode === MODE_SUBMODULE;
}

/** The mode of a file that both sides changed: who changed it has it. */
export function mergedMode(base: Side, ours: Side, theirs: Side): string {
  return ours.mode === base.mode ? theirs.mode : ours.mode;
}

/** Something of the user's stands where a new path must go: above it, or as a directory with other things in it. */
export function isBlocked(files: RootedDirectory, path: BytePath, removed: ReadonlySet<BytePath>): boolean {
  for (const directory of directoriesAbove(path)) {
    const stat = files.lstat(directory);
    if (stat !== null && !stat.isDirectory()) return !removed.has(directory);
  }
  return files.lstat(path)?.isDirectory() === true && holdsOther(files, path, removed);
}

function holdsOther(files: RootedDirectory, directory: BytePath, removed: ReadonlySet<BytePath>): boolean {
  return files.list(directory).some((name) => {
    const path = `${directory}/${name}` as BytePath; // made of byte paths
    if (files.lstat(path)?.isDirectory() === true) return holdsOther(files, path, removed);
    return !removed.has(path);
  });
}

/** The work and what stands there do not go together. Nothing was changed. */
export class DeliveryRefused extends HarnessError {
  /** All that stand against it. */
  readonly paths: readonly string[];

  constructor(
    kind: "merge_conflict" | "work_would_be_lost",
    paths: readonly BytePath[],
    happened: string,
    todo: string,
  ) {
    super(kind, happened, todo);
    this.paths = paths.map(textOf);
  }
}

function named(paths: readonly BytePath[]): string {
  const shown = paths.slice(0, NAMED_MAX).map((path) => `"${textOf(path)}"`);
  const rest = paths.length - shown.length;
  return shown.join(", ") + (rest > 0 ? ` and ${rest} more` : "");
}

export function requireNothingLost(paths: readonly BytePath[], todo: string): void {
  if (paths.length === 0) return;
  throw new DeliveryRefused(
    "work_would_be_lost",
    paths,
    `These hold work of yours that would be overwritten: ${named(paths)}.`,
    todo,
  );
}

export function requireNoConflict(paths: readonly BytePath[]): void {
  if (paths.length === 0) return;
  const happened = `You and the session changed the same parts of ${named(paths)}.`;
  throw new DeliveryRefused(
    "merge_conflict",
    paths,
    happened,
    "Nothing was changed: look at `belay diff` and resolve by hand.",
  );
}

export function requireNoProgram(needs: readonly (readonly [BytePath, string])[]): void {
  const [first] = needs;
  if (first === undefined) return;
  const happened = `${named(needs.map(([path]) => path))} can only be stored by a program (${first[1]}), which belay never runs.`;
  throw new HarnessError("repo_unsupported", happened, "Use `belay apply` and commit these yourself.");
}
