/** What is made of a request that a turn is to answer: checked, found in the script, counted in the cache, and played. */
import { createHash } from "node:crypto";
import type { ServerResponse } from "node:http";
import type { Clock } from "../../kernel/clock.ts";
import { type Asking, promptTokens, refused } from "./asking.ts";
import { type CountedPrompt, createPromptCounter, type PromptCounter } from "./cache/counter.ts";
import type { Kept } from "./cache/kept.ts";
import type { CacheAnswer } from "./cache/marked.ts";
import type { CacheBlock } from "./cache/prompt.ts";
import type { Answer, AnswerUsage, ApiError, Asked } from "./dialect.ts";
import { wayOf } from "./fault.ts";
import { createEnforcer } from "./limits/enforcer.ts";
import type { Pass, PoolCounts, Wanted } from "./limits/gate.ts";
import { createStoredResponses, type StoredResponses } from "./openai-responses/stored.ts";
import { createPlaybook, type Play } from "./playbook.ts";
import { maskedKey, type RecordedPlay, type RecordedRequest } from "./request-log.ts";
import { isAnswered, respond } from "./respond.ts";
import { saidBy, usageOf } from "./said.ts";
import type { Scenario } from "./scenario.ts";

/** A client may say here which conversation it is. */
const CONVERSATION_HEADER = "x-emulator-conversation";

export interface Player {
  counts(): readonly PoolCounts[];
  remaining(): readonly string[];
  play(asking: Asking): Promise<void>;
}

export interface PlayerParts {
  readonly scenario: Scenario;
  readonly clock: Clock;
  /** Aborts when the emulator closes. */
  readonly closing: AbortSignal;
  /** Nobody listens for so many milliseconds. */
  readonly refuse: (ms: number) => void;
}

/** A request that is as the provider wants it. */
interface Valid {
  readonly body: unknown;
  readonly blocks: readonly CacheBlock[];
  readonly asked: Asked;
  readonly conversation: string;
}

export function createPlayer({ scenario, clock, closing, refuse }: PlayerParts): Player {
  const playbook = createPlaybook(scenario);
  const stored = createStoredResponses();
  const prompts = createPromptCounter(clock, scenario.cache?.min_tokens);
  const enforcer = createEnforcer(scenario, clock);

  const answerOf = ({ body, asked, conversation }: Valid, { turn, fault, step }: Play, spoken: Spoken): Answer => ({
    ...spoken,
    turn,
    model: asked.model,
    id: `${conversation}_${step + 1}`,
    body,
    usage: fault?.usage_missing ? null : spoken.usage,
    created: Math.floor(clock.now() / 1_000),
    reasoningField: scenario.reasoning_field ?? null,
  });

  /** A request that was let in: its turn is found and played. */
  const playTurn = async (
    asking: Asking,
    valid: Valid,
    { prompt, wanted, ...asks }: Asks,
    pass: Pass,
  ): Promise<void> => {
    const { dialect, response, requestId } = asking;
    const play = playbook.next(valid.asked, valid.conversation);
    if (typeof play === "string") return refused(asking, dialect.invalid(play));
    const { turn, fault } = play;
    const moved = play.first ? (turn.after_ms ?? 0) : 0;
    prompts.move(moved);
    const cached = moved === 0 ? asks.cached : prompts.look(prompt);
    asking.note({ play: recorded(play, valid.conversation, cached, prompts.keep(prompt)) });
    const said = saidBy(turn, fault);
    const usage = usageOf(turn, said, cached.usage);
    pass.settleInput(usage.input + usage.write5m + usage.write1h);
    if (isAnswered(fault)) {
      cached.commit();
      await enforcer.charge(pass, wanted, usage);
    }
    const answer = answerOf(valid, play, { said, usage });
    if (dialect.name === "openai-responses") stored.keep(answer);
    await respond({
      response,
      signal: AbortSignal.any([whenGone(response), closing]),
      stream: valid.asked.stream,
      requestId,
      dialect,
      answer,
      fault,
      wire: { ...scenario.wire, ...turn.wire, ...fault?.wire },
      refuse,
      stamp: () => {
        enforcer.stamp(asking, wanted, fault);
      },
      produced: (share) => {
        pass.produced(Math.ceil(usage.output * share));
      },
    });
  };

  return {
    counts: () => enforcer.counts(),
    remaining: () => playbook.remaining(),
    play: async (asking) => {
      const valid = check(asking, stored, scenario.context_tokens);
      if ("error" in valid) return refused(asking, valid.error);
      const unpriced = await enforcer.unpriced(asking, valid.asked.model);
      if (unpriced) return refused(asking, unpriced);
      const asks = asksOf(prompts, asking, valid);
      const pass = enforcer.admit(asking, asks.wanted);
      if (pass === null) return;
      const leave = (): void => {
        pass.leave();
      };
      // Whichever is first: the client may send its next request before the server has noticed the end of this one.
      asking.response.once("close", leave);
      await playTurn(asking, valid, asks, pass).finally(leave);
    },
  };
}

