/** The scenario an emulator plays: its grammar. Documented in `docs/emulator.md`. */
import * as z from "zod";
import { batches } from "./batches/grammar.ts";
import { count, delay, DELAY_MS_MAX, fault, headers, times, wire } from "./fault.ts";
import { generate } from "./generate.ts";
import { limits } from "./limits/limits.ts";
import { outage } from "./outage.ts";

const CHUNK_CHARS_DEFAULT = 20;
export const STOPS = [
  "end_turn",
  "tool_use",
  "max_tokens",
  "stop_sequence",
  "pause_turn",
  "refusal",
  "content_filter",
  "model_context_window_exceeded",
] as const;
export type Stop = (typeof STOPS)[number];

const usage = z.strictObject({
  input_tokens: count().optional(),
  output_tokens: count().optional(),
  cache_read_input_tokens: count().optional(),
  cache_creation_input_tokens: count().optional(),
  ephemeral_5m_input_tokens: count().optional(),
  ephemeral_1h_input_tokens: count().optional(),
  reasoning_tokens: count().optional(),
});

const match = z.strictObject({
  /** Text of the last user message. */
  user_contains: z.string().optional(),
  /** A tool result of the last user message. */
  tool_result_contains: z.string().optional(),
  tool_result_is_error: z.boolean().optional(),
  system_contains: z.string().optional(),
  model: z.string().optional(),
});

const turn = z
  .strictObject({
    think: z.string().min(1).optional(),
    redacted_thinking: z.string().min(1).optional(),
    say: z.string().min(1).optional(),
    call: z
      .array(z.strictObject({ tool: z.string().min(1), input: z.record(z.string(), z.unknown()).default({}) }))
      .min(1)
      .optional(),
    /** Absent: tool_use with calls, else end_turn. */
    stop: z.enum(STOPS).optional(),
    usage: usage.optional(),
    latency_ms: delay().default(0),
    chunk_chars: z.int().min(1).max(100_000).default(CHUNK_CHARS_DEFAULT),
    chunk_delay_ms: delay().default(0),
    /** Pings at this interval wherever the turn waits or is silent. */
    ping_ms: z.int().min(1).max(DELAY_MS_MAX).optional(),
    /** The cache's clock is moved on by this before the turn is answered for the first time. */
    after_ms: z.int().min(0).optional(),
    headers: headers().optional(),
    wire: wire.optional(),
    fault: z.union([fault, z.array(fault)]).optional(),
    repeat: times().default(1),
    match: match.optional(),
  })
  .refine(
    (value) =>
      value.say !== undefined ||
      value.think !== undefined ||
      value.redacted_thinking !== undefined ||
      value.call !== undefined,
    {
      message: "a turn says, thinks or calls something; for an answer without content use `fault: { empty: true }`",
    },
  );

const chaos = z.strictObject({
  /** Of the requests that no fault of their turn meets. */
  rate: z.number().min(0).max(1),
  seed: z.int().default(1),
  /** Absent: every kind that a client can recover from by asking again. */
  faults: z.array(fault).min(1).optional(),
});

const cache = z.strictObject({
  /** Absent: by model, as the provider documents it. */
  min_tokens: count().optional(),
});

export const scenario = z.strictObject({
  /** Tokens of the context window; requests beyond it are refused as the provider does. Absent: no limit. */
  context_tokens: z.int().min(1).optional(),
  /** Absent: two names of whoever is asked. */
  models: z.array(z.string()).optional(),
  /** The field in which Chat Completions shows its reasoning. Absent: it does not, as OpenAI's own. */
  reasoning_field: z.enum(["reasoning_content", "reasoning"]).optional(),
  cache: cache.optional(),
  chaos: chaos.optional(),
  /** What is enforced for each key and model. Absent: nothing, and the rate headers are made up. */
  limits: limits.optional(),
  outages: z.array(outage).default([]),
  /** What answers where no script has a turn. Absent: such a request is refused. */
  generate: generate.optional(),
  /** How batches go. Absent: each ends at once, with every request answered. */
  batches: batches.optional(),
  /** Of every turn that has none of its own. */
  wire: wire.optional(),
  turns: z.array(turn).default([]),
  /** Conversations with turns of their own; the first whose text stands in the first user message is taken. */
  conversations: z.array(z.strictObject({ task_contains: z.string().min(1), turns: z.array(turn) })).default([]),
});

export type Scenario = z.infer<typeof scenario>;
/** What a program may hand in: everything with a default may be left out. */
export type ScenarioInput = z.input<typeof scenario>;
export type Turn = z.infer<typeof turn>;
export type TurnInput = z.input<typeof turn>;
export type Chaos = z.infer<typeof chaos>;
