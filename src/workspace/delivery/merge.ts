/**
 * Brings work into the user's repository as one commit on their branch. The commit is built in belay's own store: the
 * user's HEAD with exactly the work's paths changed, merged with what HEAD has become. Nothing of the repository runs: no
 * hook, no filter, no signing. What belay writes there: objects, the session's branch, the user's branch, and for exactly
 * the touched paths the index and the files.
 *
 * M1: a touched path that holds uncommitted work of the user's is never overwritten: refused.
 * M2: index.lock is held from before the first file is written until the branch has moved; a failure takes all back.
 */
import * as fs from "node:fs";
import { join } from "node:path";
import { HarnessError } from "../../kernel/harness-error.ts";
import { writeCommit } from "../git/branch.ts";
import { type BytePath, textOf } from "../byte-path.ts";
import type { ChangedPath, Side } from "../snapshot/changed-paths.ts";
import * as delivery from "./delivery.ts";
import { forUserRepository, lineOf } from "../git/git.ts";
import { asStored, hasCrlf, isCrlfThroughout, readStorage, type StoredAs, toCrlf, toLf } from "./line-endings.ts";
import { linkObjects, readIfThere } from "../git/link-objects.ts";
import {
  EMPTY_TREE,
  indexLine,
  indexRemoval,
  listTree,
  NO_OBJECT,
  objectName,
  type ObjectName,
  readBlob,
  writeObject,
} from "../git/objects.ts";
import { isSystemError, RootedDirectory } from "../files/rooted.ts";
import { parseIndexListing } from "../snapshot/shadow.ts";
import * as source from "../prepare/source.ts";
import { mergeTexts } from "./three-way.ts";
import { sameSide, sideOf, type Standing, standingAt, type Write, writeBack } from "./write-back.ts";
import type { Delivered, DeliverRequest } from "../workspace.ts";

/** The user's repository as the merge found it. */
interface Target {
  readonly user: source.UserRepository;
  readonly head: source.UserHead & { readonly reference: string };
  readonly head_tree: ReadonlyMap<BytePath, Side>;
  readonly index: ReadonlyMap<BytePath, Side>;
  readonly storage: ReadonlyMap<BytePath, StoredAs>;
  readonly files: RootedDirectory;
}

/** What becomes of one path: what is committed, and what is written to the user's file (undefined: it is there already). */
interface Outcome {
  readonly path: BytePath;
  readonly committed: Side | null;
  readonly file: Write | undefined;
}

type Decision = { readonly is: "take"; readonly outcome: Outcome } | { readonly is: "lost" | "conflict" };

const APPLY_INSTEAD =
  "Nothing was changed: commit or move them first, or use `belay apply`, which merges into your files.";

export async function mergeWork(place: delivery.DeliveryPlace, request: DeliverRequest): Promise<Delivered> {
  if (place.mode === "in_place") return { files: [], commit: null }; // the work is where it was done
  const work = await delivery.readWork(place, request);
  const target = await readTarget(place, work);
  if (work.changes.length === 0) return { files: [], commit: null };
  const outcomes = await decideAll(place, target, work);
  const tree = await buildTree(place, target, outcomes);
  const parent = target.head.commit;
  if (tree === (await headTreeName(place, parent))) return { files: [], commit: null };
  const date_ms = place.clock.now();
  const commit = writeCommit(place.store.objects, { tree, parent, message: request.message, date_ms });
  await sendObjects(place, target, commit);
  await moveUser(place, target, outcomes, commit, work.tree);
  return { files: work.changes.map(({ path }) => textOf(path)), commit };
}

