/**
 * A scenario from the journal of a real session: what the model answered, and how its calls failed. The journal holds
 * tokens in place of secrets, and nothing here can restore them.
 *
 * R1: one turn for each answer of the model, in their order; a call that failed is a fault of the answer after it.
 */
import type { Event, EventOf, UnknownEvent } from "../../kernel/events/index.ts";
import type { ErrorKind } from "../../kernel/error-kind.ts";
import type { FaultInput } from "../emulator/fault.ts";
import type { ScenarioInput, Stop, TurnInput } from "../emulator/scenario.ts";
import { faultOf } from "./fault-of.ts";

/** Of the task, as much as a conversation is recognised by. Characters. */
const TASK_CHARS_MAX = 120;
/** Where a secret stood, another text stands in the next session. */
const SECRET_TOKEN = /\[secret:/;
const LATENCY_MS_MAX = 600_000;
/** Thought where the provider kept to itself what was thought: that there was reasoning is part of the session. */
const NOT_SHOWN = "Reasoning that the provider did not show.";
/** Said where a session ended without an answer, so that its last faults are met. */
const NO_ANSWER = "The recorded session has no answer here.";

export interface Recording {
  readonly scenario: ScenarioInput;
  readonly answers: number;
  readonly faults: number;
  /** Failed calls that no fault stands for, by their place among the turns. */
  readonly left_out: readonly { readonly turn: number; readonly kind: ErrorKind }[];
}

export async function recordScenario(events: AsyncIterable<Event | UnknownEvent>): Promise<Recording> {
  const turns: TurnInput[] = [];
  const models = new Set<string>();
  const leftOut: { turn: number; kind: ErrorKind }[] = [];
  let task: string | null = null;
  let waiting: FaultInput[] = [];
  let faults = 0;
  for await (const event of events) {
    if ("unknown" in event) continue;
    switch (event.kind) {
      case "UserMessageAdded":
        task ??= taskOf(event);
        break;
      case "ModelCallStarted":
        models.add(event.data.model);
        break;
      case "ModelCallFailed": {
        const fault = faultOf(event.data);
        if (fault === null) leftOut.push({ turn: turns.length, kind: event.data.kind });
        else {
          waiting.push(fault);
          faults += 1;
        }
        break;
      }
      case "ModelCallFinished":
        turns.push(turnOf(event, waiting));
        waiting = [];
        break;
      default:
    }
  }
  const answers = turns.length;
  if (waiting.length > 0) turns.push({ say: NO_ANSWER, fault: merged(waiting) });
  const script = task === null ? { turns } : { conversations: [{ task_contains: task, turns }] };
  return { scenario: { models: [...models], ...script }, answers, faults, left_out: leftOut };
}

/** The first line that the user said something in, and that holds no token. */
function taskOf({ data }: EventOf<"UserMessageAdded">): string | null {
  const lines = data.parts.flatMap((part) =>
    part.type === "text" && part.origin.from === "user" ? part.text.split("\n") : [],
  );
  const line = lines.map((text) => text.trim()).find((text) => text !== "" && !SECRET_TOKEN.test(text));
  return line?.slice(0, TASK_CHARS_MAX).trim() ?? null;
}

function turnOf({ data }: EventOf<"ModelCallFinished">, waiting: readonly FaultInput[]): TurnInput {
  const text = data.parts.flatMap((part) => (part.type === "text" ? [part.text] : [])).join("");
  const thoughts = data.parts.flatMap((part) => (part.type === "thinking" ? [part.text] : []));
  const think = thoughts.length > 0 ? thoughts.join("") || NOT_SHOWN : "";
  const redacted = data.parts.flatMap((part) => (part.type === "redacted_thinking" ? [part.data] : [])).join("");
  const call = data.parts.flatMap((part) =>
    part.type === "tool_use" ? [{ tool: part.name, input: { ...part.input } }] : [],
  );
  const empty = text === "" && think === "" && redacted === "" && call.length === 0;
  const usual: Stop = call.length > 0 ? "tool_use" : "end_turn";
  const stop: Stop = data.stop === "context_window" ? "model_context_window_exceeded" : data.stop;
  const faults = empty ? [...waiting, { empty: true as const }] : waiting;
  return {
    ...(think !== "" && { think }),
    ...(redacted !== "" && { redacted_thinking: redacted }),
    ...(text !== "" && { say: text }),
    ...(empty && { say: NO_ANSWER }),
    ...(call.length > 0 && { call }),
    ...(stop !== usual && { stop }),
    usage: usageOf(data.usage),
    ...(data.first_delta_ms && { latency_ms: Math.min(data.first_delta_ms, LATENCY_MS_MAX) }),
    ...(faults.length > 0 && { fault: merged(faults) }),
  };
}

function usageOf(usage: EventOf<"ModelCallFinished">["data"]["usage"]): NonNullable<TurnInput["usage"]> {
  return {
    input_tokens: usage.input_tokens,
    output_tokens: usage.output_tokens,
    cache_read_input_tokens: usage.cache_read_tokens,
    cache_creation_input_tokens: usage.cache_write_5m_tokens + usage.cache_write_1h_tokens,
    ephemeral_5m_input_tokens: usage.cache_write_5m_tokens,
    ephemeral_1h_input_tokens: usage.cache_write_1h_tokens,
  };
}

/** Equal faults in a row are one that is met so many times. */
function merged(faults: readonly FaultInput[]): FaultInput[] {
  const rows: { fault: FaultInput; times: number }[] = [];
  for (const fault of faults) {
    const last = rows.at(-1);
    if (last && JSON.stringify(last.fault) === JSON.stringify(fault)) last.times += 1;
    else rows.push({ fault, times: 1 });
  }
  return rows.map(({ fault, times }) => (times === 1 ? fault : { ...fault, times }));
}
