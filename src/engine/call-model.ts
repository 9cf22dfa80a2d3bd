/** One call to the model: the worst case reserved and the intent written, the answer streamed, the rest settled. */
import { worstCaseTokens } from "../kernel/bound.ts";
import type { Draft } from "../kernel/events/index.ts";
import { NO_MONEY } from "../kernel/money.ts";
import type { Step } from "../kernel/step.ts";
import { NO_USAGE, totalTokens, type Usage } from "../kernel/usage.ts";
import type { Message } from "../kernel/content.ts";
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
  const answer = await model.call(withWholeThinking(request, run), {
    signal: run.signal,
    onDelta: (delta) => {
      firstDelta ??= host.clock.monotonic() - started;
      run.delta(delta);
    },
    toolCallId: () => host.ids.toolCall(),
  });
  const took = {
    duration_ms: Math.round(host.clock.monotonic() - started),
    first_delta_ms: firstDelta === null ? null : Math.round(firstDelta),
  };
  return [finished(call, answer, took), await settled(call, answer, tokens, run)];
}

/** Thinking is signed to the byte: where a secret was taken out for the journal, it is put back for the provider. */
function withWholeThinking(request: ModelRequest, run: Drive): ModelRequest {
  return { ...request, messages: request.messages.map((message) => restored(message, run)) };
}

function restored(message: Message, run: Drive): Message {
  if (message.role === "user" || !message.parts.some((part) => part.type === "thinking")) return message;
  const parts = message.parts.map((part) =>
    part.type === "thinking" ? { ...part, text: run.redactor.restore(part.text) } : part,
  );
  return { ...message, parts };
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
  const lost = !answer.ok && mayHaveSpent(answer) ? Math.max(0, reserved - totalTokens(usage)) : 0;
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

/** An answer that was refused before it began costs nothing; one that was lost on the way may have cost all of it. */
function mayHaveSpent(failure: ModelFailure): boolean {
  if (failure.http !== null && failure.http >= 400) return false;
  return !["dns", "tls", "auth"].includes(failure.kind);
}

async function worstCost(tokens: number, run: Drive): ReturnType<typeof priceOf> {
  const { max_tokens } = run.state();
  return priceOf(
    { ...NO_USAGE, cache_write_5m_tokens: Math.max(0, tokens - max_tokens), output_tokens: max_tokens },
    run,
  );
}

async function priceOf(usage: Usage, run: Drive): Promise<typeof NO_MONEY | null> {
  return (await costOf(usage, run))?.cost ?? null;
}

function costOf(usage: Usage, run: Drive): ReturnType<Drive["host"]["prices"]["costOf"]> {
  const { provider, model } = run.config();
  return run.host.prices.costOf(provider, model, usage);
}
