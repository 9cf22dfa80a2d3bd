/**
 * The simulated provider: every kind of answer and of failure that an adapter can hand out, by the dice. Built on the shipped
 * `scriptedModel`, a step for each call. It looks at every request as a provider would, through `onRequest`.
 */
import { PROVIDER_ERRORS } from "../../src/kernel/provider-errors.ts";
import type { ErrorKind } from "../../src/kernel/error-kind.ts";
import type { JsonObject } from "../../src/kernel/json.ts";
import type { Model, ModelRequest } from "../../src/model/model.ts";
import {
  callTools,
  fail,
  hang,
  refuse,
  say,
  type ScriptedCall,
  type ScriptedStep,
  scriptedModel,
  think,
} from "../../src/testing/scripted-model.ts";
import { crashed } from "./disk.ts";
import type { Dice } from "./dice.ts";
import type { Ledger } from "./ledger.ts";
import { BEHAVIOURS } from "./tools.ts";
import type { SimProcess, World } from "./world.ts";

export const PROVIDER_KINDS: readonly ErrorKind[] = Object.keys(PROVIDER_ERRORS) as ErrorKind[]; // the table's own keys

/** A provider that is down fails every call in one of these ways. */
const OUTAGE = ["overloaded", "rate_limit", "network"] as const;
/** What must never be run: it stands only in answers that failed. */
export const POISON = "POISON";
/** After this, a real adapter has given a silent stream up. Milliseconds. */
const IDLE_MS = 90_000;

export interface ProviderParts {
  readonly world: World;
  readonly process: SimProcess;
  readonly ledger: Ledger;
  readonly luck: Dice;
  /** How often a call fails; 1 is an outage. */
  readonly trouble: number;
  /** It only ever says that it is done. */
  readonly calm: boolean;
  readonly crash: number;
  readonly secret: string;
  /** A token for one effect, unlike all before. */
  readonly token: () => string;
  readonly onRequest: (request: ModelRequest) => void;
}

export function simulatedModel(parts: ProviderParts): Model {
  const { world, process, ledger, luck } = parts;
  return {
    provider: "scripted",
    account: "simulated",
    call: async (request, options) => {
      await process.edge(() => Promise.resolve());
      parts.onRequest(request);
      const latency = luck.duration(5, 4_000);
      const after = process.edge(() => world.sleep(latency));
      const step = nextStep(request, parts);
      ledger.met(`model:${nameOf(step)}`);
      ledger.tell(
        `model: ${nameOf(step)}${step.step === "answer" ? ` ${JSON.stringify(step.calls ?? step.text)}` : ""}`,
      );
      if (luck.chance(parts.crash)) crashed(process, ledger, "while the model is asked");
      await process.edge(() => Promise.resolve());
      if (step.step === "fail") {
        await Promise.race([after, stopped(options.signal)]);
        if (step.kind === "stream_cut") options.onDelta({ type: "tool_input", json: `{"token":"${POISON}"` });
      }
      const idle = new AbortController();
      if (step.step === "hang") void process.clock.sleep(IDLE_MS, options.signal).then(() => idle.abort());
      const signal = AbortSignal.any([options.signal, idle.signal]);
      const whole = step.step === "answer" ? { ...step, after } : step;
      const answer = await scriptedModel([whole]).call(request, { ...options, signal });
      const silent = !answer.ok && answer.aborted && !options.signal.aborted;
      return silent ? { ...answer, aborted: false, kind: "stream_idle" } : answer;
    },
  };
}

function nameOf(step: ScriptedStep): string {
  if (step.step === "fail") return step.kind;
  return step.step === "hang" ? "hang" : (step.stop ?? (step.calls ? "tool_use" : "end_turn"));
}

