/** A stream as it will leave: its frames in bytes, and how it ends. Pure; the faults of streams are all here. */
import type { Answer, Dialect, StreamEvent } from "./dialect.ts";
import { event } from "./dialect.ts";
import type { Fault, Wire } from "./fault.ts";

export type Ending =
  | { readonly how: "end" }
  /** The connection is destroyed. */
  | { readonly how: "cut" }
  /** Nothing more, and the connection stays open. */
  | { readonly how: "silence" }
  /** This again and again. */
  | { readonly how: "endless"; readonly frame: Buffer };

export interface StreamPlan {
  readonly frames: readonly Buffer[];
  readonly ending: Ending;
}

export function planStream(dialect: Dialect, answer: Answer, fault: Fault | null, wire: Wire): StreamPlan {
  const events = faultyEvents(dialect, answer, fault);
  const frames = events.map((entry, index) => frameOf(entry, wire, fault?.bad_event === index));
  const upTo = (count: number, part = 0): readonly Buffer[] => [
    ...frames.slice(0, count),
    ...(part > 0 ? [(frames[count] ?? Buffer.alloc(0)).subarray(0, part)] : []),
  ];
  const half = (index: number): number => Math.ceil((frames[index]?.length ?? 0) / 2);

  if (fault?.cut_after_event !== undefined) return { frames: upTo(fault.cut_after_event), ending: { how: "cut" } };
  if (fault?.cut_in_event !== undefined)
    return { frames: upTo(fault.cut_in_event, half(fault.cut_in_event)), ending: { how: "cut" } };
  if (fault?.cut_in_json || fault?.cut_in_character) {
    const { index, byte } = fault.cut_in_json ? jsonPosition(events, frames) : characterPosition(events, frames);
    return { frames: upTo(index, byte), ending: { how: "cut" } };
  }
  if (fault?.silence_after_event !== undefined)
    return { frames: upTo(fault.silence_after_event), ending: { how: "silence" } };
  if (fault?.silence_in_event !== undefined)
    return { frames: upTo(fault.silence_in_event, half(fault.silence_in_event)), ending: { how: "silence" } };
  if (fault?.end_after_event !== undefined) return { frames: upTo(fault.end_after_event), ending: { how: "end" } };
  if (fault?.endless) {
    const last = lastDelta(events);
    return { frames: upTo(last + 1), ending: { how: "endless", frame: frames[last] ?? Buffer.from(":\n\n") } };
  }
  return { frames, ending: { how: "end" } };
}

function faultyEvents(dialect: Dialect, answer: Answer, fault: Fault | null): readonly StreamEvent[] {
  const events = dialect.events(answer);
  if (fault?.missing_stop) return events.filter(({ part }) => part !== "end");
  if (fault?.duplicate_event !== undefined)
    return events.flatMap((entry, index) => (index === fault.duplicate_event ? [entry, entry] : [entry]));
  if (fault?.unknown_event) {
    const { after_event, name, data } = fault.unknown_event;
    const extra = event(name, typeof data === "object" && data !== null ? data : { type: name });
    return [...events.slice(0, after_event), extra, ...events.slice(after_event)];
  }
  if (!fault?.error_event) return events;
  const { after_event, ...error } = fault.error_event;
  const sent = Math.min(after_event ?? Math.floor(events.length / 2), events.length - 1);
  return [...events.slice(0, sent), ...dialect.errorEvents(error, answer, sent)];
}

const LINE_ENDS = { lf: "\n", crlf: "\r\n", cr: "\r" } as const;

export function frameOf({ name, data }: StreamEvent, wire: Wire, broken = false): Buffer {
  const json = typeof data === "string" ? data : JSON.stringify(data);
  const lines = [
    ...(wire.comments ? [": a comment", ""] : []),
    ...(wire.unknown_events ? ["event: emulator.unknown", 'data: {"type":"emulator.unknown"}', ""] : []),
    ...(name === null ? [] : [`event: ${name}`]),
    `data: ${broken ? json.slice(0, Math.ceil(json.length / 2)) : json}`,
    "",
    "",
  ];
  return Buffer.from(lines.join(LINE_ENDS[wire.line_ends ?? "lf"]));
}

/** In the middle of the last delta of a tool's input, else of any delta. */
function jsonPosition(events: readonly StreamEvent[], frames: readonly Buffer[]): Position {
  const json = events.findLastIndex(({ part }) => part === "json");
  const index = json >= 0 ? json : lastDelta(events);
  const delta = JSON.stringify(events[index]?.delta ?? "").slice(1, -1);
  const start = deltaStart(frames[index], delta);
  return { index, byte: start + Math.ceil(Buffer.byteLength(delta) / 2) };
}

/** After the first byte of the last character that has more than one; without one, as `jsonPosition`. */
function characterPosition(events: readonly StreamEvent[], frames: readonly Buffer[]): Position {
  const index = events.findLastIndex(({ delta }) => delta !== undefined && Buffer.byteLength(delta) > delta.length);
  const frame = frames[index];
  if (frame === undefined) return jsonPosition(events, frames);
  const delta = JSON.stringify(events[index]?.delta ?? "").slice(1, -1);
  const start = deltaStart(frame, delta);
  const lead = frame.findIndex((byte, i) => i >= start && byte >= 0xc0);
  return { index, byte: lead + 1 };
}

interface Position {
  readonly index: number;
  readonly byte: number;
}

function deltaStart(frame: Buffer | undefined, delta: string): number {
  return Math.max(1, frame?.lastIndexOf(delta) ?? 1);
}

function lastDelta(events: readonly StreamEvent[]): number {
  return Math.max(
    0,
    events.findLastIndex(({ delta }) => delta !== undefined),
  );
}
