/**
 * The shadow repository: snapshots of a working tree as git trees, kept outside that tree. Owns the index, which is only a
 * cache: every snapshot compares it with the disk, so a stale or lost one costs time and never truth.
 *
 * S1: content enters a tree only through a descriptor that was reached without following a link (`RootedDirectory`); git
 *     lists and compares, it never reads a file into the store.
 * S2: a path leaves the tree only when it is seen to be gone, or is named in `left_out`.
 * S3: calls are made one at a time; the owner sees to that.
 */
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { HarnessError } from "../kernel/harness-error.ts";
import { parseTreeHash, type TreeHash } from "../kernel/ids.ts";
import { type BytePath, pathFromBytes, splitNul } from "./byte-path.ts";
import { type Git, type GitRepository, lineOf } from "./git.ts";
import type { LeftOut } from "./left-out.ts";
import { readIfThere } from "./link-objects.ts";
import { gitModeOf, MANIFEST_NAME, type Manifest, type OrdinaryModes, withManifest } from "./manifest.ts";
import {
  indexLine,
  indexRemoval,
  MODE_LINK,
  MODE_SUBMODULE,
  type ObjectName,
  type TreeEntry,
  writeObject,
} from "./objects.ts";
import { isSystemError, RootedDirectory } from "./rooted.ts";
import { type GitListing, leftOut, listWithGit, type ScopeWalk, walkScope } from "./scope.ts";
import { nextTurn } from "./turns.ts";
import type { WorkspaceLimits } from "./workspace-limits.ts";

export interface ShadowPlace extends GitRepository {
  readonly git_dir: string;
  readonly work_tree: string;
  readonly index: string;
  readonly objects: string;
}

/** What was true of the scope when the session began, and stays so. */
export interface ScopeFacts {
  readonly submodules: readonly BytePath[];
  /** In the index although a rule ignores them: they stay in the scope when they are deleted and made again. */
  readonly ignored_but_tracked: readonly BytePath[];
  /** In the index but, by a sparse checkout, not on disk: their absence is no deletion. */
  readonly sparse: readonly BytePath[];
}

export interface Recorded {
  readonly tree: TreeHash;
  /** Without the manifest. */
  readonly plain: ObjectName;
  readonly manifest: Manifest;
  readonly files: number;
  readonly left_out: readonly LeftOut[];
  readonly outside: Outside;
  /** Files and directories that may not be read: what is in them was not recorded. */
  readonly unreadable: ReadonlySet<BytePath>;
}

/** What the last look found outside the scope. */
export interface Outside {
  readonly ignored: ReadonlySet<BytePath>;
  readonly other: ReadonlySet<BytePath>;
}

export interface ShadowOptions {
  readonly git: Git;
  readonly place: ShadowPlace;
  readonly limits: WorkspaceLimits;
  readonly ordinary: OrdinaryModes;
  readonly facts: ScopeFacts;
  readonly signal?: AbortSignal;
}

/** Bytes of content that are read into the store before other work of the process gets its turn. */
const BYTES_PER_TURN = 8 * 1024 * 1024;

export const RULES_FILE = "rules";
const IGNORED_FILE = "ignored";

export class Shadow {
  readonly place: ShadowPlace;
  readonly files: RootedDirectory;
  readonly #options: ShadowOptions;
  readonly #submodules: ReadonlySet<BytePath>;
  readonly #sparse: ReadonlySet<BytePath>;
  #plain: ObjectName | null = null;
  #refresh: Promise<unknown> = Promise.resolve();

  constructor(options: ShadowOptions) {
    this.#options = options;
    this.place = options.place;
    this.files = new RootedDirectory(options.place.work_tree);
    this.#submodules = new Set(options.facts.submodules);
    this.#sparse = new Set(options.facts.sparse);
  }

  get rules(): string {
    return join(this.place.git_dir, RULES_FILE);
  }

  get ordinary(): OrdinaryModes {
    return this.#options.ordinary;
  }

  /** What a process that was killed left behind. */
  removeLocks(): void {
    rmSync(`${this.place.index}.lock`, { force: true });
  }

  /** Drops the index, for one that cannot be read. */
  async forget(): Promise<void> {
    await this.settled();
    rmSync(this.place.index, { force: true });
    this.removeLocks();
    this.#plain = null;
  }

