/** How a tool hands a task on: the engine, which alone can start sessions, stands behind it. */
import type { PlainPart } from "../kernel/content.ts";
import type { BlobHash } from "../kernel/ids.ts";
import type { JsonObject } from "../kernel/json.ts";

export interface AgentRequest {
  /** The kind. */
  readonly agent: string;
  /** A few words, for people. */
  readonly description: string;
  readonly prompt: string;
  /** Of the answer; null for text. */
  readonly schema: JsonObject | null;
}

/** What comes back. `error` also where something was done: the outcome stands in the content. */
export interface AgentResult {
  readonly status: "ok" | "error" | "canceled" | "timed_out";
  readonly content: readonly PlainPart[];
  /** The whole answer, where `content` holds only part of it. */
  readonly output: BlobHash | null;
}

export interface AgentStarter {
  /** Settles soon after the signal aborts. @param show progress, for people; bounded and droppable */
  run(request: AgentRequest, signal: AbortSignal, show: (text: string) => void): Promise<AgentResult>;
}
