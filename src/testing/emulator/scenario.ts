/**
 * The scenario an emulator plays: parsed from YAML, checked strictly. A key that does not exist is an error with its
 * line, because a misspelt fault would be a test that tests nothing. Documented in `docs/emulator.md`.
 */
import { LineCounter, parseDocument } from "yaml";
import * as z from "zod";
import { HarnessError } from "../../kernel/harness-error.ts";

const DELAY_MS_MAX = 600_000;
const TIMES_MAX = 1_000_000;
const CHUNK_CHARS_DEFAULT = 20;

const count = (): z.ZodInt => z.int().min(0);
const times = (): z.ZodInt => z.int().min(1).max(TIMES_MAX);
const delay = (): z.ZodInt => z.int().min(0).max(DELAY_MS_MAX);
const headers = (): z.ZodRecord<z.ZodString, z.ZodString> => z.record(z.string(), z.string());

const FAULT_WAYS = [
  "status",
  "reset",
  "cut_after_event",
  "cut_in_json",
  "truncated_json",
  "error_event",
  "missing_stop",
  "silence_after_event",
  "empty",
  "raw",
] as const;

const fault = z
  .strictObject({
    /** How many requests of one step it meets, before the turn is answered. */
    times: times().default(1),
    /** An error response. */
    status: z.int().min(300).max(599).optional(),
    /** Of an error response: JSON, or text as it stands. Absent: the provider's own body for the status. */
    body: z.unknown().optional(),
    /** Seconds, or a date. */
    retry_after: z.union([z.number().min(0), z.string()]).optional(),
    headers: headers().optional(),
    /** The connection is reset before anything is answered. */
    reset: z.literal(true).optional(),
    /** The connection is cut after n events. */
    cut_after_event: count().optional(),
    /** The connection is cut in the middle of the JSON of a delta. */
    cut_in_json: z.literal(true).optional(),
    /** A complete answer whose last tool input is cut, with stop_reason max_tokens. */
    truncated_json: z.literal(true).optional(),
    /** An error inside the stream, with status 200. */
    error_event: z.strictObject({ type: z.string(), message: z.string(), after_event: count().optional() }).optional(),
    /** A clean end without message_stop. */
    missing_stop: z.literal(true).optional(),
    /** Nothing comes after n events, and the connection stays open. */
    silence_after_event: count().optional(),
    /** An answer without content. */
    empty: z.literal(true).optional(),
    /** A 200 with this body and content type: a proxy's page, say. */
    raw: z.strictObject({ body: z.string(), content_type: z.string().default("text/html") }).optional(),
  })
  .refine((value) => FAULT_WAYS.filter((way) => value[way] !== undefined).length === 1, {
    message: `a fault is exactly one of ${FAULT_WAYS.join(", ")}`,
  });

const usage = z.strictObject({
  input_tokens: count().optional(),
  output_tokens: count().optional(),
  cache_read_input_tokens: count().optional(),
  cache_creation_input_tokens: count().optional(),
  ephemeral_5m_input_tokens: count().optional(),
  ephemeral_1h_input_tokens: count().optional(),
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
    stop: z
      .enum([
        "end_turn",
        "tool_use",
        "max_tokens",
        "stop_sequence",
        "pause_turn",
        "refusal",
        "model_context_window_exceeded",
      ])
      .optional(),
    usage: usage.optional(),
    latency_ms: delay().default(0),
    chunk_chars: z.int().min(1).max(100_000).default(CHUNK_CHARS_DEFAULT),
    chunk_delay_ms: delay().default(0),
    /** Pings at this interval wherever the turn waits or is silent. */
    ping_ms: z.int().min(1).max(DELAY_MS_MAX).optional(),
    headers: headers().optional(),
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

const scenario = z.strictObject({
  /** Tokens of the context window; requests beyond it are refused as the provider does. Absent: no limit. */
  context_tokens: z.int().min(1).optional(),
  models: z.array(z.string()).default(["claude-sonnet-4-5", "claude-opus-4-5"]),
  turns: z.array(turn).default([]),
  /** Conversations with turns of their own; the first whose text stands in the first user message is taken. */
  conversations: z.array(z.strictObject({ task_contains: z.string().min(1), turns: z.array(turn) })).default([]),
});

export type Scenario = z.infer<typeof scenario>;
/** What a program may hand in: everything with a default may be left out. */
export type ScenarioInput = z.input<typeof scenario>;
export type Turn = z.infer<typeof turn>;
export type Fault = z.infer<typeof fault>;

/** @throws HarnessError `config_invalid` naming the path of every mistake. */
export function checkScenario(
  input: unknown,
  name = "scenario",
  lineOf: (path: readonly PropertyKey[]) => number | null = () => null,
): Scenario {
  const parsed = scenario.safeParse(input);
  if (parsed.success) return parsed.data;
  const mistakes = parsed.error.issues.map((issue) => {
    const unknown = issue.code === "unrecognized_keys" ? issue.keys[0] : undefined;
    const path = unknown === undefined ? issue.path : [...issue.path, unknown];
    const line = lineOf(path);
    return `${line === null ? "" : `line ${line}, `}${path.map(String).join(".") || "the whole"}: ${issue.message}`;
  });
  throw new HarnessError(
    "config_invalid",
    `The scenario ${name} is not valid: ${mistakes.join("; ")}.`,
    "docs/emulator.md lists every key.",
    {
      cause: parsed.error,
    },
  );
}

/** @throws HarnessError `config_invalid` with lines. */
export function parseScenario(text: string, name = "scenario"): Scenario {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const [broken] = document.errors;
  if (broken) {
    throw new HarnessError(
      "config_invalid",
      `The scenario ${name} is not YAML: ${broken.message.split("\n")[0] ?? ""}.`,
      "Correct the YAML.",
      {
        cause: broken,
      },
    );
  }
  return checkScenario(document.toJS(), name, (path) => {
    // The deepest node that exists: of a key that is missing, its parent's.
    for (let length = path.length; length > 0; length--) {
      const offset = offsetOf(document.getIn(path.slice(0, length - 1), true), path[length - 1]);
      if (offset !== null) return lines.linePos(offset).line;
    }
    return null;
  });
}

/** Where a key of a map, or an item of a list, begins. */
function offsetOf(parent: unknown, key: PropertyKey | undefined): number | null {
  const items: unknown = parent && typeof parent === "object" && "items" in parent ? parent.items : null;
  if (!Array.isArray(items)) return null;
  for (const [index, item] of items.entries()) {
    const node: unknown = item && typeof item === "object" && "key" in item ? item.key : item;
    const name: unknown = node && typeof node === "object" && "value" in node && node !== item ? node.value : index;
    if (name !== key || !node || typeof node !== "object" || !("range" in node) || !Array.isArray(node.range)) continue;
    const [start] = node.range as readonly unknown[]; // checked to be an array on the line above
    if (typeof start === "number") return start;
  }
  return null;
}
