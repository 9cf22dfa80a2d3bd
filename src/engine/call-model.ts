/** One call to the model: its turn under the shared rate, the worst case reserved with the intent, the answer streamed, the rest settled. */
import { likelyTokens } from "../kernel/bound.ts";
import { type Message, type ModelPart, type Opaque, plainText } from "../kernel/content.ts";
import { ERROR_TABLE } from "../kernel/error-kind.ts";
import { HarnessError } from "../kernel/harness-error.ts";
import type { Draft, EventOf } from "../kernel/events/index.ts";
import type { ModelCallId } from "../kernel/ids.ts";
import { type ChosenModel } from "../kernel/model-policy.ts";
import { modelInUse, nextModel } from "../kernel/model-in-use.ts";
import { NO_MONEY, nanoDollars } from "../kernel/money.ts";
import { cutsInput } from "../kernel/silent-truncation.ts";
import type { SessionState } from "../kernel/state.ts";
import type { Step } from "../kernel/step.ts";
import { NO_USAGE, promptTokens, totalTokens } from "../kernel/usage.ts";
import type { Admitted, CallEnd, NotAdmitted } from "../model/admission.ts";
import type { Model, ModelAnswer, ModelFailure, ModelRequest } from "../model/model.ts";
import { BudgetRefusal } from "../store/ledger.ts";
import { answerTokens, requestHash, requestOf } from "./request.ts";
import { reserve } from "./reserve.ts";
import { withReferences } from "./memory/references.ts";
import { shownMemories, withMemories } from "./memory/texts.ts";
import type { Drive } from "./run.ts";

type CallStep = Extract<Step, { readonly kind: "call_model" }>;

export async function callModel(step: CallStep, run: Drive): Promise<readonly Draft[]> {
  const chosen = modelInUse(run.state());
  const model = await run.host.models.of(chosen.provider);
  const entry = await admitted(model, chosen, run).catch(async (error: unknown) => {
    if (!run.signal.aborted) throw error;
    // A session that was lost says so here. Whoever else stopped the wait has journaled it: `decide` says what follows.
    await run.settle();
    const { run: going } = run.state();
    if (going?.cancel == null && going?.limit == null) throw stoppedUnheard();
    return null;
  });
  if (entry === null) return [];
  if (!entry.ok) return [refused(step, chosen, { ...entry, refused_by: null })];
  const sent = await sendReserved({ step, chosen, model, entry }, run);
  if (sent instanceof BudgetRefusal) {
    const { kind, happened, todo, refused_by } = sent;
    return [
      ...waitedFor(entry, chosen),
      refused(step, chosen, { kind, message: `${happened} ${todo}`, retry_after_ms: null, refused_by }),
    ];
  }
  return sent;
}

interface Entered {
  readonly step: CallStep;
  readonly chosen: ChosenModel;
  readonly model: Model;
  readonly entry: Admitted;
}

const RATE_HEALTH = "rate";

/** D4: without an event that says so, `decide` would have the call begun again and again. */
function stoppedUnheard(): HarnessError {
  const todo = "See `--debug` for why, then resume: what was done is kept.";
  return new HarnessError("interrupted", "The run was stopped, and the journal could not be told so.", todo);
}

const NOT_SENT: CallEnd = { sent: false, failure: null, usage: null, rate: null, duration_ms: 0 };

/** Its turn under the rate that all processes share. */
async function admitted(model: Model, chosen: ChosenModel, run: Drive): Promise<Admitted | NotAdmitted> {
  const state = run.state();
  const { models } = run.config();
  const { prompt, cached } = likelyTokens(state);
  return run.host.admission.enter(
    {
      tenant: state.tenant,
      ...chosen,
      account: model.account,
      party: state.session,
      input_tokens: prompt,
      cached_tokens: cached,
      output_tokens: state.max_tokens,
    },
    {
      signal: run.signal,
      // Where no other model may take over, waiting is all there is to do, up to the bound of the table's row.
      patience_ms:
        nextModel(state, "rate_limit") === null ? (ERROR_TABLE.rate_limit.limit?.total_ms ?? null) : models.patience_ms,
      onWait: async ({ wait_ms, reason }) => {
        await run.settle(); // E4; and the wait is not seen before what it follows on
        run.delta({ type: "waiting", for: "rate", wait_ms, reason });
      },
    },
  );
}

function waitedFor({ waited_ms, reason }: Admitted, chosen: ChosenModel): readonly Draft[] {
  return waited_ms === 0 ? [] : [{ kind: "RateWaited", data: { ...chosen, waited_ms, reason } }];
}

function refused(
  step: CallStep,
  chosen: ChosenModel,
  why: Pick<EventOf<"ModelCallRefused">["data"], "kind" | "message" | "retry_after_ms" | "refused_by">,
): Draft {
  const { kind, message, retry_after_ms, refused_by } = why;
  return {
    kind: "ModelCallRefused",
    turn: step.turn,
    data: { ...chosen, attempt: step.attempt, purpose: step.purpose, kind, message, retry_after_ms, refused_by },
  };
}

