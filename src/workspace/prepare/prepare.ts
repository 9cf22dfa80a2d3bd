/**
 * Makes a workspace. Nothing is written outside the session's directory, and the record is written last: whatever instant a
 * preparation dies at, the user's tree is as it was and the next attempt starts from nothing.
 *
 * The clone is two directories. `objects.git` borrows the user's objects by hard links; `tree` is a repository of its own
 * that only reads them (`objects/info/alternates`). A confined command can write below `tree` and nowhere else, so it can
 * never reach an inode that the user's repository shares.
 */
import * as fs from "node:fs";
import { join, relative } from "node:path";
import { HarnessError } from "../../kernel/harness-error.ts";
import type { TreeHash } from "../../kernel/ids.ts";
import { pathFromText, splitNul } from "../byte-path.ts";
import { writeCommit } from "../git/branch.ts";
import { collectIgnoreFiles } from "../snapshot/frozen-rules.ts";
import { type Git, forUserRepository, lineOf } from "../git/git.ts";
import { writeGitDirectory, writeReference } from "../git/git-directory.ts";
import { freezeRules, literally } from "../snapshot/ignore-rules.ts";
import {
  type Layout,
  layoutOf,
  learnOrdinaryModes,
  makeScratch,
  removeParts,
  shadowPlace,
  writeRecord,
} from "../layout.ts";
import type { LeftOut } from "../snapshot/left-out.ts";
import { hasPromisedPacks, linkObjects, readIfThere } from "../git/link-objects.ts";
import { MANIFEST_NAME, type Manifest, type OrdinaryModes } from "../snapshot/manifest.ts";
import { EMPTY_TREE, listTree, MODE_SUBMODULE, type ObjectName, type TreeEntry } from "../git/objects.ts";
import { isOwnIgnore, NOTE_EXCLUDES } from "../own-note.ts";
import { openPrepared, type WorkspaceDependencies } from "../open-workspace.ts";
import { bringIncluded, copyDirectory } from "./private-copy.ts";
import {
  parseIndexListing,
  type Recorded,
  type ScopeFacts,
  Shadow,
  type ShadowPlace,
  type UserIndex,
} from "../snapshot/shadow.ts";
import * as source from "./source.ts";
import type { PreparedWorkspace, PrepareRequest } from "../workspace.ts";

export const UNCOMMITTED_MESSAGE = "belay: your uncommitted work";
export const COPY_MESSAGE = "belay: the directory as it was";

const NO_FACTS: ScopeFacts = { submodules: [], ignored_but_tracked: [], sparse: [] };
const NO_INDEX: UserIndex = { entries: [], submodules: [], sparse: [] };

/** What every step needs. */
interface Making extends WorkspaceDependencies {
  readonly request: PrepareRequest;
  readonly layout: Layout;
  readonly ordinary: OrdinaryModes;
  /** The user's tree, absolute and without links. */
  readonly top: string;
  readonly repository: source.UserRepository | null;
  readonly head: source.UserHead;
}

/** What the steps found. */
interface Made {
  readonly base: TreeHash;
  readonly files: number;
  readonly snapshots: boolean;
  readonly facts: ScopeFacts;
  readonly left_out: readonly LeftOut[];
}

export interface PrepareDependencies extends WorkspaceDependencies {
  /** The user's home directory, which is refused as a tree to work in; null when there is none. */
  readonly home: string | null;
}

export async function prepareWorkspace(
  given: PrepareDependencies,
  request: PrepareRequest,
): Promise<PreparedWorkspace> {
  const dependencies = { ...given, git: stoppable(given.git, request.signal) };
  requireSafeBranch(request.branch);
  const layout = layoutOf(request.directory);
  fs.mkdirSync(layout.directory, { recursive: true, mode: 0o700 });
  await removeParts(layout);
  const found = await findSource(dependencies, request);
  const ordinary = learnOrdinaryModes(layout.directory);
  const making: Making = { ...dependencies, request, layout, ordinary, ...found };
  await writeStores(making);
  const made = await make(making);
  makeScratch(layout.scratch);
  const { base, snapshots, facts } = made;
  const { mode, branch } = request;
  const head = making.head.commit;
  writeRecord(layout, { version: 1, mode, source: making.top, base, head, branch, snapshots, ordinary, facts });
  return {
    workspace: openPrepared(given, { ...request, source: making.top }),
    base,
    head,
    branch: mode === "in_place" ? null : branch,
    files: made.files,
    snapshots,
    left_out: made.left_out,
  };
}

