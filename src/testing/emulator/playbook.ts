/**
 * Which turn answers a request. The place in the script is read from the request itself, never from a counter of the
 * server: a resumed session, a retry and a second agent each go on at their own step.
 *
 * B1: the step of a conversation is the number of the model's answers in its request. Answers of a paused turn come back as
 *     one message: how many it holds is read from the script, and of the last one from what it says.
 * B2: a turn with `match` stands outside the order: it answers when its conditions hold, `repeat` times a conversation.
 *     A step once answered by it stays its own, and the order goes on after it.
 * B3: a fault meets the first `times` requests of its step, then the turn is answered. Chaos meets what no fault does.
 * B4: with `generate`, a step for which the script has no turn is answered with one that is made for it (generate.ts).
 */
import { drawFault } from "./chaos.ts";
import type { Asked } from "./dialect.ts";
import { type Fault, isHarmless } from "./fault.ts";
import { generatedTurn } from "./generate.ts";
import type { Scenario, Turn } from "./scenario.ts";

/** Conversations that are remembered; the oldest goes first. */
const CONVERSATIONS_MAX = 10_000;
/** Of the last message, in a refusal. Characters. */
const LAST_WORDS_MAX = 300;
/** Stands for a turn without text, which no message holds. */
const NEVER_SAID = "\u0000";
/** B4. Stands for every turn that is made: what it says is made anew each time, and not kept. */
const GENERATED: Entry = {
  name: "generated",
  turn: { say: NEVER_SAID, latency_ms: 0, chunk_chars: 1, chunk_delay_ms: 0, repeat: 1 },
};

export interface Play {
  readonly turn: Turn;
  /** Null: answer the turn. */
  readonly fault: Fault | null;
  readonly step: number;
  readonly name: string;
  /** This request is the first of its step. */
  readonly first: boolean;
}

export interface Playbook {
  /** @returns what to play, or, where the script has ended, the sentence that says so. */
  next(asked: Asked, conversation: string): Play | string;
  /** Turns and faults that nobody met, named. */
  remaining(): readonly string[];
}

interface Step {
  readonly entry: Entry;
  readonly conditional: boolean;
  faults: readonly Fault[];
  attempts: number;
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
    next: (asked, conversation) => {
      const script = scriptFor(scripts, asked.task);
      const steps = recall(conversations, conversation);
      const index = stepIn(script, steps, asked);
      const { generate } = scenario;
      const step =
        steps.get(index) ?? choose(script, steps, asked, index) ?? (generate ? stepOf(GENERATED, false) : null);
      if (step === null) {
        const had = script.ordered.length;
        return `emulator: conversation ${conversation} asked for step ${index + 1}, and its script has ${had} turn(s). Last message: ${asked.lastWords.slice(0, LAST_WORDS_MAX)}`;
      }
      steps.set(index, step);
      const [own, ...rest] = step.faults;
      const fault = own ?? drawFault(scenario.chaos, { conversation, step: index, attempt: step.attempts });
      if (own !== undefined) {
        step.faults = rest;
        unmet.delete(own);
      }
      if (fault === null || isHarmless(fault)) answered.add(step.entry);
      step.attempts += 1;
      const turn =
        generate && step.entry === GENERATED
          ? generatedTurn(generate, { conversation, step: index, maxTokens: asked.maxTokens })
          : step.entry.turn;
      return { turn, fault, step: index, name: step.entry.name, first: step.attempts === 1 };
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

function scriptFor(scripts: readonly Script[], task: string): Script {
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

/** B1 */
function stepIn(script: Script, steps: ReadonlyMap<number, Step>, asked: Asked): number {
  if (asked.pauses === undefined) return asked.step;
  const { open } = asked.pauses;
  const turnAt = (step: number): Turn | undefined => {
    const known = steps.get(step);
    if (known !== undefined) return known.entry.turn;
    const others = [...steps].filter(([at, { conditional }]) => conditional && at < step).length;
    return inOrder(script.ordered, step - others)?.turn;
  };
  let step = 0;
  for (let message = 1; message <= asked.step; message++) {
    const isOpen = message === asked.step && open !== null;
    // An open message goes as far as what it says: a pause that is its end is the one that is gone on from now.
    const goesOn = (): boolean => !isOpen || open.includes(turnAt(step)?.say ?? NEVER_SAID);
    step += 1;
    while (turnAt(step - 1)?.stop === "pause_turn" && goesOn()) step += 1;
  }
  return step;
}

function choose(script: Script, steps: ReadonlyMap<number, Step>, asked: Asked, index: number): Step | null {
  const before = [...steps].flatMap(([at, step]) => (at < index ? [step] : []));
  const matching = script.conditional.find(
    (entry) => holds(entry.turn, asked) && before.filter((step) => step.entry === entry).length < entry.turn.repeat,
  );
  if (matching) return stepOf(matching, true);
  const entry = inOrder(script.ordered, index - before.filter(({ conditional }) => conditional).length);
  return entry === undefined ? null : stepOf(entry, false);
}

function stepOf(entry: Entry, conditional: boolean): Step {
  const faults = faultsOf(entry.turn).flatMap((fault) => Array.from({ length: fault.times }, () => fault));
  return { entry, conditional, faults, attempts: 0 };
}

function holds({ match }: Turn, asked: Asked): boolean {
  if (match === undefined) return false;
  const contains = (text: string, part: string | undefined): boolean => part === undefined || text.includes(part);
  const result = asked.results.some(
    ({ text, isError }) =>
      contains(text, match.tool_result_contains) &&
      (match.tool_result_is_error === undefined || isError === match.tool_result_is_error),
  );
  const asksResult = match.tool_result_contains !== undefined || match.tool_result_is_error !== undefined;
  return (
    contains(asked.userText, match.user_contains) &&
    (!asksResult || result) &&
    contains(asked.system, match.system_contains) &&
    (match.model === undefined || match.model === asked.model)
  );
}
