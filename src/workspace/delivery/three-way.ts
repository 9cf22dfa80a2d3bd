/** Merges the text of three files with git's own merge, in a directory of belay's. */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Git, GitRepository } from "../git/git.ts";
import { hasCrlf, isCrlfThroughout, toCrlf, toLf } from "./line-endings.ts";

export interface ThreeTexts {
  readonly base: Buffer;
  /** The user's. */
  readonly ours: Buffer;
  /** The work's. */
  readonly theirs: Buffer;
}

/** git merge-file: exit codes are the number of conflicts; above is a failure, such as binary content. */
const CONFLICTS_MAX = 127;
const CONFLICT_CODES: readonly number[] = [...Array(CONFLICTS_MAX).keys()].map((n) => n + 1).concat(255);

/** Null when both sides changed the same lines, or one of the three is binary. The user's line endings win. */
export async function mergeTexts(
  git: Git,
  repository: GitRepository,
  directory: string,
  texts: ThreeTexts,
): Promise<Buffer | null> {
  const foreign = isCrlfThroughout(texts.ours) && !hasCrlf(texts.base) && !hasCrlf(texts.theirs);
  const ours = foreign ? toLf(texts.ours) : texts.ours;
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  try {
    writeFileSync(join(directory, "ours"), ours);
    writeFileSync(join(directory, "base"), texts.base);
    writeFileSync(join(directory, "theirs"), texts.theirs);
    const args = ["merge-file", "-p", "-q", "ours", "base", "theirs"];
    const answer = await git({ repository, cwd: directory, args, codes: CONFLICT_CODES });
    if (answer.code !== 0) return null;
    return foreign ? toCrlf(answer.output) : answer.output;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
