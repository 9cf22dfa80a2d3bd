/** Builds one answer from the events of a stream: what every provider's builder is to the exchange, which knows no provider. */
import type { ModelPart } from "../kernel/content.ts";
import type { ErrorKind } from "../kernel/error-kind.ts";
import type { StopReason } from "../kernel/state.ts";
import type { Usage } from "../kernel/usage.ts";
import { textAt } from "./json-view.ts";

/** A server-sent event, its data not parsed. */
export interface StreamEvent {
  readonly event: string | null;
  readonly data: string;
}

export interface AnswerFault {
  readonly kind: ErrorKind;
  readonly message: string;
  readonly after_ms: number | null;
}

export interface CompleteAnswer {
  readonly parts: readonly ModelPart[];
  readonly stop: StopReason;
  readonly usage: Usage;
  readonly model: string;
}

export interface AnswerBuilder {
  /** Takes one server-sent event. @returns what is wrong, or null to go on. */
  take(name: string | null, data: string): AnswerFault | null;
  /** True after the event that says that the answer is complete. */
  stopped(): boolean;
  /** Call when the stream ended. */
  finish(): CompleteAnswer | AnswerFault;
  /** The text that has arrived. */
  partial(): string;
  /** What was reported so far. */
  usage(): Usage | null;
}

export function protocolFault(message: string): AnswerFault {
  return { kind: "protocol", after_ms: null, message };
}

export function cutFault(): AnswerFault {
  return { kind: "stream_cut", after_ms: null, message: "The stream ended before the answer was complete." };
}

export function truncatedCall(name: string): AnswerFault {
  return {
    kind: "truncated_tool_call",
    after_ms: null,
    message: `The input of the call to ${name} is not complete JSON; the call was not run.`,
  };
}

/** The words of an error, wherever a provider puts them. */
export function errorText(body: unknown): string | null {
  return (
    textAt(body, "error", "message") ??
    textAt(body, "response", "error", "message") ??
    textAt(body, "message") ??
    (typeof body === "string" ? body : null)
  );
}
