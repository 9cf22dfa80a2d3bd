/** What git says of files of a repository that nobody trusts: plumbing that acts on nothing, bounded, and with no answer where it fails. */
import { HarnessError } from "../kernel/harness-error.ts";
import type { GitFacts } from "../extension/load.ts";
import { createGit, type GitAnswer, type GitCall } from "../workspace/git/git.ts";
import type { UserRepository } from "../workspace/prepare/source.ts";

/** Both read an index and a few small files. Where an ignore file is a pipe, git waits for ever. Milliseconds. */
const LIMIT_MS = 5_000;
const PATH_DEFAULT = "/usr/local/bin:/usr/bin:/bin";
const LOCALE = "C.UTF-8";

/** @param path PATH of the environment */
export function createGitFacts({ top, git_dir }: UserRepository, path: string = PATH_DEFAULT): GitFacts {
  const git = createGit({ path, locale: LOCALE });
  const repository = { git_dir, work_tree: top };
  const asked = async (call: Pick<GitCall, "args" | "input" | "codes">): Promise<GitAnswer | null> => {
    try {
      return await git({ ...call, repository, limit_ms: LIMIT_MS });
    } catch (error) {
      if (error instanceof HarnessError && (error.kind === "git_failed" || error.kind === "git_missing")) return null;
      throw error;
    }
  };
  return {
    isTracked: async (paths) => {
      // Above them, too: what lies in a submodule or behind a tracked link is the repository's as well.
      const above = [...new Set(paths.map((one) => one.split("/")[0] ?? one))];
      const args = ["ls-files", "-z", "-c", "--", ...above.map((one) => `:(top,literal,icase)${one}`)];
      const answer = await asked({ args });
      if (answer === null) return null;
      const tracked = new Set(namesIn(answer).map((name) => name.toLowerCase()));
      return new Set(paths.filter((one) => withAncestors(one.toLowerCase()).some((name) => tracked.has(name))));
    },
    isIgnored: async (paths) => {
      const input = Buffer.from(paths.map((one) => `./${one}\0`).join(""));
      const answer = await asked({ args: ["check-ignore", "-z", "--stdin"], input, codes: [1] });
      return answer === null ? null : new Set(namesIn(answer).map((name) => name.replace(/^\.\//, "")));
    },
  };
}

function namesIn({ output }: GitAnswer): readonly string[] {
  return output.toString("utf8").split("\0");
}

/** `a/b/c`: itself, `a/b` and `a`. */
function withAncestors(path: string): readonly string[] {
  const names = path.split("/");
  return names.map((_, i) => names.slice(0, names.length - i).join("/"));
}
