/** What is made of a request that a turn is to answer: checked, found in the script, counted in the cache, and played. */
import { createHash } from "node:crypto";
import type { ServerResponse } from "node:http";
import type { Clock } from "../../kernel/clock.ts";
import { createAutomaticCache } from "./cache/automatic.ts";
import { createKeptPrompts, type Kept } from "./cache/kept.ts";
import { type CacheAnswer, createMarkedCache } from "./cache/marked.ts";
import type { CacheBlock } from "./cache/prompt.ts";
import type { Answer, ApiError, Asked, Dialect } from "./dialect.ts";
import { type Fault, wayOf } from "./fault.ts";
import { createStoredResponses } from "./openai-responses/stored.ts";
import { createPlaybook, type Play } from "./playbook.ts";
import type { RecordedPlay, RecordedRequest } from "./request-log.ts";
import { isAnswered, respond, sendJson } from "./respond.ts";
import { saidBy, usageOf } from "./said.ts";
import type { Scenario } from "./scenario.ts";
import { tokensOf } from "./tokens.ts";

const RATE_WINDOW_MS = 60_000;
/** A client may say here which conversation it is. */
const CONVERSATION_HEADER = "x-emulator-conversation";

export interface Asking {
  readonly dialect: Dialect;
  readonly headers: RecordedRequest["headers"];
  readonly requestId: string;
  /** How many requests there were before it, itself among them. */
  readonly count: number;
  readonly body: unknown;
  readonly response: ServerResponse;
  readonly note: (play: RecordedPlay) => void;
}

export interface Player {
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
  const countPrompt = promptCounter(scenario, clock);

  const check = ({ dialect, headers, body: sent }: Asking): Valid | { readonly error: ApiError } => {
    const resolved = dialect.name === "openai-responses" ? stored.resolve(sent) : { body: sent };
    if ("error" in resolved) return resolved;
    const { body } = resolved;
    const wrong = dialect.bodyError(body, headers);
    if (wrong) return { error: wrong };
    const blocks = dialect.blocks(body);
    const limit = scenario.context_tokens;
    const overflow = limit === undefined ? null : dialect.overflow(body, promptTokens(blocks), limit);
    if (overflow) return { error: overflow };
    const asked = dialect.asked(body, headers);
    return { body, blocks, asked, conversation: conversationOf(asked, headers) };
  };

  return {
    remaining: () => playbook.remaining(),
    play: async (asking) => {
      const { dialect, response, requestId } = asking;
      const valid = check(asking);
      if ("error" in valid) return refused(asking, valid.error);
      const { asked, body, conversation } = valid;
      const play = playbook.next(asked, conversation);
      if (typeof play === "string") return refused(asking, dialect.invalid(play));
      const { turn, fault } = play;
      const { cached, kept } = countPrompt(asking, valid, play);
      asking.note(recorded(play, conversation, cached, kept));
      if (isAnswered(fault)) cached.commit();
      setRateHeaders(asking, fault, clock.now());
      const said = saidBy(turn, fault);
      const answer: Answer = {
        said,
        turn,
        model: asked.model,
        id: `${conversation}_${play.step + 1}`,
        body,
        usage: fault?.usage_missing ? null : usageOf(turn, said, cached.usage),
        created: Math.floor(clock.now() / 1_000),
        reasoningField: scenario.reasoning_field ?? null,
      };
      if (dialect.name === "openai-responses") stored.keep(answer);
      const gone = new AbortController();
      response.once("close", () => gone.abort());
      await respond({
        response,
        signal: AbortSignal.any([gone.signal, closing]),
        stream: asked.stream,
        requestId,
        dialect,
        answer,
        fault,
        wire: { ...scenario.wire, ...turn.wire, ...fault?.wire },
        refuse,
      });
    },
  };
}

interface Counted {
  readonly cached: CacheAnswer;
  readonly kept: Kept;
}

/** Both caches, on one clock that turns can move on. */
function promptCounter(scenario: Scenario, clock: Clock): (asking: Asking, valid: Valid, play: Play) => Counted {
  const marked = createMarkedCache();
  const automatic = createAutomaticCache();
  const keptPrompts = createKeptPrompts();
  /** Milliseconds by which turns have moved the clock. */
  let moved = 0;
  return ({ dialect, headers }, { blocks, asked, body, conversation }, play) => {
    if (play.first) moved += play.turn.after_ms ?? 0;
    const request = {
      blocks,
      model: asked.model,
      workspace: workspaceOf(headers),
      now: clock.now() + moved,
      minTokens: scenario.cache?.min_tokens,
    };
    const cached = dialect.cache === "marked" ? marked.look(request) : automatic.look(request, body);
    return { cached, kept: keptPrompts.next(conversation, blocks) };
  };
}

export function promptTokens(blocks: readonly CacheBlock[]): number {
  return blocks.reduce((sum, { text, hidden }) => sum + (hidden ? 0 : tokensOf(text)), 0);
}

function setRateHeaders({ dialect, response, count }: Asking, fault: Fault | null, now: number): void {
  const resetMs = fault?.reset_ms ?? RATE_WINDOW_MS;
  const headers = dialect.rateHeaders({ count, now, exhausted: fault?.exhausted ?? null, resetMs });
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
}

export function refused({ response, dialect, requestId }: Asking, error: ApiError): void {
  sendJson(response, error.status, dialect.errorBody(error, requestId));
}

/** One conversation is one first user message of one client, as far as the client says who it is. */
function conversationOf(asked: Asked, headers: RecordedRequest["headers"]): string {
  const identity = JSON.stringify([asked.identity, headers[CONVERSATION_HEADER] ?? null]);
  return createHash("sha256").update(identity).digest("hex").slice(0, 12);
}

/** Of the key only a hash is kept. */
function workspaceOf(headers: RecordedRequest["headers"]): string {
  const key = headers["x-api-key"] ?? headers["authorization"] ?? "";
  return createHash("sha256").update(key).digest("base64");
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