async function readTarget(place: delivery.DeliveryPlace, work: delivery.Work): Promise<Target> {
  const { git, store, layout } = place;
  const user = place.mode === "clone" ? source.findRepository(place.source) : null;
  if (user === null) throw unsupported(`${place.source} is no git repository`, "Use `belay apply`.");
  const { commit, reference } = await source.readHead(git, user);
  if (reference === null)
    throw unsupported(`HEAD of ${user.top} is detached`, "Check a branch out, or use `belay apply`.");
  requireNothingUnderWay(user);
  // The user may have committed since: their new objects are needed to merge with.
  await linkObjects(
    join(user.common_dir, "objects"),
    join(layout.objects_git, "objects"),
    new AbortController().signal,
  );
  const entries = commit === null ? [] : await listTree(git, store, `${commit}^{tree}`, { recursive: true });
  const listing = await forUserRepository(git)({
    repository: source.ofUser(user),
    cwd: user.top,
    args: ["ls-files", "-z", "-s", "-t"],
  });
  const sides = (list: readonly (Side & { path: BytePath })[]): Map<BytePath, Side> =>
    new Map(list.map(({ path, mode, object }) => [path, { mode, object }]));
  return {
    user,
    head: { commit, reference },
    head_tree: sides(entries),
    index: sides(parseIndexListing(listing.output).entries),
    storage: await readStorage(
      git,
      user,
      work.changes.map((change) => change.path),
    ),
    files: new RootedDirectory(user.top),
  };
}

function unsupported(what: string, todo: string): HarnessError {
  return new HarnessError("repo_unsupported", `The work cannot be merged: ${what}.`, todo);
}

const UNDER_WAY = ["MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD", "rebase-merge", "rebase-apply"];

function requireNothingUnderWay(user: source.UserRepository): void {
  const found = UNDER_WAY.find((name) => fs.existsSync(join(user.git_dir, name)));
  if (found === undefined) return;
  const happened = `A merge, rebase or the like is under way in ${user.top} (${found}).`;
  throw new HarnessError("work_would_be_lost", happened, "Finish or abort it, then try again.");
}

async function decideAll(
  place: delivery.DeliveryPlace,
  target: Target,
  work: delivery.Work,
): Promise<readonly Outcome[]> {
  const needs = work.changes.flatMap(({ path }) => {
    const program = target.storage.get(path)?.needs ?? null;
    return program === null ? [] : [[path, program] as const];
  });
  delivery.requireNoProgram(needs);
  const removed = new Set(work.changes.filter((change) => change.after === null).map((change) => change.path));
  const outcomes: Outcome[] = [];
  const refused = { lost: [] as BytePath[], conflict: [] as BytePath[] };
  for (const change of work.changes) {
    const blocked = change.after !== null && delivery.isBlocked(target.files, change.path, removed);
    const decision: Decision = blocked ? { is: "lost" } : await decide(place, target, work, change);
    if (decision.is === "take") outcomes.push(decision.outcome);
    else refused[decision.is].push(change.path);
  }
  delivery.requireNothingLost(refused.lost, APPLY_INSTEAD);
  delivery.requireNoConflict(refused.conflict);
  return outcomes;
}

async function decide(
  place: delivery.DeliveryPlace,
  target: Target,
  work: delivery.Work,
  change: ChangedPath,
): Promise<Decision> {
  if (delivery.touchesSubmodule(change)) return { is: "conflict" };
  const { path } = change;
  const head = target.head_tree.get(path) ?? null;
  const storing = await storingFor(place, target, change, head);
  const [before, after] = [await storing(change.before), await storing(change.after)];
  const standing = standingAt(target.files, path, delivery.DELIVERED_FILE_BYTES_MAX);
  const here = await storing(sideIn(place, standing));

  const earlier = work.earlier.has(path) ? [await storing(work.earlier.get(path) ?? null)] : [];
  const committed = await mergeSides(place, { head, before, after, earlier });
  const staged = target.index.get(path) ?? null;
  const isStaged = !sameSide(staged, head) && (committed === "conflict" || !sameSide(staged, committed));
  // M1: what is there is what HEAD has, or what the work would bring anyway.
  const isTheirs = standing.is === "other" ? change.after !== null : sameSide(here, head);
  const isThere =
    standing.is !== "other" &&
    (sameSide(sideOf(standing), change.after) || (committed !== "conflict" && sameSide(here, committed)));
  if (isStaged || (!isTheirs && !isThere)) return { is: "lost" };
  if (committed === "conflict") return { is: "conflict" };
  if (isThere) return { is: "take", outcome: { path, committed, file: undefined } };
  const written = await inUsersEndings(place, standing, committed, sameSide(committed, after) ? change.after : null);
  return { is: "take", outcome: { path, committed, file: { path, before: standing, after: written } } };
}

