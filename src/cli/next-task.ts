/** `belay run --next` and `--task-file`: another task in a session, with a fresh conversation; and tasks that stand in a file. */
import { accessSync } from "node:fs";
import { resolve } from "node:path";
import { textPart } from "../kernel/content.ts";
import { QUEUE_TOOL } from "../kernel/continuity.ts";
import { HarnessError } from "../kernel/harness-error.ts";
import { nanoDollars } from "../kernel/money.ts";
import type { SessionState } from "../kernel/state.ts";
import { totalTokens } from "../kernel/usage.ts";
import type { Face } from "./face.ts";
import { readSettings } from "./resolved-settings.ts";
import { MINUTE_MS, type RunOptions } from "./settings.ts";
import { resumeTask, runTask } from "./start.ts";
import { readTask, type Task, taskOf } from "./task.ts";
import { filesOf, requireTask } from "./task-file/load.ts";
import type { TaskFile } from "./task-file/schema.ts";
import { type Spent, taskOptions, taskText } from "./task-file/task-run.ts";

export interface NextOptions extends RunOptions {
  readonly next?: true;
  /** With `--next`: another one than the last of this directory. */
  readonly session?: string;
  readonly taskFile?: string;
}

export interface NextRequest {
  readonly words: readonly string[];
  readonly options: NextOptions;
  readonly face: Face;
  readonly debug: boolean;
}

/** @returns the exit code */
export async function runNext({ words, options, face, debug }: NextRequest): Promise<number> {
  const cwd = directoryOf(face, options);
  const { taskFile } = options;
  if (taskFile !== undefined && words.length > 0)
    throw new HarnessError("usage", "Both a task and --task-file were said.", "Say one of them.");
  if (options.next !== true) {
    const file = await requireTask(taskFile ?? "", { cwd, settings: readSettings(face.environment.home) });
    const task = await taskOfFile(file, options, cwd);
    return runTask({ words: [], options: taskOptions(file, options), face, debug, task });
  }
  return resumeTask({
    id: options.session,
    cwd,
    options,
    face,
    debug,
    next: async (state) => {
      if (taskFile === undefined) return { task: await nextOf(words, state, { face, cwd, options }), options };
      const file = await requireTask(taskFile, { cwd, settings: readSettings(face.environment.home) });
      return { task: await taskOfFile(file, options, cwd), options: taskOptions(file, options, spentBy(state)) };
    },
  });
}

export async function taskOfFile(file: TaskFile, { file: named = [] }: RunOptions, cwd: string): Promise<Task> {
  return taskOf(taskText(file), cwd, [...(await filesOf(file, cwd)), ...named]);
}

/** What a session has used: the limits of its next task come on top. */
export function spentBy(state: SessionState): Spent {
  const { turn, active_ms, usage, unknown_tokens, priced_cost, unknown_cost } = state;
  return {
    turns: turn,
    minutes: Math.ceil(active_ms / MINUTE_MS),
    tokens: totalTokens(usage) + unknown_tokens,
    cost: nanoDollars(priced_cost + unknown_cost),
  };
}

/** The words, or else the next item. */
async function nextOf(
  words: readonly string[],
  state: SessionState,
  { face, cwd, options: { file = [] } }: { readonly face: Face; readonly cwd: string; readonly options: RunOptions },
): Promise<Task> {
  if (words.length > 0) return readTask({ words, stdin: face.stdin, cwd, files: file });
  const item = await nextItem(state, cwd, file);
  if (item !== null) return item;
  throw new HarnessError(
    "usage",
    `Nothing is left in the list of session ${state.session}, and no task was said.`,
    'Say what is next: belay run --next "write the changelog".',
  );
}

/**
 * The first item of the session's own list that is not done; null for none. The model wrote it, perhaps because strangers told it to: it
 * is no word of the user's (an address in it opens nothing) and no mention of a file.
 */
export async function nextItem(
  { continuity, label }: Pick<SessionState, "continuity" | "label">,
  cwd: string,
  files: readonly string[] = [],
): Promise<Task | null> {
  const item = continuity.queue.find(({ status }) => status !== "done");
  if (item === undefined) return null;
  const { parts, ...task } = await taskOf(NEXT_ITEM, cwd, files);
  const [said, ...more] = parts;
  const own = label.untrusted.length > 0 ? { untrusted: true as const } : {};
  const written = textPart(item.text, { from: "model", by: QUEUE_TOOL, ...own });
  return { ...task, parts: [...(said === undefined ? [] : [said]), written, ...more] };
}

/** What the user says with `--next` alone. */
const NEXT_ITEM = "Do the next item of your list, which follows as you wrote it:";

/** @throws HarnessError `usage` */
export function directoryOf({ cwd }: Pick<Face, "cwd">, options: Pick<RunOptions, "cwd">): string {
  const directory = resolve(cwd, options.cwd ?? ".");
  try {
    accessSync(directory);
    return directory;
  } catch (cause) {
    throw new HarnessError("usage", `${directory} is no directory.`, "Correct --cwd.", { cause });
  }
}
