/** `belay approve` and `belay deny`: shows the call whole, writes the answer, and lets the run go on when nothing else waits. */
import { answerApproval } from "../../engine/approve.ts";
import { suggestionFor, type WaitingCall } from "../../engine/ask.ts";
import type { ApprovalAnswer } from "../../engine/host.ts";
import { HarnessError } from "../../kernel/harness-error.ts";
import { createHost } from "../command-host.ts";
import type { Face } from "../face.ts";
import { askLine, hasPerson } from "../question.ts";
import { withStore } from "../session-choice.ts";
import { userSettingsPath } from "../settings-file.ts";
import { waitingCall } from "../waiting.ts";
import { callLines, isReadable, SHOWN_CHARS_MAX } from "../view/approval-view.ts";
import { plural } from "../view/format.ts";
import { paintFor } from "../view/paint.ts";
import { safeLine } from "../view/safe-text.ts";

export interface AnswerOptions {
  /** `--no-resume` makes it false. */
  readonly resume: boolean;
  readonly yes?: true;
}

export interface AnswerRequest {
  readonly id: string;
  readonly answer: ApprovalAnswer["answer"];
  /** What to tell the model with a no. */
  readonly reason: string | null;
  readonly options: AnswerOptions;
  readonly face: Face;
  readonly debug: boolean;
}

/** @returns the exit code of the run, where it went on */
export async function answerCall(request: AnswerRequest): Promise<number> {
  const { face, options, debug } = request;
  const answered = await withStore(face, async (store) => {
    const { call } = await waitingCall(store, request.id);
    const lines = callLines(call, { paint: paintFor(face.out.colors), columns: face.out.columns() });
    face.out.line(`${safeLine(call.part.name)} of session ${call.session} (${call.call}):`);
    for (const line of lines) face.out.line(line);
    const rule = await ruleOf(request, call);
    if (rule !== null) face.out.line(ruleText(request, rule));
    if (request.answer !== "no" && !(await isSure(request))) {
      face.out.line("Not approved; it still waits.");
      return null;
    }
    // What is remembered is in its file before the journal says so.
    if (request.answer === "always" && rule !== null) await remembered(rule, face);
    const host = createHost({ face, store, prompter: null });
    const answer: ApprovalAnswer = { answer: request.answer, by: BY, reason: request.reason, rule };
    const left = await answerApproval(host, { session: call.session, call: call.call, answer, hash: call.hash });
    face.out.line(`${request.answer === "no" ? "Denied" : "Approved"} ${call.call}.`);
    return { session: call.session, left };
  });
  if (answered === null) return 1;
  const { session, left } = answered;
  if (left > 0) {
    face.out.line(
      `${plural(left, "call")} of session ${session} still ${left === 1 ? "waits" : "wait"}: \`belay approvals\`.`,
    );
    return 0;
  }
  if (!options.resume) {
    face.out.line(`\`belay resume ${session}\` goes on.`);
    return 0;
  }
  const { resumeTask } = await import("../start.ts");
  return resumeTask({ id: session, options: { output: "text" }, face, debug });
}

const BY = "the user (belay approve)";

/** @throws HarnessError `usage` where the whole call cannot be read, or nothing narrow can be remembered of it */
async function ruleOf({ answer }: AnswerRequest, waiting: WaitingCall): Promise<string | null> {
  const { call, part } = waiting;
  if (answer !== "no" && !isReadable(part))
    throw new HarnessError(
      "usage",
      `Call ${call} has more than ${SHOWN_CHARS_MAX} characters: nobody can judge that.`,
      `Refuse it: \`belay deny ${call} --reason "write it to a file, in pieces"\`.`,
    );
  if (answer !== "session" && answer !== "always") return null;
  const suggestion = await suggestionFor(waiting);
  if (suggestion !== null) return suggestion;
  throw new HarnessError(
    "usage",
    `No rule that is narrow enough covers call ${call}, so nothing is remembered.`,
    "Approve this one call, without --session and --always.",
  );
}

function ruleText({ answer, face }: AnswerRequest, rule: string): string {
  return answer === "always"
    ? `  From now on allowed, in ${safeLine(userSettingsPath(face.environment.home))}: ${safeLine(rule)}`
    : `  Allowed as long as the session lasts: ${safeLine(rule)}`;
}

/** Where nobody is at a terminal, the command itself is the answer. */
async function isSure({ face, options }: AnswerRequest): Promise<boolean> {
  if (options.yes === true || !hasPerson(face)) return true;
  return /^y(es)?$/i.test((await askLine(face, "Approve exactly this? [y/N] ")).trim());
}

async function remembered(rule: string, face: Face): Promise<void> {
  const { rememberRule } = await import("../remember-rule.ts");
  const { path, added } = await rememberRule(face.environment.home, rule);
  face.out.line(
    added ? `Added ${safeLine(rule)} to ${safeLine(path)}.` : `${safeLine(path)} has ${safeLine(rule)} already.`,
  );
}
