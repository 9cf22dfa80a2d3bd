/** The settings files of a project as they were in a commit. Nothing of the repository's is run: git only hands out bytes. */
import { HarnessError } from "../kernel/harness-error.ts";
import type { PermissionRule } from "../kernel/permissions.ts";
import type { Standing } from "../policy/audit/rule-difference.ts";
import { createGit, type Git, lineOf } from "../workspace/git/git.ts";
import { findRepository, type UserRepository } from "../workspace/prepare/source.ts";
import { saidInClaudes } from "./claude-settings.ts";
import { type FoundSaid, saidInBelays } from "./found-settings.ts";
import { FILE_BYTES_MAX, parseProjectSettings } from "./settings-file.ts";

/** Each call reads a few objects. Milliseconds. */
const LIMIT_MS = 10_000;
const LOCALE = "C.UTF-8";
const PATH_DEFAULT = "/usr/local/bin:/usr/bin:/bin";
const NO_SUCH = 128;

/** What a project can say itself, the strongest first. In a commit all of it is the project's. */
const FILES = [
  [".belay/settings.local.json", "belay"],
  [".claude/settings.local.json", "claude"],
  [".belay/settings.json", "belay"],
  [".claude/settings.json", "claude"],
] as const;

export interface CommitStanding {
  /** All of its hash. */
  readonly commit: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly standing: Standing;
  /** Files that could not be read as settings then: sentences. */
  readonly notes: readonly string[];
}

/** @param path PATH of the environment @throws HarnessError `usage` */
export async function standingAt(cwd: string, revision: string, path: string = PATH_DEFAULT): Promise<CommitStanding> {
  const repository = findRepository(cwd);
  if (repository === null)
    throw new HarnessError(
      "usage",
      `${cwd} is in no git repository, so it has no commit ${revision}.`,
      "Give a day instead.",
    );
  const git = createGit({ path, locale: LOCALE });
  const { commit, at } = await commitOf(git, repository, revision);
  const notes: string[] = [];
  const said: FoundSaid[] = [];
  for (const [file, dialect] of FILES) {
    const text = await textIn(git, repository, commit, file);
    if (text === null) continue;
    try {
      said.push(dialect === "belay" ? saidInBelays(parseProjectSettings(file, text), file) : saidInClaudes(text, file));
    } catch (error) {
      if (!(error instanceof HarnessError) || error.kind !== "config_invalid") throw error;
      notes.push(`${file} could not be used at that commit: ${error.message}`);
    }
  }
  return { commit, at, standing: joined(said), notes };
}

/** What a project's files say together, whoever trusts them. */
export function joined(said: readonly FoundSaid[]): Standing {
  const rules = said.flatMap((one) =>
    one.rules.map(({ behavior, rule }): PermissionRule => ({ behavior, rule, source: "project" })),
  );
  return {
    rules: [...new Map(rules.map((rule) => [JSON.stringify(rule), rule])).values()],
    grants: [...new Map(said.flatMap(({ grants }) => grants).map((grant) => [grant.id, grant])).values()],
    mode: said.find(({ mode }) => mode !== null)?.mode ?? null,
    domains: [...new Set(said.flatMap(({ domains }) => domains))],
  };
}

async function commitOf(
  git: Git,
  repository: UserRepository,
  revision: string,
): Promise<{ readonly commit: string; readonly at: number }> {
  const call = { repository: { git_dir: repository.git_dir }, limit_ms: LIMIT_MS } as const;
  const found = await git({
    ...call,
    args: ["rev-parse", "--verify", "--quiet", "--end-of-options", `${revision}^{commit}`],
    codes: [1, NO_SUCH],
  });
  const commit = lineOf(found);
  if (found.code !== 0 || !/^[0-9a-f]{40,64}$/.test(commit))
    throw new HarnessError(
      "usage",
      `There is no commit ${revision} in ${repository.top}.`,
      "Give another, or a day such as 2026-11-01.",
    );
  const text = (await git({ ...call, args: ["cat-file", "commit", commit] })).output.toString("utf8");
  const seconds = /^committer .*> (\d+) [+-]\d{4}$/m.exec(text)?.[1];
  return { commit, at: Number(seconds ?? 0) * 1000 };
}

/** Null where the commit has no such file, or one that is too large to be settings. */
async function textIn(git: Git, repository: UserRepository, commit: string, file: string): Promise<string | null> {
  const call = { repository: { git_dir: repository.git_dir }, limit_ms: LIMIT_MS, codes: [NO_SUCH] } as const;
  const size = await git({ ...call, args: ["cat-file", "-s", `${commit}:${file}`] });
  if (size.code !== 0 || Number(lineOf(size)) > FILE_BYTES_MAX) return null;
  const blob = await git({ ...call, args: ["cat-file", "blob", `${commit}:${file}`] });
  return blob.code === 0 ? blob.output.toString("utf8").replace(/^\uFEFF/, "") : null;
}
