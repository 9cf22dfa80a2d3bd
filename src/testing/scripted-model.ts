/**
 * A model that answers from a script: for tests of everything that talks to a model, without a network.
 *
 * S1: each call takes the next step of the script; a call past its end throws, naming the position.
 * S2: `assertComplete` throws while steps are unused.
 * S3: like a real adapter it resolves, as aborted, as soon as the call's signal aborts, and mints a new id per tool call.
 */
import type { ModelPart, Origin } from "../kernel/content.ts";
import type { ErrorKind } from "../kernel/error-kind.ts";
import { invariant } from "../kernel/harness-error.ts";
import type { JsonObject } from "../kernel/json.ts";
import type { StopReason } from "../kernel/state.ts";
import type { Usage } from "../kernel/usage.ts";
import type { Model, ModelAnswer, ModelCallOptions, ModelFailure, ModelRequest, RateReport } from "../model/model.ts";

/** What a delta carries at most, so that a script streams like a provider does. Characters. */
const DELTA_CHARS = 20;
/** What a token is reckoned as. Characters. */
const CHARS_PER_TOKEN = 4;
const ORIGIN: Origin = { from: "model", by: "scripted" };

export interface ScriptedCall {
  readonly name: string;
  readonly input: JsonObject;
}

export interface AnswerStep {
  readonly step: "answer";
  readonly think?: string;
  readonly text?: string;
  readonly calls?: readonly ScriptedCall[];
  /** Absent: `tool_use` when there are calls, else `end_turn`. */
  readonly stop?: StopReason;
  /** Absent: reckoned from the request's size. */
  readonly usage?: Usage;
  /** Absent: the provider says nothing about it. */
  readonly rate?: RateReport;
  /** Nothing is streamed before this settles. */
  readonly after?: Promise<unknown>;
}

export interface FailStep {
  readonly step: "fail";
  readonly kind: ErrorKind;
  readonly details: FailDetails;
}

export type FailDetails = Partial<
  Pick<ModelFailure, "message" | "http" | "request_id" | "retry_after_ms" | "sent" | "partial" | "usage" | "rate">
>;

export interface HangStep {
  readonly step: "hang";
}

export type ScriptedStep = AnswerStep | FailStep | HangStep;
type AnswerOptions = Omit<AnswerStep, "step" | "calls">;

/** The model says something and ends its turn. */
export function say(text: string, options: Omit<AnswerOptions, "text"> = {}): AnswerStep {
  return { step: "answer", text, ...options };
}

export function callTool(name: string, input: JsonObject, options: AnswerOptions = {}): AnswerStep {
  return callTools([{ name, input }], options);
}

export function callTools(calls: readonly ScriptedCall[], options: AnswerOptions = {}): AnswerStep {
  return { step: "answer", calls, ...options };
}

/** Puts thinking before an answer; alone it is an answer of thinking only. */
export function think(text: string, then: AnswerStep = { step: "answer" }): AnswerStep {
  return { ...then, think: text };
}

export function refuse(text = ""): AnswerStep {
  return { step: "answer", text, stop: "refusal" };
}

export function fail(kind: ErrorKind, details: FailDetails = {}): FailStep {
  return { step: "fail", kind, details };
}

/** Never answers: the call ends when its signal aborts. */
export function hang(): HangStep {
  return { step: "hang" };
}

export interface ScriptedModel extends Model {
  /** What was asked, in order. */
  readonly calls: readonly ModelRequest[];
  /** Steps not taken yet. */
  remaining(): number;
  /** @throws InvariantError when steps are unused. */
  assertComplete(): void;
}

export function scriptedModel(script: readonly ScriptedStep[], provider = "scripted"): ScriptedModel {
  const calls: ModelRequest[] = [];
  let last = "";
  const usageOf = ({ system, tools, messages }: ModelRequest, step: AnswerStep): Usage => {
    const text = JSON.stringify([system, tools, messages]);
    const prompt = tokens(text);
    // What a request has in common with the one before it was written to the cache by that one.
    const cached = Math.min(prompt, Math.floor(sameFromTheFront(last, text) / CHARS_PER_TOKEN));
    last = text;
    const written = [step.think ?? "", step.text ?? "", JSON.stringify(step.calls ?? [])].join("");
    return {
      input_tokens: 0,
      cache_read_tokens: cached,
      cache_write_5m_tokens: prompt - cached,
      cache_write_1h_tokens: 0,
      output_tokens: tokens(written),
    };
  };
  return {
    provider,
    account: `${provider}@scripted#none`,
    calls,
    remaining: () => script.length - calls.length,
    assertComplete: () => {
      const unused = script.slice(calls.length).map((step, i) => `${calls.length + i + 1} (${step.step})`);
      invariant(unused.length === 0, `invariant S2: steps of the script are unused: ${unused.join(", ")}`);
    },
    call: async (request, options) => {
      calls.push(request);
      const position = calls.length;
      const step = script[position - 1];
      invariant(
        step !== undefined,
        `invariant S1: call ${position} was made, the script has ${script.length} step(s); last message: ${lastMessage(request)}`,
      );
      if (options.signal.aborted) return aborted("");
      switch (step.step) {
        case "fail":
          return failed(step);
        case "hang":
          await untilAborted(options.signal);
          return aborted("");
        case "answer":
          return answer(step, position, request, options, usageOf);
      }
    },
  };
}

