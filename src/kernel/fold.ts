/**
 * The fold: state = events.reduce(foldEvent, empty). Pure.
 *
 * F1: folding a ++ b equals folding a, then b.
 * F2: an event of an unknown kind moves the position and is remembered, and changes nothing else.
 */
import { EVENTS, type Event, type EventKind, isEventKind, type UnknownEvent } from "./events/index.ts";
import { type EventDefinition, upcastPayload } from "./events/definition.ts";
import { NO_CONTINUITY } from "./continuity.ts";
import { type Envelope, FIRST_HASH } from "./envelope.ts";
import { HarnessError } from "./harness-error.ts";
import type { PrincipalId, SessionId, TenantId, TraceId } from "./ids.ts";
import type { JsonObject } from "./json.ts";
import { CLEAN_LABEL } from "./label.ts";
import { OUTPUT_TOKENS_DEFAULT } from "./limits.ts";
import { NO_MONEY } from "./money.ts";
import { FOLD_VERSION, NO_FAILURES, type SessionState } from "./state.ts";
import { NO_USAGE } from "./usage.ts";

/** The state before the first event. */
export function emptyState(of: {
  readonly tenant: TenantId;
  readonly principal: PrincipalId;
  readonly session: SessionId;
  readonly root: SessionId;
  readonly trace: TraceId;
}): SessionState {
  return {
    fold: FOLD_VERSION,
    tenant: of.tenant,
    principal: of.principal,
    session: of.session,
    root: of.root,
    parent: null,
    trace: of.trace,
    seq: 0,
    hash: FIRST_HASH,
    at: 0,
    previous_at: 0,
    created_at: 0,
    title: "",
    config: null,
    run: null,
    runs: 0,
    end: null,
    turn: 0,
    phase: null,
    active_ms: 0,
    messages: [],
    batch: [],
    inbox: [],
    model: { status: "idle" },
    failures: NO_FAILURES,
    stop: null,
    max_tokens: OUTPUT_TOKENS_DEFAULT,
    thinking_from: 0,
    counted: null,
    pauses: 0,
    usage: NO_USAGE,
    cost: NO_MONEY,
    priced_cost: NO_MONEY,
    unknown_tokens: 0,
    unknown_cost: NO_MONEY,
    tally: {},
    reserved: null,
    using: null,
    alerted: [],
    phase_began: null,
    workspace: null,
    delivered: null,
    checkpoints: [],
    processes: [],
    dirty: false,
    verified: null,
    label: CLEAN_LABEL,
    approvals: {},
    health: {},
    continuity: NO_CONTINUITY,
    compactions: [],
    summary: null,
    pinned: null,
    reviewed_turn: 0,
    agents: [],
    merging: null,
    rules_loaded: [],
    recalled: [],
    jobs: null,
    unknown_kinds: [],
  };
}

export function foldEvent(state: SessionState, event: Event | UnknownEvent): SessionState {
  const moved: SessionState = {
    ...state,
    parent: event.parent,
    seq: event.seq,
    hash: event.hash,
    at: event.at,
    previous_at: state.at,
  };
  if (isUnknown(event)) {
    return { ...moved, unknown_kinds: [...new Set([...moved.unknown_kinds, event.kind])] };
  }
  // The definition found under the event's own kind takes exactly its payload (EVENTS satisfies the table's type).
  const definition = EVENTS[event.kind] as EventDefinition<unknown>;
  return definition.fold(moved, event);
}

export function foldAll(state: SessionState, events: Iterable<Event | UnknownEvent>): SessionState {
  let next = state;
  for (const event of events) next = foldEvent(next, event);
  return next;
}

export function isUnknown(event: Event | UnknownEvent): event is UnknownEvent {
  return "unknown" in event;
}

/**
 * Parses a stored event: envelope fields are trusted (their hash was checked), the payload is upcast and validated.
 * @throws HarnessError `store_corrupt` when the payload does not fit its schema.
 */
export function parseEvent(envelope: Envelope & { readonly data: unknown }, hash: string): Event | UnknownEvent {
  const { kind } = envelope;
  if (!isEventKind(kind) || envelope.version > EVENTS[kind].version) return { ...envelope, hash, unknown: true };
  const definition = EVENTS[kind] as EventDefinition<unknown>;
  // A stored payload is a JSON object: it was sealed as one.
  const data = upcastPayload(definition, envelope.data as JsonObject, envelope.version);
  const parsed = definition.schema().safeParse(data);
  if (!parsed.success) {
    throw new HarnessError(
      "store_corrupt",
      `Event ${envelope.seq} of session ${envelope.session} (${kind}) does not fit its schema.`,
      "Restore the store from a backup; earlier events can be exported.",
      { cause: parsed.error },
    );
  }
  // kind and data agree by the two checks above
  return { ...envelope, kind, data: parsed.data, hash } as Event;
}

/** The version that `kind` is written with today. */
export function versionOf(kind: EventKind): number {
  return EVENTS[kind].version;
}