  /** Fills the index from a list; what is on disk is compared by content. */
  async seed(entries: readonly TreeEntry[]): Promise<void> {
    const input = Buffer.concat(entries.map(({ mode, object, path }) => indexLine(mode, object, path)));
    await this.#git(["update-index", "-z", "--index-info"], { input });
    await this.#git(["update-index", "-q", "--refresh"], { codes: [1] });
  }

  /** Points the index at a tree; entries that are the same keep what is known of their files. */
  async readTree(plain: ObjectName): Promise<void> {
    await this.settled();
    await this.#git(existsSync(this.place.index) ? ["read-tree", "-i", "-m", plain] : ["read-tree", plain]);
    this.#plain = null;
  }

  async refresh(): Promise<void> {
    await this.#git(["update-index", "-q", "--refresh"], { codes: [1] });
  }

  /** Writes every file of the index into an empty working tree. */
  async checkOut(): Promise<void> {
    await this.settled();
    await this.#git(["checkout-index", "-a", "-f", "-q", "-u"]);
  }

  /** Resolves when nothing works on the index any more. */
  async settled(): Promise<void> {
    await this.#refresh;
  }

  async snapshot(): Promise<Recorded> {
    await this.settled();
    const listing = await this.#list();
    const walk = await walkScope(this.place.work_tree, listing, {
      rules: this.rules,
      file_bytes: this.#options.limits.file_bytes,
      ordinary: this.ordinary,
      submodules: this.#submodules,
    });
    if (walk.files > this.#options.limits.files) throw tooMany(this.place.work_tree, this.#options.limits.files);
    const changes = await this.#read(listing.candidates, walk);
    const plain = await this.#writeTree(changes);
    const manifest: Manifest = { files: within(walk.modes, walk), directories: walk.directories };
    const tree = await withManifest(this.#options.git, this.place, plain, manifest);
    this.#rememberIgnored(listing.ignored);
    const outside = [...listing.nested, ...this.#submodules, ...walk.too_large, ...walk.special, ...walk.unreadable];
    return {
      tree: parseTreeHash(tree),
      plain,
      manifest,
      files: walk.files - walk.too_large.size,
      left_out: [
        leftOut("ignored", listing.ignored),
        leftOut("nested_repository", listing.nested),
        leftOut("submodule", this.#submodules),
        leftOut("too_large", walk.too_large),
        leftOut("special_file", walk.special),
        leftOut("unreadable", walk.unreadable),
      ].filter((reason) => reason !== null),
      outside: { ignored: listing.ignored, other: new Set(outside) },
      unreadable: walk.unreadable,
    };
  }

  /** What is outside the scope now, without recording anything. */
  async lookOutside(): Promise<Outside> {
    await this.settled();
    const listing = await this.#list();
    const walk = await walkScope(this.place.work_tree, listing, {
      rules: this.rules,
      file_bytes: this.#options.limits.file_bytes,
      ordinary: this.ordinary,
      submodules: this.#submodules,
    });
    const other = [...listing.nested, ...this.#submodules, ...walk.too_large, ...walk.special, ...walk.unreadable];
    return { ignored: listing.ignored, other: new Set(other) };
  }

  /** The ignored paths as of the last snapshot, also of an earlier process. */
  ignoredBefore(): readonly BytePath[] {
    const content = readIfThere(join(this.place.git_dir, IGNORED_FILE));
    return content === null ? [] : splitNul(content);
  }

  async #list(): Promise<GitListing> {
    const listing = await listWithGit(this.#options.git, this.place, this.rules);
    const again = this.#options.facts.ignored_but_tracked;
    if (again.length === 0) return listing;
    const ignored = new Set(listing.ignored);
    for (const path of again) ignored.delete(path);
    return { ...listing, ignored, candidates: [...new Set([...listing.candidates, ...again])] };
  }

  /** S1, S2: the index lines for everything that may have changed. */
  async #read(candidates: readonly BytePath[], walk: ScopeWalk): Promise<readonly Buffer[]> {
    const removals: Buffer[] = [];
    const additions: Buffer[] = [];
    let bytes = 0;
    for (const path of candidates) {
      if (path === MANIFEST_NAME || this.#submodules.has(path)) continue;
      try {
        const entry = this.#readOne(path, walk);
        if (entry !== null) additions.push(indexLine(entry.mode, entry.object, path));
        else if (!this.#sparse.has(path)) removals.push(indexRemoval(path));
        bytes += entry?.bytes ?? 0;
      } catch (error) {
        if (!isSystemError(error, "EACCES", "EPERM")) throw unreadableError(path, error);
        walk.unreadable.add(path); // what the index says of it stays
      }
      if (bytes > BYTES_PER_TURN) {
        bytes = 0;
        await nextTurn();
      }
    }
    return [...removals, ...additions];
  }

  /** Null when there is nothing that a tree could hold. */
  #readOne(path: BytePath, walk: ScopeWalk): { mode: string; object: ObjectName; bytes: number } | null {
    const { objects } = this.place;
    const found = this.files.readFile(path, this.#options.limits.file_bytes);
    if (found !== null) {
      const mode = gitModeOf(found.stat.mode);
      return { mode, object: writeObject(objects, "blob", found.content), bytes: found.content.byteLength };
    }
    const link = this.files.readLink(path);
    if (link !== null) return { mode: MODE_LINK, object: writeObject(objects, "blob", link), bytes: link.byteLength };
    if (this.files.lstat(path)?.isFile() === true) walk.too_large.add(path);
    return null;
  }

  async #writeTree(changes: readonly Buffer[]): Promise<ObjectName> {
    if (changes.length === 0 && this.#plain !== null) return this.#plain;
    if (changes.length > 0) await this.#git(["update-index", "-z", "--index-info"], { input: Buffer.concat(changes) });
    this.#plain = lineOf(await this.#git(["write-tree"]));
    if (changes.length > 0) this.#refreshLater();
    return this.#plain;
  }

  /** Tells the index what the files of new entries look like, so that they are not compared by content next time. */
  #refreshLater(): void {
    this.#refresh = this.refresh().catch((error: unknown) => {
      // Only time is lost: what is not refreshed is compared by content.
      if (!(error instanceof HarnessError) || error.kind !== "git_failed") throw error;
    });
  }

  #rememberIgnored(ignored: ReadonlySet<BytePath>): void {
    const content = Buffer.from(
      [...ignored]
        .sort()
        .map((path) => `${path}\0`)
        .join(""),
      "latin1",
    );
    const path = join(this.place.git_dir, IGNORED_FILE);
    if (readIfThere(path)?.equals(content) !== true) writeFileSync(path, content, { mode: 0o600 });
  }

  #git(args: readonly string[], more: { input?: Buffer; codes?: readonly number[] } = {}) {
    const { git, place, signal } = this.#options;
    return git({ repository: place, args, ...more, ...(signal === undefined ? {} : { signal }) });
  }
}

/** Modes of files that the tree holds. */
function within(modes: ReadonlyMap<BytePath, number>, walk: ScopeWalk): ReadonlyMap<BytePath, number> {
  return new Map([...modes].filter(([path]) => !walk.too_large.has(path) && !walk.unreadable.has(path)));
}

function tooMany(root: string, files: number): HarnessError {
  const happened = `${root} has more than ${files} files to snapshot.`;
  return new HarnessError("snapshot_too_large", happened, "Ignore what is generated, or work without snapshots.");
}

function unreadableError(path: BytePath, cause: unknown): HarnessError {
  const happened = `"${pathFromBytes(Buffer.from(path, "latin1"))}" could not be read for a snapshot.`;
  return new HarnessError("snapshot_failed", happened, "Look at the disk and the permissions, then resume.", { cause });
}

const INDEX_LINE = /^(.) (\d{6}) ([0-9a-f]{40}) \d\t([^]*)$/;

export interface UserIndex {
  readonly entries: readonly TreeEntry[];
  readonly submodules: readonly BytePath[];
  readonly sparse: readonly BytePath[];
}

/** Reads `ls-files -z -s -t`. An unmerged path has several lines: one is enough, its file on disk says the rest. */
export function parseIndexListing(output: Uint8Array): UserIndex {
  const entries = new Map<BytePath, TreeEntry>();
  const sparse: BytePath[] = [];
  for (const line of splitNul(output)) {
    const [, tag, mode, object, path] = INDEX_LINE.exec(line) ?? [];
    if (tag === undefined || mode === undefined || object === undefined || path === undefined) continue;
    const at = path as BytePath; // a part of a byte path is one
    entries.set(at, { mode, object, path: at });
    if (tag === "S") sparse.push(at);
  }
  const submodules = [...entries.values()].filter((entry) => entry.mode === MODE_SUBMODULE).map((entry) => entry.path);
  return { entries: [...entries.values()], submodules, sparse };
}
