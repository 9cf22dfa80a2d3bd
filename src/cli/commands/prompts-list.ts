/** `belay prompts list`: every prompt of this directory, and whether it is what was locked. */
import { keyOf, type LockedPrompt, type LockDifference, lockDifference } from "../../context/prompt-lock.ts";
import { HarnessError } from "../../kernel/harness-error.ts";
import { builtInTools } from "../../tool/registry.ts";
import type { Face } from "../face.ts";
import { type PresentPrompt, presentPrompts, type ProjectPrompts } from "../project-prompts.ts";
import { readLockFile } from "../prompt-lock-file.ts";
import { safeLine } from "../view/safe-text.ts";
import { fittingTableLines } from "../view/table.ts";

export interface ListOptions {
  readonly json?: true;
}

type LockStatus = "locked" | "changed" | "not locked";

export const HASH_CHARS_SHOWN = 12;
/** Nobody looks at a table that is wider; programs take --json. */
const COLUMNS_WITHOUT_TERMINAL = 10_000;
const COLUMNS_MIN = 60;

interface Locked {
  /** Null: there is none. */
  readonly prompts: readonly LockedPrompt[] | null;
  readonly trouble: string | null;
}

export async function listPrompts({ json }: ListOptions, face: Face): Promise<number> {
  const project = presentPrompts(face.cwd, builtInTools());
  const locked = lockedBeside(project.top);
  const difference = lockDifference(locked.prompts ?? [], project.prompts);
  const status = statusIn(locked, difference);
  if (json === true) {
    const prompts = project.prompts.map((prompt) => ({ ...prompt, text: undefined, status: status(prompt) }));
    const { top, unreadable, notes } = project;
    const removed = difference.removed.map(({ kind, name, hash }) => ({ kind, name, hash }));
    face.out.json(JSON.stringify({ directory: top, prompts, unreadable, removed, lock: locked.trouble, notes }));
  } else for (const line of listLines(project, { locked, difference, status }, face)) face.out.line(line);
  return 0;
}

/** A broken lock file is no reason not to show what is there. */
function lockedBeside(top: string): Locked {
  try {
    return { prompts: readLockFile(top), trouble: null };
  } catch (error) {
    if (!(error instanceof HarnessError) || error.kind !== "config_invalid") throw error;
    return { prompts: null, trouble: `${error.happened} ${error.todo}` };
  }
}

function statusIn(locked: Locked, { changed, added }: LockDifference): (prompt: PresentPrompt) => LockStatus {
  const changes = new Set(changed.map(keyOf));
  const news = new Set(added.map(keyOf));
  return (prompt) => {
    if (locked.prompts === null || news.has(keyOf(prompt))) return "not locked";
    return changes.has(keyOf(prompt)) ? "changed" : "locked";
  };
}

interface Beside {
  readonly locked: Locked;
  readonly difference: LockDifference;
  readonly status: (prompt: PresentPrompt) => LockStatus;
}

function listLines(project: ProjectPrompts, { locked, difference, status }: Beside, { out }: Face): readonly string[] {
  const { prompts, unreadable, notes } = project;
  const columns = out.isTerminal ? Math.max(out.columns(), COLUMNS_MIN) : COLUMNS_WITHOUT_TERMINAL;
  const rows = [
    ...prompts.map((prompt) => [
      ...[prompt.kind, String(prompt.tokens), prompt.hash.slice(0, HASH_CHARS_SHOWN), status(prompt), prompt.source],
      safeLine(prompt.name),
    ]),
    ...unreadable.map(({ kind, name, why }) => [kind, "", "", "unreadable", "project", safeLine(`${name}: ${why}`)]),
    ...difference.removed.map(({ kind, name, hash }) => [
      ...[kind, "", hash.slice(0, HASH_CHARS_SHOWN), "removed", ""],
      safeLine(name),
    ]),
  ];
  const own = prompts.filter(({ source }) => source === "belay").reduce((sum, { tokens }) => sum + tokens, 0);
  return [
    ...fittingTableLines(["KIND", "TOKENS", "HASH", "LOCK", "SOURCE", "NAME"], rows, columns, [4, 2]),
    "",
    `System prompt and tools: about ${own} tokens in every request.`,
    ...(locked.trouble === null ? [] : [`note: ${safeLine(locked.trouble)}`]),
    ...(locked.prompts === null && locked.trouble === null
      ? ["note: nothing is locked: `belay prompts lock` accepts what is there."]
      : []),
    ...notes.map((note) => `note: ${safeLine(note)}`),
  ];
}
