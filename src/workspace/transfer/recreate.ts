/**
 * Makes a workspace from trees that another one recorded: of this machine, whose objects are hard-linked, or of another one,
 * whose objects come in a pack. As with `prepare`, the record is written last and nothing is written elsewhere.
 */
import * as fs from "node:fs";
import { join } from "node:path";
import { HarnessError } from "../../kernel/harness-error.ts";
import type { WorkspaceMode } from "../../kernel/config.ts";
import { writeCommit } from "../git/branch.ts";
import type { BytePath } from "../byte-path.ts";
import { type Git, lineOf } from "../git/git.ts";
import { writeGitDirectory } from "../git/git-directory.ts";
import {
  type Layout,
  layoutOf,
  learnOrdinaryModes,
  makeScratch,
  readRecord,
  removeParts,
  shadowPlace,
  writeRecord,
} from "../layout.ts";
import { linkObjects, readIfThere } from "../git/link-objects.ts";
import { type OrdinaryModes, splitTree } from "../snapshot/manifest.ts";
import { EMPTY_TREE, type ObjectName } from "../git/objects.ts";
import { openPrepared, type WorkspaceDependencies } from "../open-workspace.ts";
import {
  COPY_MESSAGE,
  copyReferences,
  requireSafeBranch,
  UNCOMMITTED_MESSAGE,
  writeAgentRepository,
} from "../prepare/prepare.ts";
import { bringIncluded } from "../prepare/private-copy.ts";
import { restoreTree } from "../snapshot/restore.ts";
import { RULES_FILE, type ScopeFacts, Shadow, type ShadowPlace } from "../snapshot/shadow.ts";
import * as userSource from "../prepare/source.ts";
import { requireSafeTrees } from "./tree-check.ts";
import { factsOf } from "./tree-pack.ts";
import type { RecreatedWorkspace, RecreateRequest, WorkspaceFacts } from "../workspace.ts";

/** Bytes of the name that a pack ends with. */
const PACK_NAME_BYTES = 20;

interface Origin {
  readonly mode: Exclude<WorkspaceMode, "in_place">;
  /** The user's tree. */
  readonly source: string;
  readonly repository: userSource.UserRepository | null;
  /** Whose ignored files `.worktreeinclude` may bring. */
  readonly included_from: string;
  readonly facts: WorkspaceFacts;
}

interface Making {
  readonly git: Git;
  readonly request: RecreateRequest;
  readonly layout: Layout;
  readonly place: ShadowPlace;
  readonly ordinary: OrdinaryModes;
  readonly origin: Origin;
}

export async function recreateWorkspace(
  dependencies: WorkspaceDependencies,
  request: RecreateRequest,
): Promise<RecreatedWorkspace> {
  requireSafeBranch(request.branch);
  const git: Git = (call) => dependencies.git({ signal: request.signal, ...call });
  const origin = await originOf(git, request);
  const layout = layoutOf(request.directory);
  fs.mkdirSync(layout.directory, { recursive: true, mode: 0o700 });
  await removeParts(layout);
  const ordinary = learnOrdinaryModes(layout.directory);
  const making: Making = { git, request, layout, ordinary, origin, place: shadowPlace(layout, layout.tree) };
  fs.mkdirSync(layout.tree); // empty until its trees were looked at: git needs a place to stand in
  await bringObjects(making);
  if (request.from.kind === "pack")
    await requireSafeTrees(git, making.place, [request.base, request.tree, ...request.trees], dependencies.limits);
  await bringFiles(dependencies, making);
  makeScratch(layout.scratch);
  const { mode, source, facts } = origin;
  const { head } = facts;
  const { base, branch } = request;
  const record = {
    version: 1,
    mode,
    source,
    base,
    head,
    branch,
    snapshots: true,
    ordinary,
    facts: scopeOf(facts),
  } as const;
  writeRecord(layout, record);
  const workspace = openPrepared(dependencies, { mode, source, directory: request.directory, branch });
  return { workspace, source, connected: origin.repository !== null };
}

async function originOf(git: Git, request: RecreateRequest): Promise<Origin> {
  const origin = await foundOrigin(git, request);
  return request.source === undefined ? origin : { ...origin, mode: "copy", source: request.source };
}

async function foundOrigin(git: Git, { from }: RecreateRequest): Promise<Origin> {
  if (from.kind === "workspace") {
    const layout = layoutOf(from.directory);
    const record = readRecord(layout);
    const { source, head, mode } = record;
    const repository = mode !== "copy" && fs.existsSync(source) ? userSource.findRepository(source) : null;
    const facts = factsOf(shadowPlace(layout, layout.tree), head, record.facts);
    // Work in the user's own files goes on in a private place.
    const own = mode === "in_place" ? (repository === null ? "copy" : "clone") : mode;
    return { mode: own, source, repository, included_from: source, facts };
  }
  const repository = userSource.findRepository(from.source);
  if (repository !== null && (await hasCommit(git, repository, from.facts.head)))
    return { mode: "clone", source: repository.top, repository, included_from: repository.top, facts: from.facts };
  const source = fs.realpathSync(from.source);
  return { mode: "copy", source, repository: null, included_from: source, facts: { ...from.facts, head: null } };
}

