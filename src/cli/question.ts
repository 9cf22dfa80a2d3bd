/**
 * Asking a person at the terminal.
 *
 * Q1: nothing that was typed before a question was seen is an answer to it, not even the beginning of a line.
 * Q2: anything but a clear yes is a no.
 * Q3: what is approved was shown whole; `always` shows the rule and its file, and is asked once more, before it is written.
 */
import { createInterface } from "node:readline/promises";
import type { Writable } from "node:stream";
import type { ApprovalAnswer, ApprovalQuestion, BudgetQuestion, Prompter } from "../engine/host.ts";
import { HarnessError } from "../kernel/harness-error.ts";
import { systemClock } from "../host/system-clock.ts";
import type { Face } from "./face.ts";
import type { RunOutput } from "./run-output.ts";
import { callLines, isReadable, SHOWN_CHARS_MAX } from "./view/approval-view.ts";
import { paintFor } from "./view/paint.ts";
import { safeLine } from "./view/safe-text.ts";

/** Whether a question can be put and answered. */
export function hasPerson({ stdin, out }: Face): boolean {
  return stdin.isTTY === true && out.isTerminal;
}

/** What was typed before a question was seen is no answer to it. How long is listened for it, in milliseconds. */
const TYPED_AHEAD_MS = 60;

/** How long a Ctrl+C takes at most until it has stopped the run. Milliseconds. */
const INTERRUPT_MS = 2_000;

/** How often one call is asked about before it counts as a no: a yes to `always` may be taken back, or its file not be writable. */
const ASKS_MAX = 5;
/** Characters of what a person tells the model. */
const REASON_CHARS_MAX = 2_000;

const PERSON = "the user at the terminal";
const CTRL_C = 3;

export interface AskOptions {
  readonly signal?: AbortSignal;
  /** Ctrl+C at the prompt; the answer is then empty. */
  readonly onInterrupt?: () => void;
  /** Where the question is put. Absent: standard output. */
  readonly output?: Writable;
}

/** One line of an answer to a question of one or more lines; empty when there is none (end of input, Ctrl+C, or the signal). */
export async function askLine(
  { stdin }: Pick<Face, "stdin">,
  question: string,
  { signal, onInterrupt, output = process.stdout }: AskOptions = {},
): Promise<string> {
  if (await discardTypedAhead(stdin)) {
    onInterrupt?.();
    return "";
  }
  // Only the last line is the prompt: it is drawn anew with every key.
  const last = question.lastIndexOf("\n") + 1;
  output.write(question.slice(0, last));
  const lines = createInterface({ input: stdin, output, terminal: true });
  lines.on("SIGINT", () => {
    lines.close();
    onInterrupt?.();
  });
  const closed = new Promise<string>((resolve) => {
    lines.once("close", () => {
      resolve("");
    });
  });
  let answered = false;
  const answer = lines.question(question.slice(last), signal ? { signal } : {}).then((line) => {
    answered = true;
    return line;
  });
  try {
    return await Promise.race([closed, answer]);
  } catch (error) {
    if (error instanceof Error && error.name === "AbortError") return "";
    throw error;
  } finally {
    lines.close();
    // Enter ends the question's line; nothing else does.
    if (!answered) output.write("\n");
  }
}

/** Q1. A terminal hands over a line that is not yet ended only in raw mode. @returns whether there was a Ctrl+C among it */
async function discardTypedAhead(stdin: Face["stdin"]): Promise<boolean> {
  let interrupted = false;
  const discard = (typed: Buffer | string): void => {
    if (Buffer.from(typed).includes(CTRL_C)) interrupted = true;
  };
  setRaw(stdin, true);
  stdin.on("data", discard);
  await systemClock.sleep(TYPED_AHEAD_MS);
  stdin.off("data", discard);
  stdin.pause();
  setRaw(stdin, false);
  return interrupted;
}

function setRaw(stdin: Face["stdin"] & { readonly setRawMode?: (raw: boolean) => unknown }, raw: boolean): void {
  if (stdin.isTTY === true) stdin.setRawMode?.(raw);
}

export interface PrompterPlace {
  /** Where answers are typed: the terminal, unless a test has one of its own. */
  readonly output?: Writable;
  /** Writes a rule into the user's settings and names the file. Absent: it is written where the face's settings are. */
  readonly remember?: (rule: string) => Promise<{ readonly path: string }>;
}

type AskOne = (question: string) => Promise<string>;

