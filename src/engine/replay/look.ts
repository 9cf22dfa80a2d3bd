/** A session as it was at a place of its journal: the folded state, or the request that was sent to the model there. */
import type { EventOf } from "../../kernel/events/index.ts";
import { emptyState, foldEvent, isUnknown } from "../../kernel/fold.ts";
import { HarnessError } from "../../kernel/harness-error.ts";
import { LOCAL_TENANT, type SessionId } from "../../kernel/ids.ts";
import type { SessionState } from "../../kernel/state.ts";
import type { ModelRequest } from "../../model/model.ts";
import { readEvents } from "../../store/journal.ts";
import type { SessionRow, Store } from "../../store/port.ts";
import type { Host } from "../host.ts";
import { knownPrompts } from "../pinned.ts";
import type { Prompt } from "../prompt.ts";
import { requestHash, requestOf } from "../request.ts";
import { noSession } from "../session.ts";

/** The state after event `seq`. @throws `session_not_found`, `usage`, `store_corrupt` */
export async function stateAt(store: Store, session: SessionId, seq: number): Promise<SessionState> {
  const row = await rowOf(store, session);
  let state = emptyState(row);
  for await (const event of readEvents(store, row.tenant, session)) {
    state = foldEvent(state, event);
    if (state.seq === seq) return state;
  }
  throw new HarnessError(
    "usage",
    `Session ${session} has ${state.seq} events; there is no event ${seq}.`,
    "Name one of them with --at.",
  );
}

/** A call of the model, counted over the session from 1, attempts included; or the first of a turn. */
export type WhichCall = { readonly call: number } | { readonly turn: number };

export interface ShownRequest {
  readonly session: SessionId;
  /** Of the event that announced it. */
  readonly seq: number;
  readonly call: number;
  readonly turn: number;
  readonly attempt: number;
  readonly provider: string;
  /** Whether what is shown has the hash that was recorded: then it is what was sent, secrets as tokens. */
  readonly as_sent: boolean;
  /** Whether system prompt and tool schemas are of the version that was sent; else they are not shown. */
  readonly prompt_as_sent: boolean;
  readonly request: Omit<ModelRequest, "system" | "tools"> & Partial<Pick<ModelRequest, "system" | "tools">>;
}

/** @throws `session_not_found`, `usage`, `store_corrupt` */
export async function requestAt(
  host: Pick<Host, "store" | "tools">,
  session: SessionId,
  which: WhichCall,
): Promise<ShownRequest> {
  const row = await rowOf(host.store, session);
  let state = emptyState(row);
  let call = 0;
  for await (const event of readEvents(host.store, row.tenant, session)) {
    if (!isUnknown(event) && event.kind === "ModelCallStarted") {
      call += 1;
      if ("call" in which ? which.call === call : which.turn === event.turn)
        return shown(await knownPrompts(host)(state), state, event, call);
    }
    state = foldEvent(state, event);
  }
  const asked = "call" in which ? `call ${which.call}` : `turn ${which.turn}`;
  throw new HarnessError(
    "usage",
    `Session ${session} has ${call} calls of the model in ${state.turn} turns; there is no ${asked}.`,
    "Name one of them with --request or --turn.",
  );
}

function shown(
  prompt: Prompt,
  state: SessionState,
  { data, seq, turn }: EventOf<"ModelCallStarted">,
  call: number,
): ShownRequest {
  const { config } = state;
  if (config === null) throw new TypeError("a model is called by a configured session");
  const recorded = { prompt: data.prompt, tools: data.tools };
  const { system, tools: schemas, ...request } = requestOf(state, config, prompt);
  const prompt_as_sent = recorded.prompt === prompt.versions.prompt && recorded.tools === prompt.versions.tools;
  return {
    session: state.session,
    seq,
    call,
    turn,
    attempt: data.attempt,
    provider: data.provider,
    as_sent: requestHash({ ...request, system, tools: schemas }, recorded) === data.request,
    prompt_as_sent,
    request: prompt_as_sent ? { ...request, system, tools: schemas } : request,
  };
}

async function rowOf(store: Store, session: SessionId): Promise<SessionRow> {
  const row = await store.getSession(LOCAL_TENANT, session);
  if (row === null) throw noSession(session);
  return row;
}
