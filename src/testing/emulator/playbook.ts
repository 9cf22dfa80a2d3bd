/**
 * Which turn answers a request. The place in the script is read from the request itself, never from a counter of the
 * server: a resumed session, a retry and a second agent each go on at their own step.
 *
 * B1: the step of a conversation is the number of assistant messages in its request.
 * B2: a turn with `match` stands outside the order: it answers when its conditions hold, `repeat` times a conversation.
 *     A step once answered by it stays its own, and the order goes on after it.
 * B3: a fault meets the first `times` requests of its step, then the turn is answered.
 */
import { textAt } from "../../model/json-view.ts";
import type { Fault, Scenario, Turn } from "./scenario.ts";
import { blocksOf, conversationKey, resultText, textOf, wireMessages, type WireMessage } from "./wire.ts";

/** Conversations that are remembered; the oldest goes first. */
const CONVERSATIONS_MAX = 10_000;

export interface Play {
  readonly turn: Turn;
  /** Null: answer the turn. */
  readonly fault: Fault | null;
  readonly conversation: string;
  readonly step: number;
}

export interface Playbook {
  /** @returns what to play, or, where the script has ended, the sentence that says so. */
  next(body: unknown): Play | string;
  /** Turns and faults that nobody met, named. */
  remaining(): readonly string[];
}

interface Step {
  readonly entry: Entry;
  readonly conditional: boolean;
  faults: readonly Fault[];
}

interface Entry {
  readonly name: string;
  readonly turn: Turn;
}

interface Script {
  readonly task: string | null;
  readonly ordered: readonly Entry[];
  readonly conditional: readonly Entry[];
}

export function createPlaybook(scenario: Scenario): Playbook {
  const scripts = [
    ...scenario.conversations.map(({ task_contains, turns }, index) =>
      scriptOf(turns, `conversations.${index}.`, task_contains),
    ),
    scriptOf(scenario.turns, "", null),
  ];
  const conversations = new Map<string, Map<number, Step>>();
  const answered = new Set<Entry>();
  const unmet = new Map<Fault, string>(
    scripts.flatMap(({ ordered, conditional }) => [...ordered, ...conditional].flatMap(namedFaults)),
  );

  return {
    next: (body) => {
      const messages = wireMessages(body);
      const script = scriptFor(scripts, messages);
      const conversation = conversationKey(body);
      const steps = recall(conversations, conversation);
      const index = messages.filter(({ role }) => role === "assistant").length;
      const step = steps.get(index) ?? choose(script, steps, index, body, messages);
      if (step === null) {
        const had = script.ordered.length;
        return `emulator: conversation ${conversation} asked for step ${index + 1}, and its script has ${had} turn(s). Last message: ${lastWords(messages)}`;
      }
      steps.set(index, step);
      const [fault, ...rest] = step.faults;
      if (fault !== undefined) {
        step.faults = rest;
        unmet.delete(fault);
      } else answered.add(step.entry);
      return { turn: step.entry.turn, fault: fault ?? null, conversation, step: index };
    },
    remaining: () => {
      const turns = scripts
        .flatMap(({ ordered, conditional }) => [...ordered, ...conditional])
        .filter((entry) => !answered.has(entry));
      return [...turns.map(({ name }) => name), ...unmet.values()];
    },
  };
}

function scriptOf(turns: readonly Turn[], prefix: string, task: string | null): Script {
  const named = turns.map((turn, index): Entry => ({ turn, name: `${prefix}turns.${index}` }));
  return {
    task,
    ordered: named.filter(({ turn }) => turn.match === undefined).flatMap(({ turn, name }) => repeated(turn, name)),
    conditional: named.filter(({ turn }) => turn.match !== undefined),
  };
}

/** Above this a turn is one entry that answers every step from there on. */
const REPEATS_LISTED_MAX = 1_000;

function repeated(turn: Turn, name: string): readonly Entry[] {
  if (turn.repeat === 1 || isEndless(turn)) return [{ turn, name }];
  return Array.from({ length: turn.repeat }, (_, i) => ({ turn, name: `${name} (${i + 1} of ${turn.repeat})` }));
}

function isEndless(turn: Turn): boolean {
  return turn.repeat > REPEATS_LISTED_MAX;
}

/** @param position among the steps that no conditional turn answered. */
function inOrder(ordered: readonly Entry[], position: number): Entry | undefined {
  const last = ordered.at(-1);
  return ordered[position] ?? (last && isEndless(last.turn) ? last : undefined);
}

function namedFaults({ turn, name }: Entry): readonly (readonly [Fault, string])[] {
  return faultsOf(turn).map((fault) => [fault, `${name}.fault`] as const);
}

function faultsOf(turn: Turn): readonly Fault[] {
  if (turn.fault === undefined) return [];
  return Array.isArray(turn.fault) ? turn.fault : [turn.fault];
}

function scriptFor(scripts: readonly Script[], messages: readonly WireMessage[]): Script {
  const task = textOf(messages.find(({ role }) => role === "user")?.blocks ?? []);
  const found = scripts.find((script) => script.task === null || task.includes(script.task));
  // The last script has no task and so takes every conversation.
  return found as Script;
}

function recall(conversations: Map<string, Map<number, Step>>, key: string): Map<number, Step> {
  const known = conversations.get(key) ?? new Map<number, Step>();
  conversations.delete(key);
  conversations.set(key, known);
  for (const oldest of conversations.keys()) {
    if (conversations.size <= CONVERSATIONS_MAX) break;
    conversations.delete(oldest);
  }
  return known;
}

function choose(
  script: Script,
  steps: ReadonlyMap<number, Step>,
  index: number,
  body: unknown,
  messages: readonly WireMessage[],
): Step | null {
  const before = [...steps].flatMap(([at, step]) => (at < index ? [step] : []));
  const matching = script.conditional.find(
    (entry) =>
      holds(entry.turn, body, messages) && before.filter((step) => step.entry === entry).length < entry.turn.repeat,
  );
  if (matching) return stepOf(matching, true);
  const entry = inOrder(script.ordered, index - before.filter(({ conditional }) => conditional).length);
  return entry === undefined ? null : stepOf(entry, false);
}

function stepOf(entry: Entry, conditional: boolean): Step {
  const faults = faultsOf(entry.turn).flatMap((fault) => Array.from({ length: fault.times }, () => fault));
  return { entry, conditional, faults };
}

function holds(turn: Turn, body: unknown, messages: readonly WireMessage[]): boolean {
  const { match } = turn;
  const last = messages.at(-1);
  if (match === undefined || last === undefined) return false;
  const results = last.blocks.filter((block) => block["type"] === "tool_result");
  const contains = (text: string, part: string | undefined): boolean => part === undefined || text.includes(part);
  const result = results.some(
    (block) =>
      contains(resultText(block), match.tool_result_contains) &&
      (match.tool_result_is_error === undefined || (block["is_error"] === true) === match.tool_result_is_error),
  );
  const asksResult = match.tool_result_contains !== undefined || match.tool_result_is_error !== undefined;
  return (
    contains(last.role === "user" ? textOf(last.blocks) : "", match.user_contains) &&
    (!asksResult || result) &&
    contains(textOf(blocksOf(systemOf(body))), match.system_contains) &&
    (match.model === undefined || match.model === textAt(body, "model"))
  );
}

function systemOf(body: unknown): unknown {
  return typeof body === "object" && body !== null && "system" in body ? body.system : null;
}

function lastWords(messages: readonly WireMessage[]): string {
  return JSON.stringify(messages.at(-1)?.blocks ?? null).slice(0, 300);
}
