/** Asks a person about a call. An approval is for exactly the name and input that were shown. */
import type { ToolUsePart } from "../kernel/content.ts";
import type { Draft } from "../kernel/events/index.ts";
import { hashOf } from "../kernel/envelope.ts";
import { HarnessError } from "../kernel/harness-error.ts";
import type { ToolCallId } from "../kernel/ids.ts";
import { canonicalJson } from "../kernel/json.ts";
import { findTool, inputOf, notRun, openCall } from "./judge-tools.ts";
import type { Drive } from "./run.ts";

/** How long an answer counts, in milliseconds. It is used at once; the bound is for a crash in between. */
const APPROVAL_MS = 10 * 60_000;

export async function askPerson(calls: readonly ToolCallId[], run: Drive): Promise<readonly Draft[]> {
  const { prompter, clock, tools } = run.host;
  if (prompter === null) {
    throw new HarnessError(
      "sandbox_missing",
      "A command waits for approval and nobody is there to ask.",
      "Resume at a terminal, install a sandbox, or say --no-sandbox.",
    );
  }
  const drafts: Draft[] = [];
  for (const id of calls) {
    const call = openCall(run.state(), id);
    const { part } = call;
    const hash = approvalHash(part);
    await run.record([{ kind: "ApprovalRequested", data: { call: id, hash } }]);
    const tool = findTool(tools, part.name);
    const title = tool?.title(inputOf(call, tool, run)) ?? part.name;
    const question = { session: run.state().session, part, title, reason: "there is no sandbox" };
    const { approved, by } = await prompter.ask(question, run.signal);
    drafts.push({
      kind: "ApprovalGiven",
      actor: "user",
      data: { call: id, approved, by, hash, expiry: clock.now() + APPROVAL_MS },
    });
    if (!approved) drafts.push(notApproved(id));
  }
  return drafts;
}

/** An approval is for exactly this. */
export function approvalHash({ name, input }: ToolUsePart): string {
  return hashOf(canonicalJson({ name, input }));
}

export function notApproved(call: ToolCallId): Draft {
  const say = "The user said no. Do not try the same again; choose another way or ask in your answer.";
  return notRun(call, "denied", say);
}
