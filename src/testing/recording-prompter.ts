/**
 * A person who answers from a script: for tests of agents that ask before they act.
 *
 * P1: each question takes the next answer of the script; one past its end throws, naming the question.
 * P2: every question is kept as it was asked, with its answer, in order.
 * P3: `assertComplete` throws while answers are unused.
 */
import type { ApprovalAnswer, ApprovalQuestion, BudgetQuestion, Prompter } from "../engine/host.ts";
import { invariant } from "../kernel/harness-error.ts";
import { canonicalJson } from "../kernel/json.ts";

/**
 * `session` and `always` remember the rule that the question suggests, and allow this once where it suggests none. `silent`: does
 * not answer until the run is stopped.
 */
export type ScriptedAnswer =
  | ApprovalAnswer["answer"]
  | "silent"
  | { readonly no: string }
  | ((question: ApprovalQuestion) => Exclude<ScriptedAnswer, (question: ApprovalQuestion) => unknown>);

export interface RecordedQuestion {
  readonly question: ApprovalQuestion;
  /** Null until it was answered. */
  readonly answer: ApprovalAnswer | null;
}

export interface RecordingPrompterOptions {
  /** To every question whether to go on spending. Default yes. */
  readonly goOnSpending?: boolean;
  /** Who answers, as the journal names them. */
  readonly by?: string;
}

export class RecordingPrompter implements Prompter {
  readonly #script: readonly ScriptedAnswer[];
  readonly #goOnSpending: boolean;
  readonly #by: string;
  readonly #asked: RecordedQuestion[] = [];
  readonly #budget: BudgetQuestion[] = [];

  constructor(script: readonly ScriptedAnswer[], options: RecordingPrompterOptions = {}) {
    this.#script = script;
    this.#goOnSpending = options.goOnSpending ?? true;
    this.#by = options.by ?? "a scripted person";
  }

  /** Questions about calls, in order. */
  get asked(): readonly RecordedQuestion[] {
    return this.#asked;
  }

  /** Questions about money, in order. */
  get askedAboutBudget(): readonly BudgetQuestion[] {
    return this.#budget;
  }

  async ask(question: ApprovalQuestion, signal: AbortSignal): Promise<ApprovalAnswer> {
    const position = this.#asked.length;
    const step = this.#script[position];
    invariant(
      step !== undefined,
      `invariant P1: question ${position + 1} was asked, the script has ${this.#script.length} answer(s): ${question.part.name} ${canonicalJson(question.part.input)}`,
    );
    this.#asked.push({ question, answer: null });
    const said = typeof step === "function" ? step(question) : step;
    if (said === "silent") await aborted(signal);
    const answer = this.#answerOf(said, question);
    this.#asked[position] = { question, answer };
    return answer;
  }

  askBudget(question: BudgetQuestion): Promise<{ readonly approved: boolean; readonly by: string }> {
    this.#budget.push(question);
    return Promise.resolve({ approved: this.#goOnSpending, by: this.#by });
  }

  /** @throws InvariantError when answers are unused */
  assertComplete(): void {
    const left = this.#script.length - this.#asked.length;
    invariant(left <= 0, `invariant P3: ${left} answer(s) of the script are unused`);
  }

  #answerOf(
    said: Exclude<ScriptedAnswer, (question: ApprovalQuestion) => unknown>,
    { suggestion }: ApprovalQuestion,
  ): ApprovalAnswer {
    const of = { by: this.#by, reason: null, rule: null };
    if (typeof said === "object") return { ...of, answer: "no", reason: said.no };
    if (said === "silent") return { ...of, answer: "no" };
    if (said !== "session" && said !== "always") return { ...of, answer: said };
    return suggestion === null ? { ...of, answer: "once" } : { ...of, answer: said, rule: suggestion };
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
