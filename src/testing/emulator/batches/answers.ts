/**
 * The answers of a batch, settled when it is submitted: what is kept of a request is what its answer is made from. The script's
 * turns answer where it has any, `generate` where it is said, else an echo: the same request gets the same answer.
 */
import { createHash } from "node:crypto";
import type { Clock } from "../../../kernel/clock.ts";
import { asRecord, at } from "../../../model/json-view.ts";
import { createPromptCounter } from "../cache/counter.ts";
import type { Answer, ApiError, Dialect } from "../dialect.ts";
import { isHarmless } from "../fault.ts";
import { createPlaybook } from "../playbook.ts";
import type { RecordedRequest } from "../request-log.ts";
import { saidBy, usageOf } from "../said.ts";
import type { Scenario, Turn } from "../scenario.ts";
import type { Batches } from "./grammar.ts";

const UINT32 = 2 ** 32;
const ECHO_DIGITS = 16;
const PLAIN = { latency_ms: 0, chunk_chars: 1, chunk_delay_ms: 0, repeat: 1 } as const;

export interface Entry {
  readonly custom_id: string;
  /** Of all that was asked but the custom id. */
  readonly content: string;
  readonly outcome: { readonly answer: Answer } | { readonly error: ApiError };
  /** False: it waits until the batch expires. */
  readonly answered: boolean;
}

export interface Answers {
  /** @param body as the provider's own endpoint takes it */
  settle(custom_id: string, body: unknown): Entry;
}

export interface BatchAnswers {
  of(dialect: Dialect, headers: RecordedRequest["headers"]): Answers;
  remaining(): readonly string[];
}

export function createBatchAnswers(scenario: Scenario, how: Batches, clock: Clock): BatchAnswers {
  const playbook = createPlaybook(scenario);
  const prompts = createPromptCounter(clock, scenario.cache?.min_tokens);
  const echoes = scenario.turns.length + scenario.conversations.length === 0 && scenario.generate === undefined;
  const kept = new Map<string, object>();

  const outcomeOf = (
    dialect: Dialect,
    headers: RecordedRequest["headers"],
    { custom_id, body, content }: { readonly custom_id: string; readonly body: unknown; readonly content: string },
  ): Entry["outcome"] => {
    const failing = how.errored.find((some) => holds(some, custom_id));
    if (failing) return { error: dialect.errorOfKind(failing.error) };
    const wrong = dialect.bodyError(body, headers);
    if (wrong) return { error: wrong };
    if (at(body, "stream") === true) return { error: dialect.invalid("stream: batches do not stream") };
    const asked = dialect.asked(body, headers);
    const play = echoes ? echo(content) : playbook.next(asked, content);
    if (typeof play === "string") return { error: dialect.invalid(play) };
    const { turn, fault } = play;
    if (fault !== null && !isHarmless(fault))
      return { error: fault.error ? dialect.errorOfKind(fault.error) : dialect.errorForStatus(fault.status ?? 500) };
    const workspace = headers["x-api-key"] ?? headers["authorization"] ?? "";
    const blocks = dialect.blocks(body);
    const { model } = asked;
    const cached = prompts.look({ kind: dialect.cache, blocks, body, model, workspace, conversation: content });
    cached.commit();
    const said = saidBy(turn, fault);
    const usage = fault?.usage_missing ? null : usageOf(turn, said, cached.usage);
    const created = Math.floor(clock.now() / 1_000);
    const id = `${content.slice(0, ECHO_DIGITS)}_${digest(custom_id).slice(0, 8)}`;
    return { answer: { said, turn, model, id, body: slim(body, content, kept), usage, created, reasoningField: null } };
  };

  return {
    remaining: () => playbook.remaining(),
    of: (dialect, headers) => ({
      settle: (custom_id, body) => {
        const content = digest(JSON.stringify(body));
        const outcome = outcomeOf(dialect, headers, { custom_id, body, content });
        const answered = how.unanswered === undefined || !holds(how.unanswered, custom_id);
        return { custom_id, content, outcome, answered };
      },
    }),
  };
}

function echo(content: string): { readonly turn: Turn; readonly fault: null } {
  return { turn: { say: `echo ${content.slice(0, ECHO_DIGITS)}`, ...PLAIN }, fault: null };
}

/** What an answer repeats of its request, without the input; what all requests of a batch share is kept once. */
function slim(body: unknown, content: string, kept: Map<string, object>): unknown {
  const { input: _, messages: __, system: ___, ...rest } = asRecord(body) ?? {};
  const text = JSON.stringify(rest);
  const known = kept.get(text) ?? rest;
  if (kept.size < KEPT_MAX) kept.set(text, known);
  return Object.assign(Object.create(known) as object, { input: content });
}

/** Forms of requests that are kept once. */
const KEPT_MAX = 1_000;

function holds(
  some: { readonly share?: number | undefined; readonly custom_id?: string | undefined },
  id: string,
): boolean {
  if (some.custom_id !== undefined) return id.includes(some.custom_id);
  return Number.parseInt(digest(id).slice(0, 8), 16) / UINT32 < (some.share ?? 0);
}

export function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