/** @param limit the context window; absent: there is none */
function check(asking: Asking, stored: StoredResponses, limit?: number): Valid | { readonly error: ApiError } {
  const { dialect, headers, body: sent } = asking;
  const resolved = dialect.name === "openai-responses" ? stored.resolve(sent) : { body: sent };
  if ("error" in resolved) return resolved;
  const { body } = resolved;
  const wrong = dialect.bodyError(body, headers);
  if (wrong) return { error: wrong };
  const blocks = dialect.blocks(body);
  const overflow = limit === undefined ? null : dialect.overflow(body, promptTokens(blocks), limit);
  if (overflow) return { error: overflow };
  const asked = dialect.asked(body, headers);
  return { body, blocks, asked, conversation: conversationOf(asked, headers) };
}

type Spoken = Pick<Answer, "said"> & { readonly usage: AnswerUsage };

interface Asks {
  readonly prompt: CountedPrompt;
  readonly cached: CacheAnswer;
  readonly wanted: Wanted;
}

/** What a request wants of its account, and of the cache. */
function asksOf(prompts: PromptCounter, { dialect, headers }: Asking, valid: Valid): Asks {
  const { asked, blocks, body, conversation } = valid;
  const { model, maxTokens } = asked;
  const { key, label } = keyOf(headers);
  const prompt = { kind: dialect.cache, blocks, body, model, workspace: key, conversation };
  const cached = prompts.look(prompt);
  const { rates } = dialect.limits;
  const wanted = { key, label, dialect: dialect.name, rates, model, prompt: cached.usage, maxTokens };
  return { prompt, cached, wanted };
}

function whenGone(response: ServerResponse): AbortSignal {
  const gone = new AbortController();
  if (response.closed) gone.abort();
  else
    response.once("close", () => {
      // What is written has nothing left to give up, and to make the reason of an abort takes time.
      if (!response.writableFinished) gone.abort();
    });
  return gone.signal;
}

/** One conversation is one first user message of one client, as far as the client says who it is. */
function conversationOf(asked: Asked, headers: RecordedRequest["headers"]): string {
  const identity = JSON.stringify([asked.identity, headers[CONVERSATION_HEADER] ?? null]);
  return createHash("sha256").update(identity).digest("hex").slice(0, 12);
}

/** Of the key only a hash is kept, and its end. */
function keyOf(headers: RecordedRequest["headers"]): { readonly key: string; readonly label: string } {
  const key = headers["x-api-key"] ?? headers["authorization"] ?? "";
  return { key: createHash("sha256").update(key).digest("base64"), label: maskedKey(key) };
}

function recorded(play: Play, conversation: string, { usage }: CacheAnswer, kept: Kept): RecordedPlay {
  return {
    conversation,
    step: play.step,
    turn: play.name,
    fault: play.fault === null ? null : wayOf(play.fault),
    prompt: {
      total: usage.total,
      uncached: usage.input,
      read: usage.read,
      written_5m: usage.write5m,
      written_1h: usage.write1h,
      ...kept,
    },
  };
}