/** Puts the engine's questions, one at a time. Q2. */
export function createPrompter(face: Face, output: Pick<RunOutput, "pause">, place: PrompterPlace = {}): Prompter {
  const asking = async <T>(signal: AbortSignal, work: (ask: AskOne) => Promise<T>): Promise<T> => {
    output.pause(true);
    let interrupted = false;
    try {
      const answer = await work(async (question) => {
        if (interrupted || signal.aborted) return "";
        const line = await askLine(face, question, {
          ...(place.output === undefined ? {} : { output: place.output }),
          signal,
          // as everywhere: it stops the run
          onInterrupt: () => {
            interrupted = true;
            process.kill(process.pid, "SIGINT");
          },
        });
        return line.trim();
      });
      // It is no answer: the run stops, and not because somebody said no.
      if (interrupted) await systemClock.sleep(INTERRUPT_MS, signal);
      return answer;
    } finally {
      output.pause(false);
    }
  };
  return {
    ask: (question, signal) => asking(signal, (ask) => askAbout(question, { face, ask, place })),
    askBudget: (question, signal) =>
      asking(signal, async (ask) => ({ approved: isYes(await ask(budgetText(question, face))), by: PERSON })),
  };
}

interface Asking {
  readonly face: Face;
  readonly ask: AskOne;
  readonly place: PrompterPlace;
}

const NO: ApprovalAnswer = { answer: "no", by: PERSON, reason: null, rule: null };

async function askAbout(question: ApprovalQuestion, { face, ask, place }: Asking): Promise<ApprovalAnswer> {
  const { suggestion } = question;
  if (!isReadable(question.part)) return { ...NO, by: "belay", reason: TOO_LONG };
  let shown = questionText(question, face);
  for (let asks = 0; asks < ASKS_MAX; asks++) {
    const said = (await ask(`${shown}${answersText(suggestion)}`)).toLowerCase();
    if (isYes(said)) return { ...NO, answer: "once" };
    if (said === "r" || said === "reason") return { ...NO, reason: reasonOf(await ask("  What to tell the model: ")) };
    if (suggestion === null) return NO;
    if (said === "s" || said === "session") return { ...NO, answer: "session", rule: suggestion };
    if (said !== "a" && said !== "always") return NO;
    const { written, why } = await askAlways(suggestion, { face, ask, place });
    if (written) return { ...NO, answer: "always", rule: suggestion };
    shown = why === null ? "" : `  ${why}\n`;
  }
  return NO;
}

const TOO_LONG = `The call is too long for a person to read (more than ${SHOWN_CHARS_MAX} characters). Make it shorter: write long text to a file, in pieces.`;

/** Q3. */
async function askAlways(
  rule: string,
  { face, ask, place }: Asking,
): Promise<{ readonly written: boolean; readonly why: string | null }> {
  const { userSettingsPath } = await import("./settings-file.ts");
  const { home } = face.environment;
  const where = `  This goes to permissions.allow in ${safeLine(userSettingsPath(home))}, for all sessions from now on:\n    ${safeLine(rule)}\n`;
  if (!isYes(await ask(`${where}  Write it? [y/N] `))) return { written: false, why: null };
  try {
    const { rememberRule } = await import("./remember-rule.ts");
    await (place.remember?.(rule) ?? rememberRule(home, rule));
    return { written: true, why: null };
  } catch (error) {
    if (!(error instanceof HarnessError)) throw error;
    return { written: false, why: safeLine(error.message) };
  }
}

function isYes(said: string): boolean {
  return /^y(es)?$/i.test(said);
}

function reasonOf(said: string): string | null {
  return said === "" ? null : said.slice(0, REASON_CHARS_MAX);
}

function budgetText({ title }: BudgetQuestion, { out }: Face): string {
  const paint = paintFor(out.colors);
  return `${paint.yellow("?")} ${paint.bold("Budget")}: ${safeLine(title)}.\n  Go on? [y] go on / [n] stop: `;
}

function questionText(question: ApprovalQuestion, { out }: Face): string {
  const paint = paintFor(out.colors);
  const lines = callLines(question, { paint, columns: out.columns() });
  return `${paint.yellow("?")} ${paint.bold(safeLine(question.part.name))} wants to run:\n${lines.join("\n")}\n`;
}

function answersText(suggestion: string | null): string {
  const remembered = suggestion === null ? "" : `[s] for this session, [a] always (rule: ${safeLine(suggestion)})\n  `;
  return `  Allow it? [y] once / ${remembered}[n] no / [r] no, and say why: `;
}
