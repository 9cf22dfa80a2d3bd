/** A prepared workspace. Its operations run one at a time; the work itself is in the files beside this one. */
import { join } from "node:path";
import { chmodSync, rmdirSync } from "node:fs";
import type { Clock } from "../kernel/clock.ts";
import { HarnessError } from "../kernel/harness-error.ts";
import type { TreeHash } from "../kernel/ids.ts";
import { commitToBranch } from "./git/branch.ts";
import { countChanges, unifiedDiff } from "./snapshot/changed-paths.ts";
import { applyWork } from "./delivery/apply.ts";
import type { DeliveryPlace } from "./delivery/delivery.ts";
import { markFileClock } from "./snapshot/file-clock.ts";
import { openWorkspaceFiles } from "./files/files.ts";
import type { Git } from "./git/git.ts";
import {
  type Layout,
  layoutOf,
  makeScratch,
  readRecord,
  removeParts,
  resetScratch,
  shadowPlace,
  type WorkspaceRecord,
} from "./layout.ts";
import { splitTree } from "./snapshot/manifest.ts";
import { mergeWork } from "./delivery/merge.ts";
import { changedOutside } from "./snapshot/outside-scope.ts";
import { restoreTree } from "./snapshot/restore.ts";
import { isSystemError, lstatIfThere } from "./files/rooted.ts";
import { writeNote } from "./own-note.ts";
import { Shadow } from "./snapshot/shadow.ts";
import { Turns } from "./turns.ts";
import type { OpenRequest, Workspace } from "./workspace.ts";
import type { WorkspaceLimits } from "./workspace-limits.ts";

/** Permission bits belay needs in the root of its own tree. */
const OWNER_BITS = 0o700;

export interface WorkspaceDependencies {
  readonly git: Git;
  readonly clock: Clock;
  readonly limits: WorkspaceLimits;
}

/** Throws `workspace_missing`. */
export function openPrepared(dependencies: WorkspaceDependencies, request: OpenRequest): Workspace {
  const layout = layoutOf(request.directory);
  const record = readRecord(layout);
  const root = record.mode === "in_place" ? record.source : layout.tree;
  if (record.mode !== request.mode || lstatIfThere(root)?.isDirectory() !== true) {
    const happened = `The workspace in ${request.directory} is gone or is of another mode (${record.mode}).`;
    throw new HarnessError("workspace_missing", happened, "Start a new session.");
  }
  makeScratch(layout.scratch);
  const { git, limits } = dependencies;
  const { ordinary, facts } = record;
  const shadow = new Shadow({ git, place: shadowPlace(layout, root), limits, ordinary, facts });
  shadow.removeLocks();
  return new OpenWorkspace(dependencies, layout, record, shadow);
}

class OpenWorkspace implements Workspace {
  readonly mode: Workspace["mode"];
  readonly root: string;
  readonly scratch: Workspace["scratch"];
  readonly files: Workspace["files"];
  readonly readable: readonly string[];
  readonly protected: readonly string[];
  readonly #dependencies: WorkspaceDependencies;
  readonly #layout: Layout;
  readonly #record: WorkspaceRecord;
  readonly #shadow: Shadow;
  readonly #turns = new Turns();
  /** Null until it was looked at. */
  #noteTracked: boolean | null = null;

  constructor(dependencies: WorkspaceDependencies, layout: Layout, record: WorkspaceRecord, shadow: Shadow) {
    const inPlace = record.mode === "in_place";
    this.#dependencies = dependencies;
    this.#layout = layout;
    this.#record = record;
    this.#shadow = shadow;
    this.mode = record.mode;
    this.root = shadow.place.work_tree;
    this.scratch = layout.scratch;
    this.files = openWorkspaceFiles(this.root, { nested_git: inPlace ? "protected" : "writable" });
    this.readable = inPlace ? [] : [layout.objects_git];
    const own_git = join(this.root, ".git");
    this.protected = inPlace && lstatIfThere(own_git) !== null ? [own_git] : [];
  }

