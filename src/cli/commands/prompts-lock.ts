/** `belay prompts lock` and `check`: accepting the prompts as they are, and failing where one is not as accepted. */
import {
  isSame,
  keyOf,
  LOCK_FILE,
  type LockDifference,
  lockDifference,
  type LockedPrompt,
  lockText,
} from "../../context/prompt-lock.ts";
import { HarnessError } from "../../kernel/harness-error.ts";
import { EXIT_TABLE } from "../../kernel/outcome.ts";
import { builtInTools } from "../../tool/registry.ts";
import { workflowCommand } from "../ci-github.ts";
import type { Face } from "../face.ts";
import { presentPrompts, type ProjectPrompts, type UnreadablePrompt } from "../project-prompts.ts";
import { readLockFile, requireLockFile, writeLockFile } from "../prompt-lock-file.ts";
import { plural } from "../view/format.ts";
import { paintFor } from "../view/paint.ts";
import { safeLine } from "../view/safe-text.ts";

export interface CheckOptions {
  readonly json?: true;
}

const REMEDY =
  "Look at it with `belay prompts diff`, accept it with `belay prompts lock`, and commit belay.prompts.lock.";
/** Prompts that a line names. */
const NAMED_MAX = 5;

export async function lockPrompts({ json }: CheckOptions, face: Face): Promise<number> {
  const project = presentPrompts(face.cwd, builtInTools());
  if (project.unreadable.length > 0) throw unlockable(project.unreadable);
  const before = lockedBefore(project.top);
  writeLockFile(project.top, lockText(project.prompts));
  const difference = lockDifference(before ?? [], project.prompts);
  const { notes, prompts } = project;
  if (json === true) face.out.json(JSON.stringify({ file: LOCK_FILE, prompts: prompts.length, ...difference, notes }));
  else {
    for (const line of differenceLines(before === null ? lockDifference([], []) : difference, face))
      face.out.line(line);
    face.out.line(
      `${LOCK_FILE}: ${plural(prompts.length, "prompt")} locked${before !== null && isSame(difference) ? ", as before" : ""}`,
    );
    for (const note of notes) face.err.line(`belay: ${safeLine(note)}`);
  }
  return 0;
}

export async function checkPrompts({ json }: CheckOptions, face: Face): Promise<number> {
  const project = presentPrompts(face.cwd, builtInTools());
  const difference = lockDifference(requireLockFile(project.top), lockable(project));
  const { unreadable, notes } = project;
  const equal = isSame(difference) && unreadable.length === 0;
  if (json === true) face.out.json(JSON.stringify({ equal, ...difference, unreadable, notes }));
  else {
    for (const line of checkLines(project, difference, face)) face.out.line(line);
    for (const note of notes) face.err.line(`belay: ${safeLine(note)}`);
  }
  return equal ? EXIT_TABLE.completed.code : EXIT_TABLE.verification_failed.code;
}

/** What cannot be read is no removal: it is said by itself. */
function lockable({
  prompts,
  unreadable,
  top,
}: ProjectPrompts): readonly Pick<LockedPrompt, "kind" | "name" | "hash">[] {
  if (unreadable.length === 0) return prompts;
  const there = new Set(unreadable.map(keyOf));
  return [...prompts, ...requireLockFile(top).filter((one) => there.has(keyOf(one)))];
}

/** What is broken is made anew: that is what the command is for. */
function lockedBefore(top: string): readonly LockedPrompt[] | null {
  try {
    return readLockFile(top);
  } catch (error) {
    if (!(error instanceof HarnessError) || error.kind !== "config_invalid") throw error;
    return null;
  }
}

function checkLines(
  { prompts, unreadable }: ProjectPrompts,
  difference: LockDifference,
  face: Face,
): readonly string[] {
  if (isSame(difference) && unreadable.length === 0) return [`${plural(prompts.length, "prompt")} as locked.`];
  if (face.environment.ci?.github === true) return [...annotations(difference, unreadable), REMEDY];
  const paint = paintFor(face.out.colors);
  return [
    ...differenceLines(difference, face),
    ...unreadable.map(({ kind, name, why }) => paint.red(safeLine(`! ${kind} ${name} cannot be read: ${why}`))),
    REMEDY,
  ];
}

function differenceLines({ changed, added, removed }: LockDifference, { out }: Face): readonly string[] {
  const paint = paintFor(out.colors);
  return [
    ...changed.map((one) => paint.yellow(safeLine(`~ ${keyOf(one)} changed`))),
    ...added.map((one) => paint.green(safeLine(`+ ${keyOf(one)} is new`))),
    ...removed.map((one) => paint.red(safeLine(`- ${keyOf(one)} is gone`))),
  ];
}

function annotations(
  { changed, added, removed }: LockDifference,
  unreadable: readonly UnreadablePrompt[],
): readonly string[] {
  const one = (prompt: Pick<LockedPrompt, "kind" | "name">, what: string): string => {
    const own = prompt.kind === "system" || prompt.kind === "tool";
    return workflowCommand("error", `${keyOf(prompt)} ${what}. ${REMEDY}`, {
      title: "a prompt is not as locked",
      file: own ? LOCK_FILE : prompt.name,
    });
  };
  return [
    ...changed.map((prompt) => one(prompt, "changed")),
    ...added.map((prompt) => one(prompt, "is new")),
    ...removed.map((prompt) => one(prompt, "is gone")),
    ...unreadable.map((prompt) => one(prompt, `cannot be read: ${prompt.why}`)),
  ];
}

function unlockable(unreadable: readonly UnreadablePrompt[]): HarnessError {
  const named = unreadable.slice(0, NAMED_MAX).map(({ name, why }) => `${name} (${why})`);
  const more = unreadable.length - named.length;
  return new HarnessError(
    "config_invalid",
    `Nothing was locked, because a prompt cannot be read: ${named.join(", ")}${more > 0 ? ` and ${more} more` : ""}.`,
    "Mend or remove it, or leave it out of `prompts` in .belay/settings.json.",
  );
}
