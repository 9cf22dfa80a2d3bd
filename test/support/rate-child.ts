/**
 * A process that calls a model over and over, through the rate that it shares with others (or without), and says on its
 * output what became of the calls, one JSON line. It begins when its parent writes a line.
 */
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { ERROR_TABLE, type ErrorKind } from "../../src/kernel/error-kind.ts";
import { createIds, LOCAL_TENANT } from "../../src/kernel/ids.ts";
import { createAdmission } from "../../src/model/admission/cell-admission.ts";
import { type Admission, NO_ADMISSION } from "../../src/model/admission.ts";
import { createAnthropicModel } from "../../src/model/anthropic/adapter.ts";
import type { ModelAnswer, ModelRequest } from "../../src/model/model.ts";
import { createOpenAIModel } from "../../src/model/openai/adapter.ts";
import { retryDelay } from "../../src/model/retry.ts";
import { openSqliteStore } from "../../src/store/sqlite/sqlite-store.ts";
import { systemClock } from "../../src/host/system-clock.ts";

export interface RateTask {
  /** The store that all share; null: every process backs off by itself. */
  readonly store: string | null;
  readonly provider: "anthropic" | "openai";
  readonly url: string;
  readonly name: string;
  /** How long it goes on calling. Milliseconds. */
  readonly for_ms: number;
  /** Calls that it has under way or waiting at the same time. */
  readonly at_once: number;
  /** Makes one call before it is ready: so that the limits are known when all begin. */
  readonly first: boolean;
  /** Of the prompt, about. */
  readonly input_tokens: number;
  readonly max_tokens: number;
}

export interface RateReturns {
  readonly answered: number;
  readonly failed: { readonly [kind: string]: number };
  /** Microseconds that the shared rate took for a call that did not wait: to enter and to settle, medians. */
  readonly enter_us: number | null;
  readonly settle_us: number | null;
}

/** What a token is reckoned as. Characters. */
const CHARS_PER_TOKEN = 4;

async function main(task: RateTask): Promise<RateReturns> {
  const store = task.store === null ? null : await openSqliteStore({ path: task.store, clock: systemClock });
  const admission =
    store === null ? NO_ADMISSION : createAdmission({ cells: store, clock: systemClock, random: Math.random });
  const caller = createCaller(task, admission);
  await caller.warm();
  if (task.first) await caller.call(Number.POSITIVE_INFINITY);
  process.stdout.write("ready\n");
  await once(process.stdin, "data");
  const until = performance.now() + task.for_ms;
  const ends = await Promise.all(Array.from({ length: task.at_once }, () => callOn(caller, until)));
  const took = caller.took();
  await store?.close();
  process.stdin.destroy();
  const failed = ends.flatMap((end) => end.failed);
  return {
    answered: ends.reduce((sum, end) => sum + end.answered, 0),
    failed: Object.fromEntries(failed.map((kind) => [kind, failed.filter((other) => other === kind).length])),
    ...took,
  };
}

/** One call after the other, each failure followed by the wait that the retry rule has for it. */
async function callOn(
  caller: Caller,
  until: number,
): Promise<{ readonly answered: number; readonly failed: readonly ErrorKind[] }> {
  const failed: ErrorKind[] = [];
  let answered = 0;
  let attempt = 0;
  let waited_ms = 0;
  while (performance.now() < until) {
    const answer = await caller.call(until);
    if (answer === null) break;
    if (answer.ok) {
      answered += 1;
      attempt = 0;
      waited_ms = 0;
      continue;
    }
    failed.push(answer.kind);
    attempt += 1;
    const { limit } = ERROR_TABLE[answer.kind];
    if (limit === undefined) break;
    const delay = retryDelay({ limit, attempt, waited_ms, retry_after_ms: answer.retry_after_ms, random: Math.random });
    if ("give_up" in delay) break;
    waited_ms += delay.delay_ms;
    await sleep(Math.min(delay.delay_ms, Math.max(0, until - performance.now())));
  }
  return { answered, failed };
}

interface Caller {
  /** Loads what a first call loads, at an address where nobody listens. */
  warm(): Promise<void>;
  /** One attempt; null when the time is over before it has a turn. */
  call(until: number): Promise<ModelAnswer | null>;
  took(): Pick<RateReturns, "enter_us" | "settle_us">;
}

function createCaller(task: RateTask, admission: Admission): Caller {
  const ids = createIds(
    () => Date.now(),
    (n) => crypto.getRandomValues(new Uint8Array(n)),
  );
  const options = (baseUrl: string): Parameters<typeof createAnthropicModel>[0] => ({
    ...{ apiKey: "sk-the-key-of-all", baseUrl, clock: systemClock },
  });
  const open = (url: string): ReturnType<typeof createAnthropicModel> =>
    task.provider === "anthropic" ? createAnthropicModel(options(url)) : createOpenAIModel(options(`${url}/v1`));
  const model = open(task.url);
  const hears = { onDelta: () => {}, toolCallId: () => ids.toolCall() };
  const entering: number[] = [];
  const settling: number[] = [];
  return {
    warm: async () => {
      await open("http://127.0.0.1:1").call(requestOf(task), { ...hears, signal: new AbortController().signal });
    },
    took: () => ({ enter_us: median(entering), settle_us: median(settling) }),
    call: async (until) => {
      const left_ms = Math.min(60_000, Math.max(1, Math.ceil(until - performance.now())));
      const signal = AbortSignal.timeout(left_ms);
      const began = performance.now();
      const turn = await admission
        .enter(
          {
            ...{ tenant: LOCAL_TENANT, provider: task.provider, model: "model-1", account: model.account },
            ...{ party: task.name, input_tokens: task.input_tokens, output_tokens: task.max_tokens, cached_tokens: 0 },
          },
          { signal, patience_ms: null, onWait: () => Promise.resolve() },
        )
        .catch((error: unknown) => {
          if (signal.aborted) return null;
          throw error;
        });
      if (turn === null || !turn.ok) return null;
      const sent = performance.now();
      if (turn.waited_ms === 0) entering.push(sent - began);
      const answer = await model.call(requestOf(task), { ...hears, signal: new AbortController().signal });
      const ended = performance.now();
      await turn.settle({
        ...{ sent: true, failure: answer.ok ? null : answer, usage: answer.usage, rate: answer.rate },
        duration_ms: ended - sent,
      });
      settling.push(performance.now() - ended);
      return answer;
    },
  };
}

function requestOf({ name, input_tokens, max_tokens }: RateTask): ModelRequest {
  const text = `${name}: ${"word".repeat(Math.max(1, Math.floor((input_tokens * CHARS_PER_TOKEN) / 4) - 12))}`;
  return {
    ...{ model: "model-1", system: "", tools: [], thinking_from: 0, max_tokens, thinking_tokens: null },
    messages: [{ role: "user", parts: [{ type: "text", text, origin: { from: "user" } }] }],
  };
}

function median(samples: readonly number[]): number | null {
  const middle = samples.toSorted((a, b) => a - b)[Math.floor(samples.length / 2)];
  return middle === undefined ? null : Math.round(middle * 1_000);
}

if (process.argv[1] === import.meta.filename) {
  // The parent writes it, and of this type.
  const returns = await main(JSON.parse(process.argv[2] ?? "null") as RateTask);
  process.stdout.write(`${JSON.stringify(returns)}\n`);
}