  snapshot() {
    return this.#turns.take(async () => {
      const { tree, files, left_out } = await this.#recorded();
      return { tree, files, left_out };
    });
  }

  restore(tree: TreeHash) {
    return this.#turns.take(async () => {
      this.#requireSnapshots();
      this.#openRoot();
      return restoreTree(this.#dependencies.git, this.#shadow, tree, this.mode === "in_place" ? "leave" : "open");
    });
  }

  markFileClock() {
    return markFileClock(join(this.#layout.directory, "file-clock"), this.#dependencies.clock);
  }

  untrackedChangedSince(mark_ms: number, limit: number) {
    return this.#turns.take(async () => {
      this.#openRoot();
      return changedOutside({
        root: this.root,
        now: await this.#shadow.lookOutside(),
        before: this.#shadow.ignoredBefore(),
        mark_ms,
        limit,
        entries_max: this.#dependencies.limits.untracked_entries,
      });
    });
  }

  note(text: string) {
    return this.#turns.take(async () => {
      const { ordinary } = this.#record;
      const tree = this.mode === "in_place" ? "users" : "own";
      const isTracked = async () => (this.#noteTracked ??= await this.#shadow.tracksNote());
      const end = await writeNote({ files: this.#shadow.files, ordinary, tree, isTracked }, text);
      // What this workspace wrote itself is belay's: git is not asked about it again.
      if (end === "written") this.#noteTracked = false;
      return end;
    });
  }

  resetScratch() {
    return this.#turns.take(() => resetScratch(this.#layout));
  }

  commit(tree: TreeHash, message: string) {
    return this.#turns.take(async () => {
      if (this.mode === "in_place") return null;
      const { plain } = await this.#plain(tree);
      const { git, clock } = this.#dependencies;
      const place = { git, layout: this.#layout, shadow: this.#shadow, branch: this.#record.branch };
      return commitToBranch(place, plain, message, clock.now());
    });
  }

  diff(from: TreeHash, to: TreeHash) {
    return this.#turns.take(async () => {
      const [before, after] = await Promise.all([this.#plain(from), this.#plain(to)]);
      return unifiedDiff(this.#dependencies.git, this.#shadow.place, before.plain, after.plain);
    });
  }

  changes(from: TreeHash, to: TreeHash) {
    return this.#turns.take(async () => {
      const [before, after] = await Promise.all([this.#plain(from), this.#plain(to)]);
      return countChanges(this.#dependencies.git, this.#shadow.place, before.plain, after.plain);
    });
  }

  merge(request: Parameters<Workspace["merge"]>[0]) {
    return this.#turns.take(() => mergeWork(this.#delivery(), request));
  }

  apply(request: Parameters<Workspace["apply"]>[0]) {
    return this.#turns.take(() => applyWork(this.#delivery(), request));
  }

  remove() {
    return this.#turns.take(async () => {
      await this.#shadow.settled();
      await removeParts(this.#layout);
      try {
        rmdirSync(this.#layout.directory);
      } catch (error) {
        // Somebody else keeps something there, or it is gone: our parts are gone either way.
        if (!isSystemError(error, "ENOTEMPTY", "EEXIST", "ENOENT")) throw error;
      }
    });
  }

  #plain(tree: TreeHash) {
    return splitTree(this.#dependencies.git, this.#shadow.place, tree);
  }

  /** A damaged index is only a lost cache: it is made again from the base, and everything compared by content, once. */
  async #recorded() {
    this.#requireSnapshots();
    this.#openRoot();
    try {
      return await this.#shadow.snapshot();
    } catch (error) {
      if (!(error instanceof HarnessError) || error.kind !== "git_failed") throw error;
      return await this.#recordedAnew(error);
    }
  }

  async #recordedAnew(cause: HarnessError) {
    try {
      const { plain } = await this.#plain(this.#record.base);
      await this.#shadow.forget();
      await this.#shadow.readTree(plain);
      return await this.#shadow.snapshot();
    } catch (error) {
      if (!(error instanceof HarnessError) || error.kind !== "git_failed") throw error;
      const happened = `The workspace ${this.root} could not be snapshotted: ${error.happened}`;
      throw new HarnessError("snapshot_failed", happened, "Free space or repair permissions, then resume.", { cause });
    }
  }

  /** A command may have closed the root of belay's own tree: then nothing could be seen, compared or set back in it. */
  #openRoot(): void {
    const stat = this.mode === "in_place" ? null : lstatIfThere(this.root);
    if (stat !== null && (stat.mode & OWNER_BITS) !== OWNER_BITS) chmodSync(this.root, stat.mode | OWNER_BITS);
  }

  #requireSnapshots(): void {
    if (this.#record.snapshots) return;
    const happened = `${this.root} has more files than snapshots are taken of.`;
    throw new HarnessError("snapshot_too_large", happened, "Snapshots are off for this session.");
  }

  #delivery(): DeliveryPlace {
    const { git, clock } = this.#dependencies;
    const { source, ordinary, branch, mode } = this.#record;
    if (lstatIfThere(source)?.isDirectory() !== true) {
      const happened = `The work came from ${source}, and there is no such directory any more.`;
      throw new HarnessError("workspace_missing", happened, "Put it back, or take the work from `belay diff`.");
    }
    return { git, clock, source, ordinary, branch, mode, layout: this.#layout, store: this.#shadow.place };
  }
}
