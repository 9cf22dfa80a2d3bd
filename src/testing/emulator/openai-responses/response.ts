/** A turn of a scenario as a response of the Responses API: whole, and as the events of a stream. */
import { createHash } from "node:crypto";
import { asRecord, at, textAt } from "../../../model/json-view.ts";
import { type Answer, chunks, type StreamError, type StreamEvent } from "../dialect.ts";
import { codeOf } from "../openai/api-error.ts";
import { encryptedOf } from "./input.ts";

type Item = { readonly [key: string]: unknown; readonly id: string; readonly type: string };

export function wholeResponse(answer: Answer): object {
  const reason = incompleteReason(answer);
  return {
    ...envelope(answer, reason === null ? "completed" : "incomplete"),
    incomplete_details: reason === null ? null : { reason },
    output: outputItems(answer),
    ...(answer.usage && { usage: usageOf(answer.usage) }),
  };
}

/** The id is that of the step and of what was asked: the same request gets the same again. */
export function responseId({ id, body }: Pick<Answer, "id" | "body">): string {
  const input = JSON.stringify([at(body, "input"), at(body, "previous_response_id")]);
  return `resp_${id}_${createHash("sha256").update(input).digest("hex").slice(0, 12)}`;
}

export function responseEvents(answer: Answer): readonly StreamEvent[] {
  const write = writer();
  const begun = { response: { ...envelope(answer, "in_progress"), incomplete_details: null, output: [], usage: null } };
  const reason = incompleteReason(answer);
  return [
    write("response.created", begun),
    write("response.in_progress", begun),
    ...outputItems(answer).flatMap((item, index) => itemEvents(answer, item, index, write)),
    write(`response.${reason === null ? "completed" : "incomplete"}`, { response: wholeResponse(answer) }, "end"),
  ];
}

export function errorEvents(error: StreamError, answer: Answer, sent: number): readonly StreamEvent[] {
  const write = writer(sent);
  const code = error.code ?? codeOf(error.type);
  if (error.form === "failed") {
    const failed = { ...envelope(answer, "failed"), error: { code, message: error.message }, output: [], usage: null };
    return [write("response.failed", { response: { ...failed, incomplete_details: null } })];
  }
  if (error.form === "nested")
    return [write("error", { error: { type: error.type, code, message: error.message, param: null } })];
  return [write("error", { code, message: error.message, param: null })];
}

type Write = (type: string, data: object, part?: StreamEvent["part"], delta?: string) => StreamEvent;

/** Counts the events from 0, as `sequence_number` does. */
function writer(first = 0): Write {
  let next = first;
  return (type, data, part = "other", delta) => ({
    name: type,
    data: { type, sequence_number: next++, ...data },
    part,
    ...(delta !== undefined && { delta }),
  });
}

function envelope(answer: Answer, status: string): object {
  const { body, created, model } = answer;
  const told = asRecord(body) ?? {};
  return {
    id: responseId(answer),
    object: "response",
    created_at: created,
    status,
    background: false,
    completed_at: status === "completed" ? created : null,
    error: null,
    instructions: told["instructions"] ?? null,
    max_output_tokens: told["max_output_tokens"] ?? null,
    max_tool_calls: told["max_tool_calls"] ?? null,
    model,
    parallel_tool_calls: told["parallel_tool_calls"] ?? true,
    previous_response_id: told["previous_response_id"] ?? null,
    prompt_cache_key: told["prompt_cache_key"] ?? null,
    prompt_cache_retention: told["prompt_cache_retention"] ?? null,
    reasoning: { effort: textAt(body, "reasoning", "effort"), summary: textAt(body, "reasoning", "summary") },
    safety_identifier: told["safety_identifier"] ?? null,
    service_tier: "default",
    store: told["store"] ?? true,
    temperature: told["temperature"] ?? 1,
    text: told["text"] ?? { format: { type: "text" }, verbosity: "medium" },
    tool_choice: told["tool_choice"] ?? "auto",
    tools: told["tools"] ?? [],
    top_logprobs: 0,
    top_p: told["top_p"] ?? 1,
    truncation: told["truncation"] ?? "disabled",
    user: told["user"] ?? null,
    metadata: told["metadata"] ?? {},
  };
}