/** The user's file as an object of our store, so that it can be compared and merged. */
function sideIn(place: delivery.DeliveryPlace, standing: Standing): Side | null {
  if (standing.is === "file" || standing.is === "link") writeObject(place.store.objects, "blob", standing.content);
  return sideOf(standing);
}

type Storing = (side: Side | null) => Promise<Side | null>;

/** How the repository stores this path: by its attributes, or by the evidence that what it holds is the same text in LF. */
async function storingFor(
  place: delivery.DeliveryPlace,
  target: Target,
  change: ChangedPath,
  head: Side | null,
): Promise<Storing> {
  const said = target.storage.get(change.path)?.text ?? "as_is";
  const stored = head !== null && delivery.isRegular(head) && said !== "text" ? await blob(place, head) : null;
  const evident =
    said === "as_is" && stored !== null && !hasCrlf(stored) && (await isSameInLf(place, change.before, head));
  const how = evident ? "text" : said;
  return async (side) => {
    if (how === "as_is" || !delivery.isRegular(side)) return side;
    const content = asStored(await blob(place, side), how, stored);
    return { mode: side.mode, object: writeObject(place.store.objects, "blob", content) };
  };
}

async function isSameInLf(place: delivery.DeliveryPlace, before: Side | null, head: Side | null): Promise<boolean> {
  if (!delivery.isRegular(before) || head === null || before.object === head.object) return false;
  const content = await blob(place, before);
  return hasCrlf(content) && objectName("blob", toLf(content)) === head.object;
}

interface Sides {
  readonly head: Side | null;
  readonly before: Side | null;
  readonly after: Side | null;
  readonly earlier: readonly (Side | null)[];
}

/** All as stored. */
async function mergeSides(
  place: delivery.DeliveryPlace,
  { head, before, after, earlier }: Sides,
): Promise<Side | null | "conflict"> {
  if (sameSide(head, after)) return head;
  if ([before, ...earlier].some((known) => sameSide(head, known))) return after;
  if (!delivery.isRegular(head) || !delivery.isRegular(before) || !delivery.isRegular(after)) return "conflict";
  const [base, ours, theirs] = await Promise.all([blob(place, before), blob(place, head), blob(place, after)]);
  const merged = await mergeTexts(place.git, place.store, place.layout.delivery, { base, ours, theirs });
  if (merged === null) return "conflict";
  const object = writeObject(place.store.objects, "blob", merged);
  return { mode: delivery.mergedMode(before, head, after), object };
}

/** @param raw the work's own bytes, when they are what is committed; null when it was merged with something. */
async function inUsersEndings(
  place: delivery.DeliveryPlace,
  standing: Standing,
  committed: Side | null,
  raw: Side | null,
): Promise<Side | null> {
  if (committed === null) return null;
  if (raw !== null) return { mode: committed.mode, object: raw.object };
  if (standing.is !== "file" || !delivery.isRegular(committed) || !isCrlfThroughout(standing.content)) return committed;
  const content = await blob(place, committed);
  return { mode: committed.mode, object: writeObject(place.store.objects, "blob", toCrlf(content)) };
}

function blob(place: delivery.DeliveryPlace, side: Side): Promise<Buffer> {
  return readBlob(place.git, place.store, side.object);
}

async function headTreeName(place: delivery.DeliveryPlace, commit: string | null): Promise<ObjectName> {
  if (commit === null) return EMPTY_TREE;
  return lineOf(await place.git({ repository: place.store, args: ["rev-parse", `${commit}^{tree}`] }));
}

async function buildTree(
  place: delivery.DeliveryPlace,
  target: Target,
  outcomes: readonly Outcome[],
): Promise<ObjectName> {
  const index = join(place.layout.shadow_git, "index-for-merge");
  const repository = { ...place.store, index };
  try {
    if (target.head.commit !== null) await place.git({ repository, args: ["read-tree", target.head.commit] });
    await place.git({ repository, args: ["update-index", "-z", "--index-info"], input: indexInput(outcomes) });
    return lineOf(await place.git({ repository, args: ["write-tree"] }));
  } finally {
    fs.rmSync(index, { force: true });
  }
}

