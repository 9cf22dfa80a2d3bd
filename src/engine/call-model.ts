/** One call to the model: the worst case reserved and the intent written, the answer streamed, the rest settled. */
import { worstCaseTokens, worstCaseUsage } from "../kernel/bound.ts";
import { cutsInput } from "../kernel/silent-truncation.ts";
import type { SessionState } from "../kernel/state.ts";
import type { Draft } from "../kernel/events/index.ts";
import { NO_MONEY } from "../kernel/money.ts";
import type { Step } from "../kernel/step.ts";
import { NO_USAGE, promptTokens, totalTokens, type Usage } from "../kernel/usage.ts";
import { type Message, type ModelPart, type Opaque, plainText } from "../kernel/content.ts";
import type { ModelCallId } from "../kernel/ids.ts";
import type { ModelAnswer, ModelFailure, ModelRequest } from "../model/model.ts";
import { promptOf } from "./prompt.ts";
import { requestHash, requestOf } from "./request.ts";
import type { Drive } from "./run.ts";

type CallStep = Extract<Step, { readonly kind: "call_model" }>;

export async function callModel(step: CallStep, run: Drive): Promise<readonly Draft[]> {
  const { host } = run;
  const state = run.state();
  const { provider } = run.config();
  const model = await host.models.of(provider);
  const prompt = promptOf(host.tools);
  const request = requestOf(state, run.config(), prompt);
  const call = host.ids.modelCall();
  const tokens = worstCaseTokens(state);
  await run.record([
    {
      kind: "BudgetReserved",
      turn: step.turn,
      data: { call, scopes: [`session:${state.session}`], tokens, cost: await worstCost(tokens, run) },
    },
    {
      kind: "ModelCallStarted",
      turn: step.turn,
      data: {
        call,
        provider,
        model: request.model,
        attempt: step.attempt,
        max_tokens: request.max_tokens,
        messages: request.messages.length,
        request: requestHash(request, prompt.versions),
        ...prompt.versions,
      },
    },
  ]);

  const started = host.clock.monotonic();
  let firstDelta: number | null = null;
  // O1 holds for money too: a process that stood still past its lease sends nothing for a session that another one drives.
  const said = await run.ownership.whileOwned(() =>
    model.call(withWholeAnswers(request, run), {
      signal: run.signal,
      onDelta: (delta) => {
        firstDelta ??= host.clock.monotonic() - started;
        run.delta(delta);
      },
      toolCallId: () => host.ids.toolCall(),
      cache_key: state.session,
    }),
  );
  const answer = cutsInputOf(said, state) ?? said;
  const took = {
    duration_ms: Math.round(host.clock.monotonic() - started),
    first_delta_ms: firstDelta === null ? null : Math.round(firstDelta),
  };
  return [finished(call, answer, took), await settled(call, answer, tokens, run)];
}

/**
 * Thinking is signed to the byte, and what a part keeps for its provider is that provider's own: where a secret was taken out
 * for the journal, it is put back for the provider.
 */
function withWholeAnswers(request: ModelRequest, run: Drive): ModelRequest {
  return { ...request, messages: request.messages.map((message) => restored(message, run)) };
}

/** Itself where there is nothing to put back: what a provider's mapping makes of a message is kept by the message. */
function restored(message: Message, run: Drive): Message {
  if (message.role === "user" || !message.parts.some(keepsBytes)) return message;
  return { ...message, parts: message.parts.map((part) => restoredPart(part, run)) };
}

function keepsBytes(part: ModelPart): boolean {
  return part.type === "thinking" || part.type === "redacted_thinking" || part.opaque !== undefined;
}

function restoredPart(part: ModelPart, run: Drive): ModelPart {
  const { redactor } = run;
  if (part.type === "redacted_thinking") return { ...part, data: redactor.restore(part.data) };
  const opaque = part.opaque === undefined ? {} : { opaque: restoredOpaque(part.opaque, run) };
  if (part.type !== "thinking") return part.opaque === undefined ? part : { ...part, ...opaque };
  return { ...part, text: redactor.restore(part.text), signature: redactor.restore(part.signature), ...opaque };
}

function restoredOpaque({ provider, data }: Opaque, run: Drive): Opaque {
  return { provider, data: run.redactor.restoreJson(data) };
}

/** An answer to less than was sent is none: what it says was said without knowing the rest. */
function cutsInputOf(answer: ModelAnswer, state: SessionState): ModelFailure | null {
  if (!answer.ok || !cutsInput(state, answer)) return null;
  const { usage, request_id, parts } = answer;
  const read = promptTokens(usage);
  return {
    ok: false,
    aborted: false,
    kind: "silent_truncation",
    message: `The provider read ${read} tokens; for the beginning of the same conversation it had read ${state.counted?.reported?.prompt ?? 0}.`,
    http: null,
    request_id,
    retry_after_ms: null,
    sent: true,
    partial: plainText(parts),
    usage,
  };
}

function finished(
  call: ModelCallId,
  answer: ModelAnswer,
  took: { readonly duration_ms: number; readonly first_delta_ms: number | null },
): Draft {
  if (!answer.ok) {
    const { kind, message, http, request_id, retry_after_ms, partial, usage } = answer;
    return {
      kind: "ModelCallFailed",
      data: { call, kind, message, http, request_id, retry_after_ms, partial, usage, duration_ms: took.duration_ms },
    };
  }
  const { parts, stop, usage, model, request_id } = answer;
  return {
    kind: "ModelCallFinished",
    actor: "model",
    data: { call, parts: [...parts], stop, usage, model, request_id, ...took },
  };
}

async function settled(call: ModelCallId, answer: ModelAnswer, reserved: number, run: Drive): Promise<Draft> {
  const usage = answer.usage ?? NO_USAGE;
  const matched = await costOf(usage, run);
  const lost = !answer.ok && mayHaveSpentMore(answer) ? Math.max(0, reserved - totalTokens(usage)) : 0;
  const spentNothing = totalTokens(usage) === 0;
  return {
    kind: "BudgetSettled",
    data: {
      call,
      usage,
      cost: spentNothing ? NO_MONEY : (matched?.cost ?? null),
      price: matched?.price ?? null,
      unknown_tokens: lost,
    },
  };
}

/**
 * An answer that was refused before it began, or that was never asked for, costs nothing; one that was lost on the way may have
 * cost all of it. What a whole answer cost is known.
 */
function mayHaveSpentMore(failure: ModelFailure): boolean {
  if (failure.http !== null && failure.http >= 400) return false;
  return failure.sent && failure.kind !== "silent_truncation";
}

async function worstCost(tokens: number, run: Drive): ReturnType<typeof priceOf> {
  return priceOf(worstCaseUsage(tokens, run.state().max_tokens), run);
}

async function priceOf(usage: Usage, run: Drive): Promise<typeof NO_MONEY | null> {
  return (await costOf(usage, run))?.cost ?? null;
}

function costOf(usage: Usage, run: Drive): ReturnType<Drive["host"]["prices"]["costOf"]> {
  const { provider, model } = run.config();
  return run.host.prices.costOf(provider, model, usage);
}