function sameFromTheFront(a: string, b: string): number {
  const most = Math.min(a.length, b.length);
  let same = 0;
  while (same < most && a.charCodeAt(same) === b.charCodeAt(same)) same++;
  return same;
}

async function answer(
  step: AnswerStep,
  position: number,
  request: ModelRequest,
  options: ModelCallOptions,
  usageOf: (request: ModelRequest, step: AnswerStep) => Usage,
): Promise<ModelAnswer> {
  if (step.after) await Promise.race([step.after, untilAborted(options.signal)]);
  const parts = partsOf(step, position, options);
  let partial = "";
  for (const delta of parts.flatMap(deltasOf)) {
    // A turn of the event loop between deltas: whoever listens may abort.
    await Promise.resolve();
    if (options.signal.aborted) return aborted(partial);
    if (delta.type === "text") partial += delta.text;
    options.onDelta(delta);
  }
  if (options.signal.aborted) return aborted(partial);
  return {
    ok: true,
    parts,
    stop: step.stop ?? (step.calls ? "tool_use" : "end_turn"),
    usage: step.usage ?? usageOf(request, step),
    model: request.model,
    request_id: `req_scripted_${position}`,
    rate: step.rate ?? null,
  };
}

function partsOf(step: AnswerStep, position: number, options: ModelCallOptions): readonly ModelPart[] {
  const parts: ModelPart[] = [];
  if (step.think !== undefined) {
    parts.push({ type: "thinking", text: step.think, signature: `scripted-signature-${position}`, origin: ORIGIN });
  }
  if (step.text !== undefined && step.text !== "") parts.push({ type: "text", text: step.text, origin: ORIGIN });
  for (const [index, { name, input }] of (step.calls ?? []).entries()) {
    const provider_id = `toolu_scripted_${position}_${index + 1}`;
    parts.push({ type: "tool_use", call: options.toolCallId(), provider_id, name, input, origin: ORIGIN });
  }
  return parts;
}

type Delta = Parameters<ModelCallOptions["onDelta"]>[0];

function deltasOf(part: ModelPart): readonly Delta[] {
  switch (part.type) {
    case "text":
      return pieces(part.text).map((text) => ({ type: "text", text }));
    case "thinking":
      return pieces(part.text).map((text) => ({ type: "thinking", text }));
    case "redacted_thinking":
      return [];
    case "tool_use":
      return [
        { type: "tool_use", name: part.name },
        ...pieces(JSON.stringify(part.input)).map((json): Delta => ({ type: "tool_input", json })),
      ];
  }
}

/** By code points, so that no piece ends inside a character. */
function pieces(text: string): readonly string[] {
  const points = [...text];
  const count = Math.ceil(points.length / DELTA_CHARS);
  return Array.from({ length: count }, (_, i) => points.slice(i * DELTA_CHARS, (i + 1) * DELTA_CHARS).join(""));
}

function failed({ kind, details }: FailStep): ModelFailure {
  return {
    ok: false,
    aborted: false,
    kind,
    message: details.message ?? `scripted failure: ${kind}`,
    http: details.http ?? null,
    request_id: details.request_id ?? null,
    retry_after_ms: details.retry_after_ms ?? null,
    sent: details.sent ?? true,
    partial: details.partial ?? "",
    usage: details.usage ?? null,
    rate: details.rate ?? null,
  };
}

function aborted(partial: string): ModelFailure {
  return { ...failed(fail("interrupted", { message: "The call was aborted.", partial })), aborted: true };
}

async function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => {
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

function tokens(text: string): number {
  return Math.ceil(text.length / CHARS_PER_TOKEN);
}

function lastMessage(request: ModelRequest): string {
  return JSON.stringify(request.messages.at(-1) ?? null).slice(0, 400);
}