function make(making: Making): Promise<Made> {
  switch (making.request.mode) {
    case "clone":
      return making.request.base === null ? cloneAsItStands(making) : cloneRevision(making, making.request.base);
    case "copy":
      return makeCopy(making);
    case "in_place":
      return makeInPlace(making);
  }
}

const stoppable =
  (git: Git, signal: AbortSignal): Git =>
  (call) =>
    git({ signal, ...call });

/** Names of ours only: the branch becomes a path. */
export function requireSafeBranch(branch: string): void {
  if (/^belay\/[A-Za-z0-9_-]{1,80}$/.test(branch)) return;
  throw new HarnessError(
    "internal",
    `"${branch.slice(0, 80)}" is not a branch of belay's.`,
    "Report this as a defect of belay.",
  );
}

type Found = Pick<Making, "top" | "repository" | "head">;

async function findSource(given: PrepareDependencies, request: PrepareRequest): Promise<Found> {
  if (!fs.existsSync(request.source)) throw refused(request.source, "does not exist");
  const directory = fs.realpathSync(request.source);
  if (!fs.statSync(directory).isDirectory()) throw refused(directory, "is not a directory");
  const repository = request.mode === "copy" ? null : source.findRepository(directory);
  const top = repository?.top ?? directory;
  const home = given.home !== null && fs.existsSync(given.home) ? fs.realpathSync(given.home) : null;
  if (request.mode !== "clone" && (top === "/" || top === home)) throw refused(top, "is not a project");
  if (repository === null) {
    if (request.mode === "clone") throw notARepository(directory);
    return { top, repository, head: { commit: null, reference: null } };
  }
  await source.requireSupported(given.git, repository);
  return { top, repository, head: await source.readHead(given.git, repository) };
}

function refused(directory: string, why: string): HarnessError {
  return new HarnessError("workspace_refused", `${directory} ${why}.`, "Choose a project directory with --cwd.");
}

function notARepository(directory: string): HarnessError {
  const bare = source.isGitDirectory(directory);
  const happened = `${directory} is ${bare ? "a bare repository, without a working tree" : "in no git repository"}.`;
  return new HarnessError(
    "repo_unsupported",
    happened,
    "Work in a checkout of it, or on a private copy of the directory.",
  );
}

/** `objects.git` with everything the user's repository holds, and the empty shadow. */
async function writeStores(making: Making): Promise<void> {
  const { layout, repository, request } = making;
  const shallow = repository === null ? null : readIfThere(join(repository.common_dir, "shallow"));
  const exclude = repository === null ? null : readIfThere(join(repository.common_dir, "info/exclude"));
  const head = `refs/heads/${request.branch}`;
  const bare = { kind: "bare", head, alternates: [], shallow, exclude } as const;
  writeGitDirectory({ ...bare, path: layout.objects_git });
  writeGitDirectory({ ...bare, path: layout.shadow_git });
  fs.chmodSync(layout.shadow_git, 0o700);
  if (repository === null) return;
  await linkObjects(join(repository.common_dir, "objects"), join(layout.objects_git, "objects"), request.signal);
  await requireWhole(making, repository);
}

/** A partial clone lacks objects that git would fetch on demand; belay fetches nothing. */
async function requireWhole(making: Making, repository: source.UserRepository): Promise<void> {
  const commit = making.head.commit;
  if (commit === null || !hasPromisedPacks(join(repository.common_dir, "objects"))) return;
  const args = ["rev-list", "--objects", "--no-walk", "--missing=print", commit];
  const place = shadowPlace(making.layout, making.top);
  const answer = await making.git({ repository: place, args, codes: [128] });
  const missing = answer.output
    .toString("latin1")
    .split("\n")
    .filter((line) => line.startsWith("?")).length;
  if (answer.code === 0 && missing === 0) return;
  const happened = `The partial clone ${repository.top} lacks ${answer.code === 0 ? missing : "some"} objects of its HEAD.`;
  throw new HarnessError("repo_unsupported", happened, "Check HEAD out completely, or work with --in-place.");
}

async function readUserIndex(making: Making, repository: source.UserRepository): Promise<UserIndex> {
  const args = ["ls-files", "-z", "-s", "-t"];
  const answer = await forUserRepository(making.git)({
    repository: source.ofUser(repository),
    cwd: repository.top,
    args,
  });
  return parseIndexListing(answer.output);
}

