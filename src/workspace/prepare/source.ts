/**
 * The user's repository as it stands: where it is, what its HEAD names, what kind it is. Found by looking at files; git is
 * asked only for what plumbing answers without acting on the repository's configuration (W1, W2).
 */
import * as fs from "node:fs";
import { dirname, isAbsolute, join, resolve } from "node:path";
import { HarnessError } from "../../kernel/harness-error.ts";
import { forUserRepository, type Git, type GitRepository, lineOf } from "../git/git.ts";
import { readIfThere } from "../git/link-objects.ts";
import { isSystemError } from "../files/rooted.ts";

export interface UserRepository {
  /** The top of its working tree, absolute, without links. */
  readonly top: string;
  /** Its git directory; a linked worktree's own one. */
  readonly git_dir: string;
  /** Where objects and branches are: the same but for linked worktrees. */
  readonly common_dir: string;
}

export interface UserHead {
  /** Null without commits. */
  readonly commit: string | null;
  /** Such as `refs/heads/main`; null when detached. */
  readonly reference: string | null;
}

/** The repository that holds `directory`, or null. Never throws for a directory that merely has none. */
export function findRepository(directory: string): UserRepository | null {
  for (let at = fs.realpathSync(directory); ; at = dirname(at)) {
    const git_dir = gitDirectoryAt(join(at, ".git"));
    if (git_dir !== null) return { top: at, git_dir, common_dir: commonDirectory(git_dir) };
    if (dirname(at) === at) return null;
  }
}

/** The git directory that a `.git` is or names. */
function gitDirectoryAt(path: string): string | null {
  const named = readIfThere(path)?.toString("utf8");
  const git_dir = named === undefined ? path : linkedDirectory(path, named);
  return git_dir !== null && isGitDirectory(git_dir) ? fs.realpathSync(git_dir) : null;
}

function linkedDirectory(path: string, content: string): string | null {
  const target = /^gitdir: (.+?)\n*$/s.exec(content)?.[1];
  if (target === undefined) return null;
  return isAbsolute(target) ? target : resolve(dirname(path), target);
}

function commonDirectory(git_dir: string): string {
  const named = readIfThere(join(git_dir, "commondir"))?.toString("utf8").trim();
  return named === undefined ? git_dir : fs.realpathSync(isAbsolute(named) ? named : resolve(git_dir, named));
}

/** What git itself looks for: HEAD, and objects here or in a common directory. */
export function isGitDirectory(path: string): boolean {
  if (!exists(join(path, "HEAD"))) return false;
  return exists(join(path, "commondir")) || (exists(join(path, "objects")) && exists(join(path, "refs")));
}

function exists(path: string): boolean {
  try {
    fs.lstatSync(path);
    return true;
  } catch (error) {
    if (isSystemError(error, "ENOENT", "ENOTDIR", "ELOOP")) return false;
    throw error;
  }
}

export const ofUser = (repository: UserRepository): GitRepository => ({ git_dir: repository.git_dir });

export async function readHead(git: Git, repository: UserRepository): Promise<UserHead> {
  const ask = forUserRepository(git);
  const [commit, reference] = await Promise.all([
    ask({ repository: ofUser(repository), args: ["rev-parse", "--verify", "--quiet", "HEAD"], codes: [1] }),
    ask({ repository: ofUser(repository), args: ["symbolic-ref", "--quiet", "HEAD"], codes: [1] }),
  ]);
  return {
    commit: commit.code === 0 ? lineOf(commit) : null,
    reference: reference.code === 0 ? lineOf(reference) : null,
  };
}

/** Throws `repo_unsupported`, with the reason, for repositories that cannot be cloned faithfully. */
export async function requireSupported(git: Git, repository: UserRepository): Promise<void> {
  const args = ["rev-parse", "--show-object-format"];
  const answer = await forUserRepository(git)({ repository: ofUser(repository), args, codes: [128] });
  if (answer.code !== 0) {
    const happened = `git does not understand the repository ${repository.top}: its format is damaged or newer than git.`;
    throw new HarnessError("repo_unsupported", happened, "Update git, or repair the repository.");
  }
  const format = lineOf(answer);
  if (format !== "sha1") {
    const happened = `The repository ${repository.top} names its objects by ${format}, belay by sha1.`;
    throw new HarnessError("repo_unsupported", happened, "Work in a repository of the common format.");
  }
}

export interface Reference {
  readonly commit: string;
  readonly name: string;
}

/** Branches and tags: what the agent may want to compare with. */
export async function readReferences(git: Git, repository: UserRepository): Promise<readonly Reference[]> {
  const args = ["for-each-ref", "--format=%(objectname) %(refname)", "refs/heads", "refs/tags"];
  const { output } = await forUserRepository(git)({ repository: ofUser(repository), args });
  return output
    .toString("utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => ({ commit: line.slice(0, 40), name: line.slice(41) }));
}

/** The commit that a revision names. Throws `usage` when it names none. */
export async function resolveRevision(git: Git, repository: UserRepository, revision: string): Promise<string> {
  const args = ["rev-parse", "--verify", "--quiet", "--end-of-options", `${revision}^{commit}`];
  const answer = await forUserRepository(git)({ repository: ofUser(repository), args, codes: [1, 128] });
  if (answer.code === 0) return lineOf(answer);
  const happened = `"${revision.slice(0, 200)}" names no commit of ${repository.top}.`;
  throw new HarnessError("usage", happened, "Name a branch, a tag or a commit with --base.");
}
