/** Which of the earlier runs are most like a task: a rule that can be said in one line, and the runs that it picks. Pure. */

/** Of an earlier run, what is compared. */
export interface EarlierRun {
  readonly title: string;
  /** Root of the repository or directory it was about. */
  readonly source: string;
  /** As its configuration names it, without the provider. */
  readonly model: string;
}

export interface Sought {
  readonly task: string;
  readonly source: string;
  readonly model: string;
}

export interface Picked<R> {
  readonly rule: Rule;
  /** Most alike first; of equal ones as they were given. */
  readonly runs: readonly R[];
}

/** How much of the smaller of two sets of words must be in the other for the tasks to be alike. */
export const SIMILARITY_MIN = 0.5;
/** Fewer runs than this say little: a wider rule is tried, and quantiles come with a warning. */
export const RUNS_WANTED = 5;
/** The most alike are enough. */
export const RUNS_MAX = 50;

/** From the narrowest to the widest. The first that picks `RUNS_WANTED` counts, else the widest. */
const RULES = [
  { text: "similar tasks in this directory with this model", alike: true, here: true, same_model: true },
  { text: "similar tasks with this model", alike: true, here: false, same_model: true },
  { text: "tasks in this directory with this model", alike: false, here: true, same_model: true },
  { text: "tasks with this model", alike: false, here: false, same_model: true },
  { text: "similar tasks in this directory, with any model", alike: true, here: true, same_model: false },
  { text: "tasks in this directory, with any model", alike: false, here: true, same_model: false },
  { text: "all tasks, with any model", alike: false, here: false, same_model: false },
] as const;

export type Rule = (typeof RULES)[number]["text"];

export function similarRuns<R extends EarlierRun>(earlier: readonly R[], sought: Sought): Picked<R> {
  const words = wordsOf(sought.task);
  const scored = earlier.map((run) => ({ run, score: likeness(words, wordsOf(run.title)) }));
  const picked = RULES.map(({ text, alike, here, same_model }) => ({
    rule: text,
    runs: scored
      .filter(({ run, score }) => (!alike || score >= SIMILARITY_MIN) && (!here || run.source === sought.source))
      .filter(({ run }) => !same_model || (sought.model ?? run.model) === run.model)
      .sort((a, b) => b.score - a.score)
      .slice(0, RUNS_MAX)
      .map(({ run }) => run),
  }));
  const enough = picked.find(({ runs }) => runs.length >= RUNS_WANTED);
  const widest = picked.at(-1) ?? { rule: RULES[0].text, runs: [] };
  return enough ?? widest;
}

/** Words without meaning for what a task is about. */
const STOP_WORDS = new Set(
  "a an and are as at be by for from i in into is it its my of on or our please so that the this to up use was we with you your".split(
    " ",
  ),
);
const WORD_CHARS_MIN = 2;

/** Lower case, without accents and endings of plurals. */
export function wordsOf(text: string): ReadonlySet<string> {
  const plain = text.normalize("NFKD").replaceAll(/\p{M}/gu, "").toLowerCase();
  const words = plain.split(/[^\p{L}\p{N}]+/u).map((word) => (word.length > 3 ? word.replace(/(?<!s)s$/, "") : word));
  return new Set(words.filter((word) => word.length >= WORD_CHARS_MIN && !STOP_WORDS.has(word)));
}

/** The overlap of two sets, from 0 to 1: what they share, of the smaller one. */
function likeness(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  const smaller = Math.min(a.size, b.size);
  if (smaller === 0) return 0;
  return [...a].filter((word) => b.has(word)).length / smaller;
}