/** The intent with its reservation, then the call. The turn is given back whatever comes of it. */
async function sendReserved(entered: Entered, run: Drive): Promise<readonly Draft[] | BudgetRefusal> {
  const { step, chosen, entry } = entered;
  const { host } = run;
  const { prompt } = run;
  const call = host.ids.modelCall();
  const asked = (reserved: number): ModelRequest => ({
    ...requestOf(run.state(), run.config(), prompt, step.purpose),
    max_tokens: answerTokens(reserved, step.purpose, run.config()),
  });
  const intent = (request: ModelRequest): Draft => ({
    kind: "ModelCallStarted",
    turn: step.turn,
    data: {
      call,
      ...chosen,
      attempt: step.attempt,
      purpose: step.purpose,
      max_tokens: request.max_tokens,
      messages: request.messages.length,
      request: requestHash(request, prompt.versions),
      ...prompt.versions,
    },
  });
  const drafts = (reserved: Draft, max_tokens: number): readonly Draft[] => [
    ...waitedFor(entry, chosen),
    reserved,
    intent(asked(max_tokens)),
  ];
  const reserved = await reserve({ call, turn: step.turn, chosen, drafts }, run).catch(async (error: unknown) => {
    await entry.settle(NOT_SENT);
    throw error;
  });
  if (reserved instanceof BudgetRefusal) {
    await entry.settle(NOT_SENT);
    return reserved;
  }
  const answered = await send({ ...entered, call, request: asked(reserved.max_tokens ?? run.state().max_tokens) }, run);
  return [
    answered.draft,
    await settled({ call, chosen, answer: answered.answer, reserved }, run),
    ...unreadHeaders(answered.answer, run),
  ];
}

/** What a provider said about the rate and nobody could read is told once in a run: nothing was taken from it. */
function unreadHeaders({ rate }: ModelAnswer, run: Drive): readonly Draft[] {
  const [first, ...more] = rate?.ignored ?? [];
  if (first === undefined || run.state().health[RATE_HEALTH] !== undefined) return [];
  const others = more.length === 0 ? "" : ` and ${more.length} more`;
  const reason = `The provider's headers about its rate could not be read and were ignored: ${first}${others}.`;
  return [{ kind: "HealthChanged", data: { subsystem: RATE_HEALTH, status: "degraded", reason } }];
}

/** Sends, and hears the answer. */
async function send(
  { model, entry, call, request }: Entered & { readonly call: ModelCallId; readonly request: ModelRequest },
  run: Drive,
): Promise<{ readonly answer: ModelAnswer; readonly draft: Draft }> {
  const { host } = run;
  const state = run.state();
  const started = host.clock.monotonic();
  let firstDelta: number | null = null;
  let end: CallEnd = NOT_SENT;
  try {
    const messages = await withMemories(request.messages, run);
    // O1 holds for money too: a process that stood still past its lease sends nothing for a session that another one drives.
    const said = await run.ownership.whileOwned(() =>
      model.call(withWholeAnswers({ ...request, messages }, run), {
        signal: run.signal,
        onDelta: (delta) => {
          firstDelta ??= host.clock.monotonic() - started;
          run.delta(delta);
        },
        toolCallId: () => host.ids.toolCall(),
        cache_key: state.session,
      }),
    );
    const duration_ms = Math.round(host.clock.monotonic() - started);
    end = endOf(said, duration_ms);
    showRate(said, run);
    const answer = await withReferences(cutsInputOf(said, state) ?? said, run, shownMemories(run));
    const took = { duration_ms, first_delta_ms: firstDelta === null ? null : Math.round(firstDelta) };
    return { answer, draft: finished(call, answer, took) };
  } finally {
    await entry.settle(end);
  }
}

function endOf(answer: ModelAnswer, duration_ms: number): CallEnd {
  const { usage, rate } = answer;
  if (answer.ok) return { sent: true, failure: null, usage, rate, duration_ms };
  const { kind, message, retry_after_ms, aborted, sent } = answer;
  // That a person stopped it says nothing about the model.
  return { sent, failure: aborted ? null : { kind, message, retry_after_ms }, usage, rate, duration_ms };
}

function showRate({ rate }: ModelAnswer, run: Drive): void {
  if (rate === null) return;
  const { requests, tokens, input_tokens, output_tokens } = rate;
  const used = Object.entries({ requests, tokens, input_tokens, output_tokens }).flatMap(([what, bucket]) =>
    bucket === null || bucket.limit === null || bucket.limit <= 0 || bucket.remaining === null
      ? []
      : [{ what: what.replaceAll("_", " "), share: Math.min(1, Math.max(0, 1 - bucket.remaining / bucket.limit)) }],
  );
  if (used.length > 0) run.delta({ type: "rate", used });
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
    rate: answer.rate,
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

interface Answered {
  readonly call: ModelCallId;
  readonly chosen: ChosenModel;
  readonly answer: ModelAnswer;
  readonly reserved: EventOf<"BudgetReserved">["data"];
}

async function settled({ call, chosen, answer, reserved }: Answered, run: Drive): Promise<Draft> {
  const usage = answer.usage ?? NO_USAGE;
  const matched = await run.host.prices.costOf(chosen.provider, chosen.model, usage);
  const cost = totalTokens(usage) === 0 ? NO_MONEY : (matched?.cost ?? null);
  // A provider that counted nothing of an answer did not give it for nothing.
  const lost = answer.ok ? totalTokens(usage) === 0 : mayHaveSpentMore(answer);
  const rest = (whole: number, part: number): number => (lost ? Math.max(0, whole - part) : 0);
  return {
    kind: "BudgetSettled",
    data: {
      call,
      usage,
      cost,
      price: matched?.price ?? null,
      unknown_tokens: rest(reserved.tokens, totalTokens(usage)),
      unknown_cost: reserved.cost === null || cost === null ? null : nanoDollars(rest(reserved.cost, cost)),
    },
  };
}

/** Said by what stands before a provider: it waits no longer for an answer that may still be written. */
const OF_A_GATEWAY: ReadonlySet<number> = new Set([502, 504, 520, 524]);

/**
 * An answer that was refused before it began, or that was never asked for, costs nothing; one that was lost on the way may have
 * cost all of it. What a whole answer cost is known.
 */
function mayHaveSpentMore(failure: ModelFailure): boolean {
  if (failure.http !== null && failure.http >= 400) return OF_A_GATEWAY.has(failure.http);
  return failure.sent && failure.kind !== "silent_truncation";
}