function shadowOn(making: Making, root: string, facts: ScopeFacts): Shadow {
  const { git, ordinary, layout, request } = making;
  // The first tree is needed in any case; whether more are taken is decided by how many files it has.
  const limits = { ...making.limits, files: Number.POSITIVE_INFINITY };
  return new Shadow({ git, limits, ordinary, facts, place: shadowPlace(layout, root), signal: request.signal });
}

/** Freezes the rules of the tree that `place` looks at and learns what stays true of its scope. */
async function freeze(making: Making, place: ShadowPlace, index: UserIndex): Promise<ScopeFacts> {
  const exclude = readIfThere(join(place.git_dir, "info/exclude"));
  const files = (await collectIgnoreFiles(making.git, place)).filter(
    ({ path, content }) => !isOwnIgnore(path, content),
  );
  const rules = freezeRules(exclude, files, ownDirectory(making, place.work_tree));
  const path = join(place.git_dir, "rules");
  fs.writeFileSync(path, rules, { mode: 0o600 });
  const args = ["ls-files", "-z", "-c", "-i", `--exclude-from=${path}`];
  const { output } = await making.git({ repository: place, args });
  return { submodules: index.submodules, ignored_but_tracked: splitNul(output), sparse: index.sparse };
}

/** The one name that a snapshot needs for itself. */
function requireNameFree(top: string, entries: readonly TreeEntry[]): void {
  if (!entries.some((entry) => entry.path === MANIFEST_NAME)) return;
  const happened = `The repository ${top} tracks a file named ${MANIFEST_NAME}, a name that belay needs.`;
  throw new HarnessError("repo_unsupported", happened, "Rename the file.");
}

/** Where belay's home is inside the tree, it is no part of the work. */
function ownDirectory(making: Making, work_tree: string): readonly string[] {
  const path = relative(work_tree, fs.realpathSync(making.layout.directory));
  return path === "" || path.startsWith("..") ? [] : [`/${literally(pathFromText(path))}/`];
}

/** A snapshot of the user's own tree: its index says what is tracked, its files say everything else. */
async function recordUserTree(making: Making): Promise<{ shadow: Shadow; facts: ScopeFacts; recorded: Recorded }> {
  const { repository, top } = making;
  const index = repository === null ? NO_INDEX : await readUserIndex(making, repository);
  requireNameFree(top, index.entries);
  const first = shadowOn(making, top, NO_FACTS);
  await first.seed(index.entries);
  const frozen = await freeze(making, first.place, index);
  // Sparse entries that are on disk all the same are ordinary files.
  const facts = { ...frozen, sparse: frozen.sparse.filter((path) => first.files.lstat(path) === null) };
  const shadow = shadowOn(making, top, facts);
  return { shadow, facts, recorded: await shadow.snapshot() };
}

async function cloneAsItStands(making: Making): Promise<Made> {
  const { shadow, facts, recorded } = await recordUserTree(making);
  await shadow.settled();
  const cloned = { ...facts, sparse: [] };
  const clone = await checkOutClone(making, cloned, recorded.manifest);
  const commit = await startBranch(making, recorded.plain);
  await finishClone(making, clone, commit);
  return madeOf(making, cloned, recorded);
}

async function cloneRevision(making: Making, revision: string): Promise<Made> {
  const { repository, layout } = making;
  if (repository === null) throw notARepository(making.top);
  const commit = await source.resolveRevision(making.git, repository, revision);
  fs.mkdirSync(layout.tree);
  const place = shadowPlace(layout, layout.tree);
  const tree = lineOf(await making.git({ repository: place, args: ["rev-parse", `${commit}^{tree}`] }));
  const entries = await listTree(making.git, place, tree, { recursive: true });
  requireNameFree(repository.top, entries);
  const first = shadowOn(making, layout.tree, NO_FACTS);
  await first.readTree(tree);
  await first.checkOut();
  const submodules = entries.filter((entry) => entry.mode === MODE_SUBMODULE).map((entry) => entry.path);
  const facts = await freeze(making, place, { ...NO_INDEX, submodules });
  const recorded = await shadowOn(making, layout.tree, facts).snapshot();
  await finishClone(making, shadowOn(making, layout.tree, facts), commit);
  return madeOf(making, facts, recorded);
}

async function checkOutClone(making: Making, facts: ScopeFacts, manifest: Manifest): Promise<Shadow> {
  const { layout } = making;
  fs.mkdirSync(layout.tree);
  const clone = shadowOn(making, layout.tree, facts);
  await clone.checkOut();
  const closedLast = [...manifest.directories].sort(([a], [b]) => (a < b ? 1 : -1));
  for (const [path] of closedLast) clone.files.makeDirectory(path);
  for (const [path, bits] of manifest.files) clone.files.changeMode(path, bits);
  for (const [path, bits] of closedLast) if (bits !== null) clone.files.changeMode(path, bits);
  return clone;
}