function stopped(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

function nextStep(request: ModelRequest, parts: ProviderParts): ScriptedStep {
  const { luck, trouble, secret } = parts;
  if (parts.calm) return say("Done.");
  const waiting = /waiting for input as (p\d+)\./.exec(JSON.stringify(request.messages.at(-1)))?.[1];
  if (waiting !== undefined && luck.chance(0.8)) return answerInput(waiting, luck);
  if (luck.chance(trouble)) return trouble === 1 ? fail(luck.pick(OUTAGE)) : failure(luck);
  const text = luck.pick(["Working.", "Looking at it.", `It says ${secret}.`, ""]);
  const thought = luck.chance(0.2) ? luck.pick(["Hm.", `The key ${secret} is there.`]) : undefined;
  const step = luck.weighted<() => ScriptedStep>([
    [60, () => callTools(manyCalls(parts), { text })],
    [8, () => say("Done.")],
    [3, () => say("More follows.", { stop: "pause_turn" })],
    [3, () => say("A very long", { stop: "max_tokens" })],
    [1, () => say("That is all", { stop: "stop_sequence" })],
    [1, () => say("Too much", { stop: "context_window" })],
    [1, () => refuse("No.")],
    [1, () => say("", { stop: "content_filter" })],
    [1, () => callTools(manyCalls(parts), { text, stop: "end_turn" })],
  ])();
  return thought === undefined || step.step !== "answer" ? step : think(thought, step);
}

function failure(luck: Dice): ScriptedStep {
  if (luck.chance(0.08)) return hang();
  const kind = luck.chance(0.5)
    ? luck.pick(["overloaded", "rate_limit", "stream_cut", "network"] as const)
    : luck.pick(PROVIDER_KINDS);
  const usage = {
    input_tokens: 50,
    cache_read_tokens: 0,
    cache_write_5m_tokens: 0,
    cache_write_1h_tokens: 0,
    output_tokens: 7,
  };
  return fail(kind, {
    partial: luck.pick(["", `I will run ${POISON}`]),
    http: luck.pick([null, 200, 429, 529]),
    retry_after_ms: luck.chance(0.3) ? luck.pick([0, 900, 30_000, 4_000_000]) : null,
    usage: luck.pick([null, usage]),
  });
}

function answerInput(handle: string, luck: Dice): ScriptedStep {
  const how: JsonObject = luck.pick([{ input: "yes" }, { stop: true }, {}]);
  return callTools([{ name: "bash", input: { process: handle, ...how } }]);
}

function manyCalls(parts: ProviderParts): readonly ScriptedCall[] {
  return Array.from(
    {
      length: parts.luck.weighted([
        [6, 1],
        [3, 2],
        [1, 4],
      ]),
    },
    () => oneCall(parts),
  );
}

function oneCall(parts: ProviderParts): ScriptedCall {
  const { luck, token } = parts;
  const behave = luck.chance(0.6) ? "ok" : luck.pick(BEHAVIOURS);
  return luck.weighted<() => ScriptedCall>([
    [10, () => ({ name: "bash", input: { command: command(parts), ...limits(luck) } })],
    [8, () => ({ name: "note", input: { token: token(), behave } })],
    [4, () => ({ name: "post", input: { token: token(), behave } })],
    [6, () => ({ name: "look", input: { token: "look", behave } })],
    [3, () => ({ name: "read", input: { path: luck.pick(["readme.txt", "log.txt", "missing.txt"]) } })],
    [3, () => written(token())],
    [2, () => ({ name: "todo", input: { items: queue(luck) } })],
    [1, () => ({ name: "nothing_like_it", input: {} })],
    [1, () => ({ name: "note", input: { token: 7 } })],
  ])();
}

function queue(luck: Dice): JsonObject[] {
  const status = (): string => luck.pick(["pending", "active", "done"]);
  return Array.from({ length: luck.int(0, 4) }, (_, n) => ({ text: `step ${String(n)}`, status: status() }));
}

function written(token: string): ScriptedCall {
  return { name: "write", input: { path: `made/${token}.txt`, content: `${token}\n` } };
}

function limits(luck: Dice): JsonObject {
  return { timeout_ms: luck.duration(500, 40_000), ...(luck.chance(0.15) ? { interactive: true } : {}) };
}

function command({ luck, token }: ProviderParts): string {
  const steps = Array.from({ length: luck.int(1, 4) }, () =>
    luck.weighted<() => string>([
      [10, () => `add ${token()}`],
      [2, () => `junk ${token()}`],
      [2, () => `outside ${token()}`],
      [6, () => `sleep ${luck.duration(1, 30_000)}`],
      [2, () => `sleep ${luck.int(15_000, 40_000)}`],
      [1, () => `out ${luck.pick([100, 50_000])}`],
      [1, () => "secret"],
      [1, () => "lure"],
      [1, () => "input"],
      [1, () => "deaf"],
      [2, () => "escape"],
      [1, () => "hang"],
    ])(),
  );
  return [
    ...steps,
    `exit ${luck.weighted([
      [8, 0],
      [1, 1],
      [1, 137],
    ])}`,
  ].join("\n");
}
