/** A turn of a scenario as the provider's message: whole, and as the events of a stream. */
import type { PromptUsage } from "./usage.ts";
import { tokens } from "./usage.ts";
import type { Turn } from "./scenario.ts";
import { signatureOf } from "./wire.ts";

export interface StreamEvent {
  readonly name: string;
  readonly data: object;
}

export interface TurnFacts {
  readonly turn: Turn;
  readonly model: string;
  /** Part of every id, so that the same step gets the same ids again. */
  readonly id: string;
  readonly prompt: PromptUsage;
}

type Block = { readonly [key: string]: unknown; readonly type: string };

export function wholeMessage(facts: TurnFacts): object {
  return {
    ...envelope(facts),
    content: contentBlocks(facts),
    stop_reason: stopReason(facts.turn),
    stop_sequence: null,
    usage: { ...startUsage(facts), output_tokens: outputTokens(facts) },
  };
}

export function emptyMessage(facts: TurnFacts): TurnFacts {
  return {
    ...facts,
    turn: {
      ...facts.turn,
      think: undefined,
      redacted_thinking: undefined,
      say: undefined,
      call: undefined,
      stop: "end_turn",
    },
  };
}

export function streamEvents(facts: TurnFacts): readonly StreamEvent[] {
  const blocks = contentBlocks(facts);
  return [
    event("message_start", {
      message: {
        ...envelope(facts),
        content: [],
        stop_reason: null,
        stop_sequence: null,
        usage: { ...startUsage(facts), output_tokens: 1 },
      },
    }),
    event("ping", {}),
    ...blocks.flatMap((block, index) => blockEvents(block, index, facts.turn.chunk_chars)),
    event("message_delta", {
      delta: { stop_reason: stopReason(facts.turn), stop_sequence: null },
      usage: { output_tokens: outputTokens(facts) },
    }),
    event("message_stop", {}),
  ];
}

/** Cuts the last tool input short, as an answer does that ran into max_tokens. */
export function truncateJson(events: readonly StreamEvent[]): readonly StreamEvent[] {
  const last = events.findLastIndex(isJsonDelta);
  if (last < 0) return events;
  return events
    .filter((_, index) => index !== last)
    .map((entry) =>
      entry.name === "message_delta"
        ? event("message_delta", { ...entry.data, delta: { stop_reason: "max_tokens", stop_sequence: null } })
        : entry,
    );
}

export function isJsonDelta(entry: StreamEvent): boolean {
  return JSON.stringify(entry.data).includes('"input_json_delta"');
}

export function event(name: string, data: object): StreamEvent {
  return { name, data: { type: name, ...data } };
}

function envelope({ id, model }: TurnFacts): object {
  return { id: `msg_${id}`, type: "message", role: "assistant", model };
}

function stopReason(turn: Turn): string {
  return turn.stop ?? (turn.call ? "tool_use" : "end_turn");
}

function contentBlocks({ turn, id }: TurnFacts): readonly Block[] {
  const blocks: Block[] = [];
  if (turn.think !== undefined)
    blocks.push({ type: "thinking", thinking: turn.think, signature: signatureOf(turn.think) });
  if (turn.redacted_thinking !== undefined) blocks.push({ type: "redacted_thinking", data: turn.redacted_thinking });
  if (turn.say !== undefined) blocks.push({ type: "text", text: turn.say });
  for (const [index, { tool, input }] of (turn.call ?? []).entries()) {
    blocks.push({ type: "tool_use", id: `toolu_${id}_${index + 1}`, name: tool, input });
  }
  return blocks;
}

function blockEvents(block: Block, index: number, chunk: number): readonly StreamEvent[] {
  const delta = (data: object): StreamEvent => event("content_block_delta", { index, delta: data });
  const start = (content_block: object): StreamEvent => event("content_block_start", { index, content_block });
  const stop = event("content_block_stop", { index });
  switch (block.type) {
    case "text":
      return [
        start({ type: "text", text: "" }),
        ...chunks(String(block["text"]), chunk).map((text) => delta({ type: "text_delta", text })),
        stop,
      ];
    case "thinking":
      return [
        start({ type: "thinking", thinking: "", signature: "" }),
        ...chunks(String(block["thinking"]), chunk).map((thinking) => delta({ type: "thinking_delta", thinking })),
        delta({ type: "signature_delta", signature: block["signature"] }),
        stop,
      ];
    case "tool_use":
      return [
        start({ ...block, input: {} }),
        delta({ type: "input_json_delta", partial_json: "" }),
        ...chunks(JSON.stringify(block["input"]), chunk).map((partial_json) =>
          delta({ type: "input_json_delta", partial_json }),
        ),
        stop,
      ];
    default:
      return [start(block), stop];
  }
}

/** By code points: a chunk never ends inside a character. */
function chunks(text: string, size: number): readonly string[] {
  const points = [...text];
  return Array.from({ length: Math.ceil(points.length / size) }, (_, i) =>
    points.slice(i * size, (i + 1) * size).join(""),
  );
}

function startUsage({ turn, prompt }: TurnFacts): object {
  const said = turn.usage ?? {};
  const hour = said.ephemeral_1h_input_tokens;
  const written = said.cache_creation_input_tokens;
  const rest = written === undefined ? prompt.ephemeral_5m_input_tokens : Math.max(0, written - (hour ?? 0));
  return {
    input_tokens: said.input_tokens ?? prompt.input_tokens,
    cache_read_input_tokens: said.cache_read_input_tokens ?? prompt.cache_read_input_tokens,
    cache_creation_input_tokens: said.cache_creation_input_tokens ?? prompt.cache_creation_input_tokens,
    cache_creation: {
      ephemeral_5m_input_tokens: said.ephemeral_5m_input_tokens ?? rest,
      ephemeral_1h_input_tokens: hour ?? (written === undefined ? prompt.ephemeral_1h_input_tokens : 0),
    },
    service_tier: "standard",
  };
}

function outputTokens(facts: TurnFacts): number {
  const chars = contentBlocks(facts).reduce((sum, block) => sum + JSON.stringify(block).length, 0);
  return facts.turn.usage?.output_tokens ?? Math.max(1, tokens(chars));
}
