/**
 * The shadow repository: snapshots of a working tree as git trees, kept outside that tree. Owns the index, which is only a
 * cache: every snapshot compares it with the disk, so a stale or lost one costs time and never truth.
 *
 * S1: content enters a tree only through a descriptor that was reached without following a link (`RootedDirectory`); git
 *     lists and compares, it never reads a file into the store.
 * S2: a path leaves the tree only when it is seen to be gone, or is named in `left_out`.
 * S3: calls are made one at a time; the owner sees to that.
 */
import { existsSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { HarnessError } from "../../kernel/harness-error.ts";
import { parseTreeHash, type TreeHash } from "../../kernel/ids.ts";
import { type BytePath, pathFromBytes, splitNul } from "../byte-path.ts";
import { type Git, type GitRepository, lineOf } from "../git/git.ts";
import { fileClockNow } from "./file-clock.ts";
import { FileTree } from "./file-tree.ts";
import { changedSince, isKnowable, type KnownScope } from "./known-scope.ts";
import type { LeftOut } from "./left-out.ts";
import { readIfThere } from "../git/link-objects.ts";
import { gitModeOf, MANIFEST_NAME, type Manifest, type OrdinaryModes, withManifest } from "./manifest.ts";
import {
  indexLine,
  indexRemoval,
  listTree,
  MODE_DIRECTORY,
  MODE_LINK,
  MODE_SUBMODULE,
  type ObjectName,
  type TreeEntry,
  writeObject,
} from "../git/objects.ts";
import { isSystemError, RootedDirectory } from "../files/rooted.ts";
import { type GitListing, leftOut, listWithGit, type ScopeWalk, walkScope } from "./scope.ts";
import { surelyIgnored } from "./sure-rules.ts";
import { isOwnNote, NOTE_PATH } from "../own-note.ts";
import { nextTurn } from "../turns.ts";
import type { WorkspaceLimits } from "../workspace-limits.ts";

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

interface FileEntry {
  readonly mode: string;
  readonly object: ObjectName;
  readonly bytes: number;
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
/** Touched to learn the time by which files are stamped. */
const CLOCK_FILE = "clock";
/** Changed files that are read before other work of the process gets its turn. */
const FILES_PER_TURN = 256;

export class Shadow {
  readonly place: ShadowPlace;
  readonly files: RootedDirectory;
  readonly #options: ShadowOptions;
  readonly #submodules: ReadonlySet<BytePath>;
  readonly #sparse: ReadonlySet<BytePath>;
  /** The tree of the index. */
  #plain: ObjectName | null = null;
  #known: KnownScope | null = null;
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
    this.#known = null;
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
    this.#known = null;
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
    const looked_ms = fileClockNow(join(this.place.git_dir, CLOCK_FILE));
    const again = await this.#snapshotOfKnown(looked_ms);
    if (again !== null) return again;
    const listing = await this.#list();
    const walk = await this.#walk(listing);
    if (walk.files > this.#options.limits.files) throw tooMany(this.place.work_tree, this.#options.limits.files);
    const changes = await this.#read(listing.candidates, walk);
    const plain = await this.#writeTree(changes);
    this.#learn({ looked_ms, listing, walk, plain });
    const manifest = manifestOf(walk);
    const tree = await withManifest(this.#options.git, this.place, plain, manifest);
    this.#rememberIgnored(listing.ignored);
    return this.#recorded({ tree, plain, manifest }, listing, walk);
  }

  #recorded(
    trees: Pick<Recorded, "plain" | "manifest"> & { tree: string },
    listing: GitListing,
    walk: ScopeWalk,
  ): Recorded {
    const outside = [...listing.nested, ...this.#submodules, ...walk.too_large, ...walk.special, ...walk.unreadable];
    return {
      ...trees,
      tree: parseTreeHash(trees.tree),
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

  /**
   * A snapshot when only files that were there changed: nothing but those is read, and no git is started. The index is left
   * behind by it, which costs the next look time and nothing else. Null when git has to be asked.
   */
  async #snapshotOfKnown(looked_ms: number): Promise<Recorded | null> {
    const known = this.#known;
    if (known === null) return null;
    const walk = await this.#walk(known.listing);
    const changed = changedSince(known, walk);
    if (changed === null) return null;
    this.#known = null; // until it is whole again
    const tree = changed.length === 0 ? known.tree : (known.tree ?? (await this.#loadTree(known)));
    for (const [n, path] of changed.entries()) {
      const entry = this.#readQuietly(path, walk);
      if (entry === null || tree === null) return null;
      tree.set(path, entry.mode, entry.object);
      if (n % FILES_PER_TURN === FILES_PER_TURN - 1) await nextTurn();
    }
    const plain = changed.length === 0 || tree === null ? known.plain : tree.write(this.place.objects);
    this.#known = { looked_ms, listing: known.listing, walk, plain, tree };
    const manifest = manifestOf(walk);
    const whole = await withManifest(this.#options.git, this.place, plain, manifest);
    return this.#recorded({ tree: whole, plain, manifest }, known.listing, walk);
  }

  /** Null when the tree does not hold exactly the files that were seen. */
  async #loadTree({ plain, walk }: KnownScope): Promise<FileTree | null> {
    const entries = await listTree(this.#options.git, this.place, plain, { recursive: true, directories: true });
    const files = entries.filter(({ mode }) => mode !== MODE_DIRECTORY);
    const same = files.length === walk.marks.size && files.every(({ path }) => walk.marks.has(path));
    return same ? new FileTree(entries) : null;
  }

  /** Keeps what was seen for the next snapshot, where that can be known. */
  #learn(seen: Pick<KnownScope, "looked_ms" | "listing" | "walk" | "plain">): void {
    const { listing, walk } = seen;
    const knowable =
      this.#isOneClock() &&
      this.#submodules.size + this.#sparse.size === 0 &&
      isKnowable(listing, walk) &&
      surelyIgnored(readIfThere(this.rules) ?? Buffer.alloc(0), listing.ignored_directories);
    this.#known = knowable ? { ...seen, tree: null } : null;
  }

  /** Whether the tree's files are stamped by the clock that is looked at: it is that of our own directory. */
  #isOneClock(): boolean {
    return statSync(this.place.work_tree).dev === statSync(this.place.git_dir).dev;
  }

  #walk(listing: GitListing): Promise<ScopeWalk> {
    return walkScope(this.place.work_tree, listing, {
      rules: this.rules,
      file_bytes: this.#options.limits.file_bytes,
      ordinary: this.ordinary,
      submodules: this.#submodules,
    });
  }

  /** What is outside the scope now, without recording anything. */
  async lookOutside(): Promise<Outside> {
    await this.settled();
    const listing = await this.#list();
    const walk = await this.#walk(listing);
    const other = [...listing.nested, ...this.#submodules, ...walk.too_large, ...walk.special, ...walk.unreadable];
    return { ignored: listing.ignored, other: new Set(other) };
  }

  /** The ignored paths as of the last snapshot, also of an earlier process. */
  ignoredBefore(): readonly BytePath[] {
    const content = readIfThere(join(this.place.git_dir, IGNORED_FILE));
    return content === null ? [] : splitNul(content);
  }

  /** Whether the index has a file where belay's own note belongs. */
  async tracksNote(): Promise<boolean> {
    const { output } = await this.#git(["ls-files", "-z", "--", NOTE_PATH]);
    return output.byteLength > 0;
  }

  async #list(): Promise<GitListing> {
    const found = await listWithGit(this.#options.git, this.place, this.rules);
    const root = this.place.work_tree;
    const listing = { ...found, candidates: found.candidates.filter((path) => !isOwnNote(root, path)) };
    const again = this.#options.facts.ignored_but_tracked;
    if (again.length === 0) return listing;
    const ignored = new Set(listing.ignored);
    for (const path of again) ignored.delete(path);
    return {
      ...listing,
      ignored,
      candidates: [...new Set([...listing.candidates, ...again.filter((path) => !isOwnNote(root, path))])],
    };
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

  /** Null also when it may not be read: then it is judged anew, with everything else. */
  #readQuietly(path: BytePath, walk: ScopeWalk): FileEntry | null {
    try {
      return this.#readOne(path, walk);
    } catch (error) {
      if (isSystemError(error, "EACCES", "EPERM")) return null;
      throw unreadableError(path, error);
    }
  }

  /** Null when there is nothing that a tree could hold. */
  #readOne(path: BytePath, walk: ScopeWalk): FileEntry | null {
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

function manifestOf(walk: ScopeWalk): Manifest {
  return { files: within(walk.modes, walk), directories: walk.directories };
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
