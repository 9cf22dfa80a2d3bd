/** Collects the ignore files of a tree as it stands, for `freezeRules`. Runs git with belay's own git directory only. */
import { lstatSync, readdirSync } from "node:fs";
import { absoluteBytes, type BytePath, joinPath, splitNul } from "../byte-path.ts";
import type { Git, GitRepository } from "../git/git.ts";
import { IGNORE_FILE_BYTES_MAX, IGNORE_FILE_NAME, type IgnoreFile, isIgnoreFile } from "./ignore-rules.ts";
import { isSystemError, RootedDirectory } from "../files/rooted.ts";

/** How deep directories that hold nothing but ignored files are searched for rules of their own. */
const DEPTH_MAX = 32;

/** `repository.git_dir/info/exclude` counts too; `repository.index` says what is tracked. */
export async function collectIgnoreFiles(
  git: Git,
  repository: GitRepository & { readonly work_tree: string },
): Promise<readonly IgnoreFile[]> {
  const [listed, ignored] = await Promise.all([
    git({ repository, args: ["ls-files", "-z", "-c", "-o", "--exclude-standard"] }),
    git({ repository, args: ["ls-files", "-z", "-o", "-i", "--directory", "--exclude-standard"] }),
  ]);
  const outside = splitNul(ignored.output);
  const paths = new Set([...splitNul(listed.output), ...outside].filter(isIgnoreFile));
  const directories = outside.filter((path) => path.endsWith("/"));
  for (const path of await selfIgnoring(git, repository, directories)) paths.add(path);
  const files = new RootedDirectory(repository.work_tree);
  return [...paths].flatMap((path) => {
    const found = files.readFile(path, IGNORE_FILE_BYTES_MAX);
    return found === null ? [] : [{ path, content: found.content }];
  });
}

/**
 * A directory whose own rules ignore all that it holds, themselves included (virtual environments and caches do that), is
 * listed as ignored although no rule above names it. Those that a rule above names need no rules of their own.
 */
async function selfIgnoring(
  git: Git,
  repository: GitRepository & { readonly work_tree: string },
  directories: readonly BytePath[],
): Promise<readonly BytePath[]> {
  const found: BytePath[] = [];
  let level = directories.map((path) => path.slice(0, -1) as BytePath); // a part of a byte path is one
  for (let depth = 0; level.length > 0 && depth < DEPTH_MAX; depth++) {
    // With `./` in front, so that no name is taken for pathspec magic.
    const asked = (path: BytePath): string => `./${path}/`;
    const input = Buffer.from(level.map((path) => `${asked(path)}\0`).join(""), "latin1");
    const { output } = await git({ repository, args: ["check-ignore", "-z", "--stdin"], input, codes: [1] });
    const named = new Set<string>(splitNul(output));
    const unnamed = level.filter((path) => !named.has(asked(path)));
    found.push(...unnamed.map((path) => joinPath(path, IGNORE_FILE_NAME)));
    level = unnamed.flatMap((path) => directoriesIn(repository.work_tree, path));
  }
  return found;
}

function directoriesIn(root: string, path: BytePath): readonly BytePath[] {
  try {
    const directory = absoluteBytes(root, path);
    if (!lstatSync(directory).isDirectory()) return [];
    return readdirSync(directory, { withFileTypes: true, encoding: "latin1" })
      .filter((entry) => entry.isDirectory() && entry.name !== ".git")
      .map((entry) => joinPath(path, entry.name));
  } catch (error) {
    if (isSystemError(error, "ENOENT", "ENOTDIR", "EACCES", "EPERM")) return [];
    throw error;
  }
}
