/** The facts about the workspace that stand in front of the task. Small, and after the stable prefix. */
import { type TextPart, textPart } from "../kernel/content.ts";
import { neutralise } from "../kernel/neutralise.ts";
import type { WorkspaceMode } from "../kernel/config.ts";
import { textTokens } from "../kernel/bound.ts";

/** The whole note. What matters least is left out first; the end of a long directory stays. */
export const ENVIRONMENT_TOKENS_MAX = 120;
const FACT_CHARS_MAX = 60;
const DIRECTORY_CHARS_MAX = 120;

const KIND: { readonly [M in WorkspaceMode]: string } = {
  clone: "a private clone of the user's git repository, with their uncommitted work",
  copy: "a private copy of the user's directory",
  in_place: "the user's own directory",
};

/** What whoever starts a session found cheaply; nothing that could be a secret. Null is not known. */
export interface EnvironmentFacts {
  /** `Linux 6.8, x64` */
  readonly system: string | null;
  /** What commands run in: `bash`. */
  readonly shell: string | null;
  /** The user's branch. */
  readonly branch: string | null;
  /** How far their tree is from its last commit. */
  readonly status: { readonly changed: number; readonly untracked: number } | null;
}

/**
 * @param date ISO day (`2026-01-31`)
 * @param directory where the user stands in the project, relative; empty for its root
 */
export function environmentNote(
  mode: WorkspaceMode,
  date: string,
  directory: string,
  facts: EnvironmentFacts | null = null,
): TextPart {
  const wanted = [machineLine(facts), gitLine(facts), branchLine(facts)];
  // From all facts to none: the branch alone stands in for branch and state.
  const choices = [[wanted[0], wanted[1]], [wanted[0], wanted[2]], [wanted[0]], []];
  const notes = choices.map((lines) => note(mode, date, directory, lines));
  const text = notes.find((one) => textTokens(one) <= ENVIRONMENT_TOKENS_MAX) ?? notes.at(-1) ?? "";
  return textPart(text, { from: "belay", by: "environment" });
}

function note(
  mode: WorkspaceMode,
  date: string,
  directory: string,
  facts: readonly (string | null | undefined)[],
): string {
  const standing =
    directory === "" ? null : `The user stands in its directory ${named(directory, DIRECTORY_CHARS_MAX)}.`;
  const lines = [`The workspace is ${KIND[mode]}.`, standing, ...facts, `Today is ${date}.`];
  return `<environment>\n${lines.filter((one) => one !== null && one !== undefined).join("\n")}\n</environment>`;
}

function machineLine(facts: EnvironmentFacts | null): string | null {
  const { system = null, shell = null } = facts ?? {};
  const known = [system, shell === null ? null : `commands run in ${named(shell, FACT_CHARS_MAX)}`];
  const said = known.flatMap((one, i) => (one === null ? [] : [i === 0 ? named(one, FACT_CHARS_MAX) : one]));
  return said.length === 0 ? null : `${said.join("; ")}.`;
}

function gitLine(facts: EnvironmentFacts | null): string | null {
  const branch = branchLine(facts);
  if (branch === null || facts?.status == null) return branch;
  const { changed, untracked } = facts.status;
  const state =
    changed + untracked === 0 ? "clean" : `${String(changed)} files changed, ${String(untracked)} untracked`;
  return `${branch.slice(0, -1)}, ${state}.`;
}

function branchLine(facts: EnvironmentFacts | null): string | null {
  return facts?.branch == null ? null : `The user's branch: ${named(facts.branch, FACT_CHARS_MAX)}.`;
}

/** Whoever made it may have named it. Of a long one the end stays. */
function named(text: string, chars_max: number): string {
  const name = neutralise(text).text.replaceAll(/[\n<]/g, "?");
  return name.length <= chars_max ? name : `…${name.slice(1 - chars_max).toWellFormed()}`;
}