async function hasCommit(git: Git, repository: userSource.UserRepository, head: string | null): Promise<boolean> {
  if (head === null) return false;
  try {
    await userSource.requireSupported(git, repository);
    await userSource.resolveRevision(git, repository, head);
    return true;
  } catch (error) {
    if (error instanceof HarnessError && (error.kind === "usage" || error.kind === "repo_unsupported")) return false;
    throw error;
  }
}

async function bringObjects({ git, request, layout, origin }: Making): Promise<void> {
  const { from, signal, branch } = request;
  const common = origin.repository?.common_dir ?? null;
  const shallow = common === null ? null : readIfThere(join(common, "shallow"));
  const exclude = common === null ? null : readIfThere(join(common, "info/exclude"));
  const bare = { kind: "bare", head: `refs/heads/${branch}`, alternates: [], shallow, exclude } as const;
  writeGitDirectory({ ...bare, path: layout.objects_git });
  writeGitDirectory({ ...bare, path: layout.shadow_git });
  fs.chmodSync(layout.shadow_git, 0o700);
  fs.writeFileSync(join(layout.shadow_git, RULES_FILE), Buffer.from(origin.facts.rules, "latin1"), { mode: 0o600 });
  const objects = join(layout.objects_git, "objects");
  if (from.kind === "workspace")
    return linkObjects(join(layoutOf(from.directory).objects_git, "objects"), objects, signal);
  if (common !== null) await linkObjects(join(common, "objects"), objects, signal);
  if (from.path !== null) await takePack(git, layout, from.path);
}

/** Every object is looked at by git before the pack can be read: its names, its form, and that it is what it is called. */
async function takePack(git: Git, layout: Layout, from: string): Promise<void> {
  const objects = join(layout.objects_git, "objects");
  const path = join(objects, "pack", `pack-${packName(from)}.pack`);
  fs.copyFileSync(from, path, fs.constants.COPYFILE_FICLONE);
  try {
    await git({ repository: { git_dir: layout.objects_git, objects }, args: ["index-pack", "--fsck-objects", path] });
  } catch (cause) {
    if (!(cause instanceof HarnessError) || cause.kind !== "git_failed") throw cause;
    const happened = `The objects of the session's files are damaged: ${cause.happened}`;
    throw new HarnessError("archive_invalid", happened, "Nothing was stored; export the session again.", { cause });
  }
}

function packName(path: string): string {
  const fd = fs.openSync(path, "r");
  try {
    const name = Buffer.alloc(PACK_NAME_BYTES);
    fs.readSync(fd, name, 0, PACK_NAME_BYTES, Math.max(0, fs.fstatSync(fd).size - PACK_NAME_BYTES));
    return name.toString("hex");
  } finally {
    fs.closeSync(fd);
  }
}

function scopeOf({ submodules, ignored_but_tracked, sparse }: WorkspaceFacts): ScopeFacts {
  // Written from byte paths, one character for each byte.
  return {
    submodules: submodules as readonly BytePath[],
    ignored_but_tracked: ignored_but_tracked as readonly BytePath[],
    sparse: sparse as readonly BytePath[],
  };
}

async function bringFiles(dependencies: WorkspaceDependencies, making: Making): Promise<void> {
  const { git, request, layout, place, ordinary, origin } = making;
  const { limits } = dependencies;
  const facts = { ...scopeOf(origin.facts), sparse: [] };
  const shadow = new Shadow({ git, place, limits, ordinary, facts, signal: request.signal });
  await shadow.seed([]);
  await restoreTree(git, shadow, request.tree, "open");
  await shadow.settled();
  const commit = await branchStart(making, dependencies.clock.now());
  const path = writeAgentRepository({ layout, ordinary, branch: request.branch, commit, index: place.index });
  if (origin.repository === null) return;
  await copyReferences(git, origin.repository, path);
  await bringIncluded(git, { ...place, work_tree: origin.included_from }, shadow.rules, layout.tree, limits);
}

/** The other one's branch where all of it is here; else a commit of what the work started from. */
async function branchStart({ git, request, place, origin }: Making, date_ms: number): Promise<string | null> {
  const { commit, base } = request;
  if (commit !== null && (await isWhole(git, place, commit))) return commit;
  const { plain } = await splitTree(git, place, base);
  const { head } = origin.facts;
  if (head === null && plain === EMPTY_TREE) return null;
  if (head !== null && (await treeOf(git, place, head)) === plain) return head;
  const message = head === null ? COPY_MESSAGE : UNCOMMITTED_MESSAGE;
  return writeCommit(place.objects, { tree: plain, parent: head, message, date_ms });
}

/** With all its history, as far as history goes. */
async function isWhole(git: Git, place: ShadowPlace, commit: string): Promise<boolean> {
  const args = ["rev-list", "--objects", "--quiet", "--stdin"];
  const input = Buffer.from(`${commit}\n`);
  return (await git({ repository: place, args, input, codes: [1, 128] })).code === 0;
}

async function treeOf(git: Git, place: ShadowPlace, commit: string): Promise<ObjectName | null> {
  const args = ["rev-parse", "--verify", "--quiet", `${commit}^{tree}`];
  const answer = await git({ repository: place, args, codes: [1, 128] });
  return answer.code === 0 ? lineOf(answer) : null;
}