/** Removals first: a directory may make room for a file. */
function indexInput(outcomes: readonly Outcome[]): Buffer {
  const removals = outcomes.filter((one) => one.committed === null).map((one) => indexRemoval(one.path));
  const additions = outcomes.flatMap(({ path, committed }) =>
    committed === null ? [] : [indexLine(committed.mode, committed.object, path)],
  );
  return Buffer.concat([...removals, ...additions]);
}

/** What the commit needs and the user's repository lacks. Read from our store, unpacked into theirs, under our settings. */
async function sendObjects(place: delivery.DeliveryPlace, target: Target, commit: string): Promise<void> {
  const { git, store } = place;
  const wanted = target.head.commit === null ? `${commit}\n` : `${commit}\n^${target.head.commit}\n`;
  const packed = await git({
    repository: store,
    args: ["pack-objects", "-q", "--revs", "--stdout"],
    input: Buffer.from(wanted),
  });
  const objects = join(target.user.common_dir, "objects");
  await git({ repository: { git_dir: store.git_dir, objects }, args: ["unpack-objects", "-q"], input: packed.output });
}

/** M2. */
async function moveUser(
  place: delivery.DeliveryPlace,
  target: Target,
  outcomes: readonly Outcome[],
  commit: string,
  tree: ObjectName,
): Promise<void> {
  const { git, store, ordinary } = place;
  const lock = join(target.user.git_dir, "index.lock");
  const path = join(target.user.git_dir, "index");
  const before = readIfThere(path);
  const index = await nextIndex(place, target, outcomes, before);
  takeLock(lock, index);
  try {
    if (readIfThere(path)?.equals(before ?? Buffer.alloc(0)) === false) throw busy(target.user);
    const writes = outcomes.flatMap(({ file }) => (file === undefined ? [] : [file]));
    await writeBack({ git, files: target.files, store, ordinary }, writes, async () => {
      await moveBranches(place, target, commit);
    });
  } catch (error) {
    fs.rmSync(lock, { force: true });
    throw error;
  }
  fs.renameSync(lock, path);
  delivery.rememberDelivered(place, tree);
}

/** The user's index with the touched paths changed; made on a copy. */
async function nextIndex(
  place: delivery.DeliveryPlace,
  target: Target,
  outcomes: readonly Outcome[],
  before: Buffer | null,
): Promise<Buffer> {
  const index = join(place.layout.shadow_git, "index-of-user");
  try {
    if (before !== null) fs.writeFileSync(index, before, { mode: 0o600 });
    await forUserRepository(place.git)({
      repository: { ...source.ofUser(target.user), index },
      cwd: target.user.top,
      args: ["update-index", "-z", "--index-info"],
      input: indexInput(outcomes),
    });
    return fs.readFileSync(index);
  } finally {
    fs.rmSync(index, { force: true });
  }
}

function takeLock(lock: string, content: Buffer): void {
  try {
    fs.writeFileSync(lock, content, { flag: "wx", mode: 0o666 });
  } catch (error) {
    if (!isSystemError(error, "EEXIST")) throw error;
    const happened = `Another git process works in the repository, or died there (${lock} exists).`;
    throw new HarnessError("git_failed", happened, "Wait for it, or remove that file, then try again.", {
      cause: error,
    });
  }
}

function busy(user: source.UserRepository): HarnessError {
  return new HarnessError(
    "git_failed",
    `The index of ${user.top} changed meanwhile.`,
    "Nothing was changed: try again.",
  );
}

/** Both or none, and only when the branch is where it was. */
async function moveBranches(place: delivery.DeliveryPlace, target: Target, commit: string): Promise<void> {
  const ours = `refs/heads/${place.branch}`;
  const lines = [`update HEAD ${commit} ${target.head.commit ?? NO_OBJECT}\n`];
  if (target.head.reference !== ours) lines.unshift(`update ${ours} ${commit}\n`);
  await forUserRepository(place.git)({
    repository: source.ofUser(target.user),
    args: ["update-ref", "-m", `belay: merge ${place.branch}`, "--stdin"],
    input: Buffer.from(lines.join("")),
    date_ms: place.clock.now(),
  });
}
