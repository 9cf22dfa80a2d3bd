/** Asking a person at the terminal. */
import { createInterface } from "node:readline/promises";
import type { Writable } from "node:stream";
import type { ApprovalQuestion, BudgetQuestion, Prompter } from "../engine/host.ts";
import type { Face } from "./face.ts";
import type { RunOutput } from "./run-output.ts";
import { systemClock } from "../host/system-clock.ts";
import { paintFor } from "./view/paint.ts";
import { safeLine, safeText } from "./view/safe-text.ts";

/** Whether a question can be put and answered. */
export function hasPerson({ stdin, out }: Face): boolean {
  return stdin.isTTY === true && out.isTerminal;
}

/** What was typed before a question was seen is no answer to it. How long is listened for it, in milliseconds. */
const TYPED_AHEAD_MS = 60;

/** How long a Ctrl+C takes at most until it has stopped the run. Milliseconds. */
const INTERRUPT_MS = 2_000;

export interface AskOptions {
  readonly signal?: AbortSignal;
  /** Ctrl+C at the prompt; the answer is then empty. */
  readonly onInterrupt?: () => void;
  /** Where the question is put. Absent: standard output. */
  readonly output?: Writable;
}

/** One line of an answer; empty when there is none (end of input, Ctrl+C, or the signal). */
export async function askLine(
  { stdin }: Face,
  question: string,
  { signal, onInterrupt, output = process.stdout }: AskOptions = {},
): Promise<string> {
  await discardTypedAhead(stdin);
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
  const answer = lines.question(question, signal ? { signal } : {}).then((line) => {
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

async function discardTypedAhead(stdin: Face["stdin"]): Promise<void> {
  const discard = (): void => undefined;
  stdin.on("data", discard);
  await systemClock.sleep(TYPED_AHEAD_MS);
  stdin.off("data", discard);
  stdin.pause();
}

/** Where answers are typed: the terminal, unless a test has one of its own. */
export interface PrompterPlace {
  readonly output?: Writable;
}

/** Puts the engine's questions, one at a time. Anything but a clear yes is a no. */
export function createPrompter(face: Face, output: Pick<RunOutput, "pause">, place: PrompterPlace = {}): Prompter {
  const ask = async (question: string, signal: AbortSignal): ReturnType<Prompter["ask"]> => {
    output.pause(true);
    let interrupted = false;
    try {
      const answer = await askLine(face, question, {
        ...place,
        signal,
        // as everywhere: it stops the run
        onInterrupt: () => {
          interrupted = true;
          process.kill(process.pid, "SIGINT");
        },
      });
      // It is no answer: the run stops, and not because somebody said no.
      if (interrupted) await systemClock.sleep(INTERRUPT_MS, signal);
      return { approved: /^y(es)?$/i.test(answer.trim()), by: "the user at the terminal" };
    } finally {
      output.pause(false);
    }
  };
  return {
    ask: (question, signal) => ask(questionText(question, face), signal),
    askBudget: (question, signal) => ask(budgetText(question, face), signal),
  };
}

function budgetText({ title }: BudgetQuestion, { out }: Face): string {
  const paint = paintFor(out.colors);
  return `${paint.yellow("?")} ${paint.bold("Budget")}: ${safeLine(title)}.\n  Go on? [y] go on / [n] stop: `;
}

function questionText({ part, title, reason }: ApprovalQuestion, { out }: Face): string {
  const paint = paintFor(out.colors);
  const command = typeof part.input["command"] === "string" ? safeText(part.input["command"]) : safeLine(title);
  const shown = command.split("\n").map((line) => `    ${line}`);
  return `${paint.yellow("?")} ${paint.bold(safeLine(part.name))} wants to run (${safeLine(reason)}):\n${shown.join("\n")}\n  Allow it? [y/N] `;
}
