/**
 * Asks a person about a call, or leaves the question for one who is not there now. An approval is for exactly the name and input
 * that were shown.
 *
 * A1: where nobody is there and nobody will be (`on_ask: prompt` without a terminal), the answer is a structured no.
 * A2: where somebody will be (`on_ask: wait`), the question is journaled and the run ends; no process waits.
 */
import type { ToolUsePart } from "../kernel/content.ts";
import type { Draft } from "../kernel/events/index.ts";
import { hashOf } from "../kernel/envelope.ts";
import type { SessionId, ToolCallId } from "../kernel/ids.ts";
import { canonicalJson } from "../kernel/json.ts";
import type { SessionState, ToolCall } from "../kernel/state.ts";
import type { ApprovalAnswer, ApprovalQuestion } from "./host.ts";
import { inputOf, notRun, openCall } from "./judge-tools.ts";
import { withMemoryTexts } from "./memory/texts.ts";
import type { Drive } from "./run.ts";
import { calledTool } from "./tool-list.ts";

/** How long an answer at the terminal counts, in milliseconds. It is used at once; the bound is for a crash in between. */
const APPROVAL_MS = 10 * 60_000;

export async function askPerson(calls: readonly ToolCallId[], run: Drive): Promise<readonly Draft[]> {
  if (run.config().permissions.on_ask === "wait") return calls.map((id) => requested(id, run));
  const drafts: Draft[] = [];
  for (const id of calls) {
    const { prompter } = run.host;
    if (prompter === null || run.config().permissions.on_ask === "deny") {
      drafts.push(notRun(id, "denied", nobodyIsThere(openCall(run.state(), id))));
      continue;
    }
    await run.record([requested(id, run)]);
    const answer = await prompter.ask(await questionOf(id, run), run.signal);
    drafts.push(...answerDrafts(openCall(run.state(), id), answer, run.host.clock.now() + APPROVAL_MS));
  }
  return drafts;
}

function requested(id: ToolCallId, run: Drive): Draft {
  const call = openCall(run.state(), id);
  return {
    kind: "ApprovalRequested",
    data: { call: id, hash: approvalHash(call.part), title: titleOf(call, run), reason: call.judged?.reason ?? "" },
  };
}

async function questionOf(id: ToolCallId, run: Drive): Promise<ApprovalQuestion> {
  const call = openCall(run.state(), id);
  const waiting = waitingCall(run.state(), call);
  const { session, reason, rule, sources } = waiting;
  const part = await withMemoryTexts(waiting.part, run.host.store, run.state());
  return { session, part, title: titleOf(call, run), reason, rule, sources, suggestion: await suggestionFor(waiting) };
}

/** A call that waits for a person. */
export interface WaitingCall {
  readonly session: SessionId;
  readonly call: ToolCallId;
  readonly part: ToolUsePart;
  /** SHA-256 of the tool's name and input. */
  readonly hash: string;
  readonly reason: string;
  readonly rule: string | null;
  /** Where text of strangers came from, when that is why. */
  readonly sources: readonly string[];
}

export function waitingCall({ session, label }: SessionState, { part, judged }: ToolCall): WaitingCall {
  const sources = judged?.sink == null ? [] : [...label.untrusted, ...label.secret].map(({ what }) => what);
  return {
    session,
    call: part.call,
    part,
    hash: approvalHash(part),
    reason: judged?.reason ?? "it has to be asked about",
    rule: judged?.rule?.rule ?? null,
    sources,
  };
}

/** A narrow rule that would cover the call; null where none may be remembered. */
export async function suggestionFor({ part, rule, sources }: WaitingCall): Promise<string | null> {
  // What a label or a rule asks about, another rule does not allow.
  if (sources.length > 0 || rule !== null) return null;
  const { suggestRule } = await import("../policy/rules/suggest.ts");
  return suggestRule({ tool: part.name, input: part.input });
}

/** Of the calls under way in a session those that somebody was asked about and nobody answered yet, in order. */
export function waitingCalls(state: SessionState): readonly WaitingCall[] {
  return state.batch.filter((call) => isWaiting(state, call)).map((call) => waitingCall(state, call));
}

/** Whether somebody was asked about the call and has not answered. */
export function isWaiting({ approvals }: SessionState, { part, result }: ToolCall): boolean {
  return result === null && approvals[part.call] === "asked";
}

function titleOf(call: ToolCall, run: Drive): string {
  const { tool } = calledTool(call.part, run.host.tools);
  return tool?.title(inputOf(call, tool, run)) ?? call.part.name;
}

/** What an answer comes to, as events of one append. @param expiry milliseconds since the epoch */
export function answerDrafts(call: ToolCall, answer: ApprovalAnswer, expiry: number): readonly Draft[] {
  const { answer: said, by, reason, rule } = answer;
  const approved = said !== "no";
  const id = call.part.call;
  const given: Draft = {
    kind: "ApprovalGiven",
    actor: "user",
    data: {
      call: id,
      approved,
      by,
      hash: approvalHash(call.part),
      expiry,
      reason,
      remember: said === "session" || said === "always" ? said : "once",
    },
  };
  if (!approved) return [given, notApproved(id, reason)];
  if (rule === null || said === "once") return [given];
  return [
    given,
    {
      kind: "PermissionRuleAdded",
      actor: "user",
      data: { rule: { behavior: "allow", rule, source: "session" }, by },
    },
  ];
}

/** An approval is for exactly this. */
export function approvalHash({ name, input }: ToolUsePart): string {
  return hashOf(canonicalJson({ name, input }));
}

export function notApproved(call: ToolCallId, reason: string | null): Draft {
  const why = reason === null ? "" : ` They say: ${reason}`;
  const say = `The user said no. Do not try the same again; choose another way or ask in your answer.${why}`;
  return notRun(call, "denied", say);
}

function nobodyIsThere({ judged }: ToolCall): string {
  return `Denied: ${judged?.reason ?? "it has to be asked about"}, and nobody is there to ask. Choose another way, or say in your answer what is needed.`;
}
