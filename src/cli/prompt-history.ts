/** Texts of a project's files as they were, found in its repository by their hash. Nothing of the repository's is run. */
import { createHash } from "node:crypto";
import { HarnessError } from "../kernel/harness-error.ts";
import { createGit, type GitAnswer, lineOf } from "../workspace/git/git.ts";
import { findRepository } from "../workspace/prepare/source.ts";
import { PROMPT_BYTES_MAX } from "./project-prompts.ts";

/** Milliseconds of one call of git. */
const LIMIT_MS = 10_000;
/** Files that are looked for, and commits that changed one that are looked at, the last ones. */
const FILES_MAX = 50;
const COMMITS_MAX = 30;
const NO_SUCH = 128;
const LOCALE = "C.UTF-8";
const PATH_DEFAULT = "/usr/local/bin:/usr/bin:/bin";

/** @param path PATH of the environment @returns by hash; those that are not found are absent */
export async function committedTexts(
  top: string,
  wanted: readonly { readonly name: string; readonly hash: string }[],
  path: string = PATH_DEFAULT,
): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  const repository = findRepository(top);
  if (repository === null) return found;
  const git = createGit({ path, locale: LOCALE });
  const asked = (args: readonly string[]): Promise<GitAnswer> =>
    git({ repository: { git_dir: repository.git_dir }, args, codes: [NO_SUCH], limit_ms: LIMIT_MS });
  const blobAt = async (commit: string, name: string): Promise<Buffer | null> => {
    const size = await asked(["cat-file", "-s", `${commit}:${name}`]);
    if (size.code !== 0 || Number(lineOf(size)) > PROMPT_BYTES_MAX) return null;
    const blob = await asked(["cat-file", "blob", `${commit}:${name}`]);
    return blob.code === 0 ? blob.output : null;
  };
  try {
    for (const { name, hash } of wanted.slice(0, FILES_MAX)) {
      const list = ["rev-list", `--max-count=${COMMITS_MAX}`, "HEAD", "--", `:(top,literal)${name}`];
      const commits = (await asked(list)).output.toString("utf8").split("\n").filter(isCommit);
      for (const commit of commits) {
        const bytes = await blobAt(commit, name);
        if (bytes === null || createHash("sha256").update(bytes).digest("hex") !== hash) continue;
        found.set(hash, bytes.toString("utf8").replace(/^\uFEFF/, ""));
        break;
      }
    }
  } catch (error) {
    // Then they are not found, which is said by whoever needs one.
    if (!(error instanceof HarnessError) || (error.kind !== "git_failed" && error.kind !== "git_missing")) throw error;
  }
  return found;
}

function isCommit(line: string): boolean {
  return /^[0-9a-f]{40,64}$/.test(line);
}
