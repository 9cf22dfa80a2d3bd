/**
 * What the memories of a project are kept under. The same for every clone of a repository: the hash of its first commit; where there is
 * none, or a shallow clone hides it, the hash of the directory's path. What a directory was called once it stays, in this store.
 */
import { existsSync, realpathSync } from "node:fs";
import { basename, join } from "node:path";
import { hashOf } from "../kernel/envelope.ts";
import { HarnessError } from "../kernel/harness-error.ts";
import { LOCAL_TENANT } from "../kernel/ids.ts";
import type { Cells } from "../store/cells.ts";
import { createGit, forUserRepository, lineOf } from "../workspace/git/git.ts";
import { findRepository, type UserRepository } from "../workspace/prepare/source.ts";

const PREFIX = "memory.project:";
/** Characters of a hash: 128 bits. */
const HASH_CHARS = 32;
/** A long history is walked once per directory. Milliseconds; without an answer the path counts. */
const LIMIT_MS = 10_000;
const PATH_DEFAULT = "/usr/local/bin:/usr/bin:/bin";
const LOCALE = "C.UTF-8";
/** Directories that are listed. */
const PROJECTS_MAX = 1_000;

export interface Project {
  readonly project: string;
  /** The last part of its directory, for people. */
  readonly name: string;
}

/** @param directory anywhere below the project; it exists */
export async function projectKey(
  store: Cells,
  { directory, path = PATH_DEFAULT }: { readonly directory: string; readonly path?: string | undefined },
): Promise<string> {
  const repository = findRepository(directory);
  const top = repository?.top ?? realpathSync(directory);
  const key = `${PREFIX}${hashOf(top).slice(0, HASH_CHARS)}`;
  const cell = await store.readCell(LOCAL_TENANT, key);
  const known = projectIn(cell.value);
  if (known !== null) return known.project;
  const first = repository === null ? null : await firstCommit(repository, path);
  const project =
    first === null ? `dir-${hashOf(top).slice(0, HASH_CHARS)}` : `git-${hashOf(first).slice(0, HASH_CHARS)}`;
  const value = JSON.stringify({ project, name: basename(top) } satisfies Project);
  // Another process that was first came to the same.
  await store.writeCell({ tenant: LOCAL_TENANT, key, expected: cell.version, value });
  return project;
}

/** Every project that this store has seen, each once. */
export async function knownProjects(store: Cells): Promise<readonly Project[]> {
  const cells = await store.listCells(LOCAL_TENANT, PREFIX, PROJECTS_MAX);
  const each = cells.flatMap(({ value }) => projectIn(value) ?? []);
  return [...new Map(each.map((one) => [one.project, one])).values()];
}

function projectIn(value: string | null): Project | null {
  if (value === null) return null;
  try {
    const { project, name } = JSON.parse(value) as Partial<Project>; // written above; a cell that was lost is written anew
    return project === undefined || name === undefined ? null : { project, name };
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

async function firstCommit(repository: UserRepository, path: string): Promise<string | null> {
  if (existsSync(join(repository.common_dir, "shallow"))) return null;
  try {
    const git = forUserRepository(createGit({ path, locale: LOCALE }));
    const args = ["rev-list", "--max-parents=0", "--first-parent", "HEAD"];
    const answer = await git({ repository: { git_dir: repository.git_dir }, args, codes: [128], limit_ms: LIMIT_MS });
    const first = answer.code === 0 ? lineOf(answer) : "";
    return /^[0-9a-f]{40}$/.test(first) ? first : null;
  } catch (error) {
    if (error instanceof HarnessError && (error.kind === "git_failed" || error.kind === "git_missing")) return null;
    throw error;
  }
}
