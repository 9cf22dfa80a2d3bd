/**
 * Commits on the session's branch. The agent owns `tree/.git` and may have done anything to it, so belay never runs git
 * there: commits are made in `objects.git`, which the agent's repository borrows from, and what is written into `.git`
 * (one reference, the index) goes through the race-free walk.
 *
 * B1: `objects.git` has the branch as belay left it; what the agent's repository says is used only when it is a commit.
 */
import { copyFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { joinPath, pathFromText } from "../byte-path.ts";
import { type Git, lineOf } from "./git.ts";
import { writeReference } from "./git-directory.ts";
import { readIfThere } from "./link-objects.ts";
import type { Layout } from "../layout.ts";
import { type ObjectName, readLooseObject, writeObject } from "./objects.ts";
import { isSystemError, type RootedDirectory } from "../files/rooted.ts";
import type { Shadow } from "../snapshot/shadow.ts";

const COMMIT_BYTES_MAX = 1024 * 1024;
const REFERENCE_BYTES_MAX = 4_096;
const PACKED_REFERENCES_BYTES_MAX = 16 * 1024 * 1024;
const COMMIT_NAME = /^[0-9a-f]{40}$/;
const GIT = pathFromText(".git");

export interface NewCommit {
  readonly tree: ObjectName;
  readonly parent: string | null;
  readonly message: string;
  readonly date_ms: number;
}

/** Writes a commit by belay; the parent need not be in this store. */
export function writeCommit(objects: string, commit: NewCommit): string {
  const who = `belay <belay@localhost> ${Math.floor(commit.date_ms / 1000)} +0000`;
  const lines = [
    `tree ${commit.tree}`,
    ...(commit.parent === null ? [] : [`parent ${commit.parent}`]),
    `author ${who}`,
    `committer ${who}`,
    "",
    `${commit.message.replaceAll("\0", "").trimEnd()}\n`,
  ];
  return writeObject(objects, "commit", Buffer.from(lines.join("\n")));
}

export interface BranchPlace {
  readonly git: Git;
  readonly layout: Layout;
  readonly shadow: Shadow;
  /** `belay/<session>`. */
  readonly branch: string;
}

/** Null when the branch has that tree already. */
export async function commitToBranch(
  place: BranchPlace,
  tree: ObjectName,
  message: string,
  date_ms: number,
): Promise<string | null> {
  const { layout, branch, shadow } = place;
  const tip = await readTip(place);
  if (tip?.tree === tree) return null;
  const parent = tip?.commit ?? null;
  const commit = writeCommit(shadow.place.objects, { tree, parent, message, date_ms });
  writeReference(layout.objects_git, `refs/heads/${branch}`, commit);
  await showInTree(place, tree, commit);
  return commit;
}

interface Tip {
  readonly commit: string;
  readonly tree: ObjectName;
}

/** B1. The branch as the agent's repository has it, or else as belay left it. */
async function readTip(place: BranchPlace): Promise<Tip | null> {
  const ours =
    readIfThere(join(place.layout.objects_git, "refs/heads", place.branch))
      ?.toString("latin1")
      .trim() ?? null;
  const theirs = readReference(place.shadow.files, place.branch);
  const candidates = [theirs, ours].filter((commit) => commit !== null && COMMIT_NAME.test(commit));
  for (const commit of new Set(candidates)) {
    const tree = readLooseCommitTree(place.shadow.files, commit ?? "") ?? (await treeOf(place, commit ?? ""));
    if (commit !== null && tree !== null) return { commit, tree };
  }
  return null;
}

function readReference(files: RootedDirectory, branch: string): string | null {
  const name = `refs/heads/${branch}`;
  const loose = files.readFile(joinPath(GIT, name), REFERENCE_BYTES_MAX)?.content.toString("latin1").trim();
  if (loose !== undefined) return loose;
  const packed = files.readFile(joinPath(GIT, "packed-refs"), PACKED_REFERENCES_BYTES_MAX)?.content.toString("latin1");
  const line = packed?.split("\n").find((entry) => entry.slice(41) === name);
  return line?.slice(0, 40) ?? null;
}

/** A commit that the agent made is a loose object (nothing packs them): read here, its name checked against its bytes. */
function readLooseCommitTree(files: RootedDirectory, commit: string): ObjectName | null {
  const path = joinPath(GIT, `objects/${commit.slice(0, 2)}/${commit.slice(2)}`);
  const file = files.readFile(path, COMMIT_BYTES_MAX);
  const content = file === null ? null : readLooseObject(file.content, "commit", commit, COMMIT_BYTES_MAX);
  return /^tree ([0-9a-f]{40})\n/.exec(content?.toString("latin1") ?? "")?.[1] ?? null;
}

async function treeOf(place: BranchPlace, commit: string): Promise<ObjectName | null> {
  const args = ["rev-parse", "--verify", "--quiet", `${commit}^{tree}`];
  const answer = await place.git({ repository: place.shadow.place, args, codes: [1, 128] });
  return answer.code === 0 ? lineOf(answer) : null;
}

/** Moves the agent's branch, and its index when it stands on that branch, so that `git status` there is clean. */
async function showInTree(place: BranchPlace, tree: ObjectName, commit: string): Promise<void> {
  const { files } = place.shadow;
  try {
    if (files.lstat(GIT)?.isDirectory() !== true) return; // it made something else of it: the commit is in our store
    files.replaceFile(joinPath(GIT, `refs/heads/${place.branch}`), Buffer.from(`${commit}\n`), 0o644);
    const head = files.readFile(joinPath(GIT, "HEAD"), REFERENCE_BYTES_MAX)?.content.toString("latin1").trim();
    if (head !== `ref: refs/heads/${place.branch}`) return;
    files.replaceFile(joinPath(GIT, "index"), await indexFor(place, tree), 0o644);
  } catch (error) {
    // The agent's own repository is broken or closed. What counts is in our store; `.git` is the agent's to repair.
    if (!isSystemError(error, "ENOTDIR", "ELOOP", "EISDIR", "EACCES", "ENOTEMPTY", "EEXIST", "ENOENT")) throw error;
  }
}

/** The shadow's index, which knows the files as they are, pointed at the tree. */
async function indexFor(place: BranchPlace, tree: ObjectName): Promise<Buffer> {
  await place.shadow.settled();
  const index = join(place.layout.shadow_git, "index-for-branch");
  copyFileSync(place.shadow.place.index, index);
  try {
    await place.git({ repository: { ...place.shadow.place, index }, args: ["read-tree", "-i", "-m", tree] });
    return readIfThere(index) ?? Buffer.alloc(0);
  } finally {
    rmSync(index, { force: true });
  }
}