/** The commit that the branch starts at: the user's HEAD, with their uncommitted work on top where there is some. */
async function startBranch(making: Making, plain: ObjectName): Promise<string | null> {
  const { head, layout, git, clock } = making;
  const place = shadowPlace(layout, layout.tree);
  if (head.commit === null && plain === EMPTY_TREE) return null;
  if (head.commit !== null) {
    const tree = lineOf(await git({ repository: place, args: ["rev-parse", `${head.commit}^{tree}`] }));
    if (tree === plain) return head.commit;
  }
  const message = making.request.mode === "copy" ? COPY_MESSAGE : UNCOMMITTED_MESSAGE;
  return writeCommit(place.objects, { tree: plain, parent: head.commit, message, date_ms: clock.now() });
}

/** The agent's own repository, and what it needs although it is ignored. */
async function finishClone(making: Making, clone: Shadow, commit: string | null): Promise<void> {
  const { layout, request, repository } = making;
  await clone.settled();
  const path = writeAgentRepository({
    layout,
    ordinary: making.ordinary,
    branch: request.branch,
    commit,
    index: clone.place.index,
  });
  if (repository === null) return;
  await copyReferences(making.git, repository, path);
  const user = { ...clone.place, work_tree: making.top };
  await bringIncluded(making.git, user, clone.rules, layout.tree, making.limits);
}

export interface AgentRepository {
  readonly layout: Layout;
  readonly ordinary: OrdinaryModes;
  readonly branch: string;
  /** Where the branch starts; null for an unborn one. */
  readonly commit: string | null;
  /** Copied. */
  readonly index: string;
}

/** The repository in the agent's tree, which reads belay's objects. Returns its git directory. */
export function writeAgentRepository({ layout, ordinary, branch, commit, index }: AgentRepository): string {
  const path = join(layout.tree, ".git");
  const reference = `refs/heads/${branch}`;
  writeGitDirectory({
    path,
    kind: "tree",
    head: reference,
    alternates: [join(layout.objects_git, "objects")],
    shallow: readIfThere(join(layout.objects_git, "shallow")),
    exclude: withNote(readIfThere(join(layout.shadow_git, "info/exclude"))),
  });
  fs.chmodSync(path, ordinary.directory);
  if (commit !== null) {
    writeReference(layout.objects_git, reference, commit);
    writeReference(path, reference, commit);
  }
  const content = readIfThere(index);
  if (content !== null) fs.writeFileSync(join(path, "index"), content);
  return path;
}

/** What the agent sees of its own changes does not hold belay's note. */
function withNote(exclude: Uint8Array | null): Buffer {
  const before = exclude === null || exclude.byteLength === 0 ? [] : [exclude, Buffer.from("\n")];
  return Buffer.concat([...before, Buffer.from(NOTE_EXCLUDES)]);
}

/** The user's branches and tags, for the agent to compare with. None of ours is among them. */
export async function copyReferences(git: Git, repository: source.UserRepository, git_dir: string): Promise<void> {
  const references = await source.readReferences(git, repository);
  const lines = references
    .filter(({ name }) => name !== "refs/heads/belay" && !name.startsWith("refs/heads/belay/"))
    .map(({ commit, name }) => `${commit} ${name}\n`);
  fs.writeFileSync(join(git_dir, "packed-refs"), ["# pack-refs with: sorted \n", ...lines].join(""));
}

async function makeCopy(making: Making): Promise<Made> {
  const { layout, top, limits, request } = making;
  fs.mkdirSync(layout.tree);
  const except = fs.realpathSync(layout.directory);
  const skipped = await copyDirectory(top, layout.tree, limits, except, request.signal);
  const { facts, recorded, shadow } = await recordUserTree({ ...making, top: layout.tree });
  const commit = await startBranch(making, recorded.plain);
  await finishClone(making, shadow, commit);
  return madeOf(making, facts, { ...recorded, left_out: [...recorded.left_out, ...skipped] });
}

async function makeInPlace(making: Making): Promise<Made> {
  const { facts, recorded } = await recordUserTree(making);
  return madeOf(making, facts, recorded);
}

function madeOf(making: Making, facts: ScopeFacts, recorded: Recorded): Made {
  const { tree, files, left_out } = recorded;
  return { base: tree, files, snapshots: files <= making.limits.files, facts, left_out };
}
