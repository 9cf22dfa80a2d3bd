/**
 * Answers to questions that a run left behind: from any process, at any time, while nobody drives the session.
 *
 * W1: an answer is for exactly the call that was shown: its hash is that of the question and that of the call as it stands.
 * W2: a question is answered once. It is written under the session's lease, so of two answers one comes first and the other is told.
 * W3: nothing is run here. The next run of the session does what was allowed.
 */
import { isUnknown } from "../kernel/fold.ts";
import { HarnessError } from "../kernel/harness-error.ts";
import { LOCAL_TENANT, type SessionId, type ToolCallId } from "../kernel/ids.ts";
import type { SessionState } from "../kernel/state.ts";
import { loadSession, readEvents } from "../store/journal.ts";
import type { Store } from "../store/port.ts";
import { answerDrafts, approvalHash, isWaiting, waitingCalls } from "./ask.ts";
import type { ApprovalAnswer, Host } from "./host.ts";
import { claimSession, openForWriting } from "./session.ts";

/** How long a yes that is given beforehand counts, in milliseconds. What runs later than that is asked about again. */
export const APPROVAL_KEPT_MS: number = 24 * 3_600_000;

/** When a person was asked, in milliseconds since the epoch; null where the journal does not say. */
export async function askedAt(store: Store, state: SessionState, id: ToolCallId): Promise<number | null> {
  return (await questionOf(store, state, id))?.at ?? null;
}

async function questionOf(
  store: Store,
  { tenant, session, batch }: SessionState,
  id: ToolCallId,
): Promise<{ readonly at: number; readonly hash: string } | null> {
  const call = batch.find(({ part }) => part.call === id);
  if (call === undefined) return null;
  let found: { readonly at: number; readonly hash: string } | null = null;
  for await (const event of readEvents(store, tenant, session, call.asked_seq))
    if (!isUnknown(event) && event.kind === "ApprovalRequested" && event.data.call === id)
      found = { at: event.at, hash: event.data.hash };
  return found;
}

export interface ApprovalCommand {
  readonly session: SessionId;
  readonly call: ToolCallId;
  readonly answer: ApprovalAnswer;
  /** Of the call that the person saw. */
  readonly hash: string;
}

/**
 * Writes the answer into the journal.
 * @returns how many calls of the session still wait
 * @throws HarnessError `usage` when the call does not wait (any more) or is another one by now, `lease_held` while somebody
 *         drives the session or answers, `session_not_found`
 */
export async function answerApproval(host: Host, command: ApprovalCommand): Promise<number> {
  const { session, call: id, answer, hash } = command;
  const { row } = await loadSession(host.store, LOCAL_TENANT, session);
  const lease = await claimedFor(host, command);
  const { journal } = await openForWriting(host, lease, row.place);
  try {
    const { state } = journal;
    const call = state.batch.find(({ part }) => part.call === id);
    if (call === undefined || !isWaiting(state, call)) throw notWaiting(command, state);
    const asked = await questionOf(host.store, state, id);
    if (asked === null || asked.hash !== hash || approvalHash(call.part) !== hash) throw changed(command);
    await journal.append(answerDrafts(call, answer, (await host.store.now()) + APPROVAL_KEPT_MS));
    return waitingCalls(journal.state).length;
  } finally {
    await journal.close();
  }
}

/** W2. */
async function claimedFor(host: Host, { session, call }: ApprovalCommand): ReturnType<typeof claimSession> {
  try {
    return await claimSession(host, session);
  } catch (error) {
    if (!(error instanceof HarnessError) || error.kind !== "lease_held") throw error;
    throw new HarnessError(
      "lease_held",
      `Call ${call} was not answered: another process is at work on session ${session}.`,
      "It may be answering it now: `belay approvals` says what still waits.",
      { cause: error },
    );
  }
}

function notWaiting({ session, call }: ApprovalCommand, { approvals }: SessionState): HarnessError {
  const given = approvals[call];
  const why =
    given === "approved" || given === "denied"
      ? `it was ${given} already`
      : given === "asked"
        ? "the run went on without it"
        : `session ${session} asks nothing about it`;
  return new HarnessError(
    "usage",
    `Call ${call} does not wait for an answer: ${why}.`,
    "`belay approvals` lists what waits.",
  );
}

function changed({ call }: ApprovalCommand): HarnessError {
  return new HarnessError(
    "usage",
    `Call ${call} is not the one that was shown: it has changed since it was asked about.`,
    "Look at it again with `belay approvals`.",
  );
}
