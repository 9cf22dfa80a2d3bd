/**
 * Why a session was stopped from acting: what came in, from where, and which sink it stood against. A projection of the journal:
 * the events are folded again, and each is asked what it changed.
 */
import type { Event, UnknownEvent } from "../kernel/events/index.ts";
import { foldEvent, isUnknown } from "../kernel/fold.ts";
import type { LabelKind, LabelSource } from "../kernel/label.ts";
import type { Sink } from "../kernel/permissions.ts";
import type { SessionState } from "../kernel/state.ts";

/** A moment at which the session's label rose. */
export interface LabelRise {
  readonly label: LabelKind;
  /** The event that brought it in. */
  readonly seq: number;
  readonly turn: number;
  readonly what: string;
  /** The call that brought it in, as a person would name it: `web_fetch https://example.com/`; null where it was none. */
  readonly by: string | null;
}

/** A call that would have acted outside, and what became of it. */
export interface SinkJudgement {
  readonly seq: number;
  readonly turn: number;
  readonly call: string;
  readonly tool: string;
  readonly sink: Sink;
  readonly destination: string;
  readonly decision: "allowed" | "asked" | "denied" | "network withheld";
  readonly reason: string;
  /** What had come in until then. */
  readonly because: readonly LabelSource[];
}

export interface LabelReport {
  readonly rises: readonly LabelRise[];
  readonly sinks: readonly SinkJudgement[];
}

/** @param start the state before the first event */
export async function labelReport(
  events: AsyncIterable<Event | UnknownEvent>,
  start: SessionState,
): Promise<LabelReport> {
  const rises: LabelRise[] = [];
  const sinks: SinkJudgement[] = [];
  let state = start;
  for await (const event of events) {
    const before = state;
    state = foldEvent(state, event);
    rises.push(...risesAt(before, state));
    if (isUnknown(event) || event.kind !== "ToolJudged" || event.data.sink === null) continue;
    const { call, decision, reason, sink, network_withheld } = event.data;
    sinks.push({
      seq: event.seq,
      turn: state.turn,
      call,
      tool: toolOf(before, call),
      ...sink,
      decision: network_withheld
        ? "network withheld"
        : ({ allow: "allowed", ask: "asked", deny: "denied" } as const)[decision],
      reason,
      because: [...before.label.untrusted, ...before.label.secret],
    });
  }
  return { rises, sinks };
}

function risesAt(before: SessionState, after: SessionState): readonly LabelRise[] {
  if (before.label === after.label) return [];
  return (["untrusted", "secret"] as const).flatMap((label) =>
    after.label[label].slice(before.label[label].length).map(({ seq, what, call }): LabelRise => ({
      label,
      seq,
      turn: after.turn,
      what,
      by: call === null ? null : toolOf(before, call),
    })),
  );
}

function toolOf({ batch }: SessionState, id: string): string {
  const part = batch.find((call) => call.part.call === id)?.part;
  if (part === undefined) return "a tool";
  const { command, url, path } = part.input;
  const about = [command, url, path].find((value) => typeof value === "string");
  return about === undefined ? part.name : `${part.name} ${about}`;
}