/** Ids of an answer with reasoning end in `r`: what came with it is known without remembering anything. */
export function outputItems({ said, id, body }: Answer): readonly Item[] {
  const base = `${id}${said.think === null ? "" : "r"}`;
  const items: Item[] = [];
  if (said.think !== null) {
    const summary = textAt(body, "reasoning", "summary") === null ? [] : [{ type: "summary_text", text: said.think }];
    const include = at(body, "include");
    const encrypted = Array.isArray(include) && include.includes("reasoning.encrypted_content");
    const rs = `rs_${base}`;
    items.push({ id: rs, type: "reasoning", ...(encrypted && { encrypted_content: encryptedOf(rs) }), summary });
  }
  if (said.text !== null) {
    const part =
      said.stop === "refusal"
        ? { type: "refusal", refusal: said.text }
        : { type: "output_text", annotations: [], logprobs: [], text: said.text };
    const status = said.calls.length === 0 && isCut(said.stop) ? "incomplete" : "completed";
    items.push({ id: `msg_${base}_0`, type: "message", status, content: [part], role: "assistant" });
  }
  for (const [index, { tool, json }] of said.calls.entries()) {
    const status = index === said.calls.length - 1 && isCut(said.stop) ? "incomplete" : "completed";
    const n = index + 1;
    items.push({
      id: `fc_${base}_${n}`,
      type: "function_call",
      status,
      arguments: json,
      call_id: `call_${id}_${n}`,
      name: tool,
    });
  }
  return items;
}

function itemEvents(answer: Answer, item: Item, output_index: number, write: Write): readonly StreamEvent[] {
  const size = answer.turn.chunk_chars;
  const added = (begun: object): StreamEvent =>
    write("response.output_item.added", { output_index, item: { ...item, ...begun } });
  const done = (): StreamEvent => write("response.output_item.done", { output_index, item });
  const where = { item_id: item.id, output_index };
  switch (item.type) {
    case "reasoning":
      return [added({ summary: [] }), ...summaryEvents(item, where, size, write), done()];
    case "function_call": {
      const json = String(item["arguments"]);
      return [
        added({ status: "in_progress", arguments: "" }),
        ...chunks(json, size).map((delta) =>
          write("response.function_call_arguments.delta", { ...where, delta }, "json", delta),
        ),
        write("response.function_call_arguments.done", { ...where, arguments: json }),
        done(),
      ];
    }
    default:
      return [added({ status: "in_progress", content: [] }), ...partEvents(item, where, size, write), done()];
  }
}

interface Where {
  readonly item_id: string;
  readonly output_index: number;
}

function summaryEvents(item: Item, where: Where, size: number, write: Write): readonly StreamEvent[] {
  const text = textAt(item["summary"], 0, "text");
  if (text === null) return [];
  const at_ = { ...where, summary_index: 0 };
  return [
    write("response.reasoning_summary_part.added", { ...at_, part: { type: "summary_text", text: "" } }),
    ...chunks(text, size).map((delta) =>
      write("response.reasoning_summary_text.delta", { ...at_, delta }, "thinking", delta),
    ),
    write("response.reasoning_summary_text.done", { ...at_, text }),
    write("response.reasoning_summary_part.done", { ...at_, part: { type: "summary_text", text } }),
  ];
}

function partEvents(item: Item, where: Where, size: number, write: Write): readonly StreamEvent[] {
  const part = at(item["content"], 0);
  const refusal = textAt(part, "refusal");
  const text = refusal ?? textAt(part, "text") ?? "";
  const at_ = { ...where, content_index: 0 };
  const begun =
    refusal === null
      ? { type: "output_text", annotations: [], logprobs: [], text: "" }
      : { type: "refusal", refusal: "" };
  const kind = refusal === null ? "response.output_text" : "response.refusal";
  const more = refusal === null ? { logprobs: [] } : {};
  return [
    write("response.content_part.added", { ...at_, part: begun }),
    ...chunks(text, size).map((delta) => write(`${kind}.delta`, { ...at_, delta, ...more }, "text", delta)),
    write(`${kind}.done`, { ...at_, ...(refusal === null ? { text, ...more } : { refusal }) }),
    write("response.content_part.done", { ...at_, part }),
  ];
}

function isCut(stop: string): boolean {
  return ["max_tokens", "model_context_window_exceeded", "content_filter"].includes(stop);
}

function incompleteReason({ said }: Answer): string | null {
  if (!isCut(said.stop)) return null;
  return said.stop === "content_filter" ? "content_filter" : "max_output_tokens";
}

function usageOf(usage: NonNullable<Answer["usage"]>): object {
  const written = usage.write5m + usage.write1h;
  const input = usage.input + usage.read + written;
  return {
    input_tokens: input,
    input_tokens_details: { cached_tokens: usage.read, cache_write_tokens: written },
    output_tokens: usage.output,
    output_tokens_details: { reasoning_tokens: usage.reasoning },
    total_tokens: input + usage.output,
  };
}
