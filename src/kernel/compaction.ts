/**
 * When a conversation is made smaller, and when that has to end. Pure; prices are shares of the price of a fresh token.
 *
 * X1: a session never goes from one compaction to the next without end: one that freed too little, or a third one within ten turns,
 *     ends the run.
 * X2: old results are cleared only where that pays for the cache it breaks, or where it keeps the conversation under the threshold.
 */
import { likelyTokens, partTokens } from "./bound.ts";
import type { Message, ToolResultPart, ToolUsePart } from "./content.ts";
import type { ToolCallId } from "./ids.ts";
import type { Compaction, CompactionLayer, SessionState } from "./state.ts";
import { DEFAULT_CONTEXT, WINDOW_DEFAULT } from "./work-policy.ts";

/** A compaction that frees less than this share of the prompt does not help. */
export const FREED_SHARE_MIN = 0.2;
/** So many within so many turns are no way to go on. */
export const COMPACTIONS_IN_A_ROW_MAX = 2;
const IN_A_ROW_TURNS = 10;

/** Of a prompt that is read from the provider's cache, and of one that is written to it. */
const CACHE_READ = 0.1;
const CACHE_WRITE = 1.25;

/** How often clearing old results is weighed. Turns. */
const MICRO_WEIGHED_EVERY = 5;
/** A result below this is not worth a line that stands in for it. Tokens. */
const RESULT_TOKENS_MIN = 200;
/** The newest results, as a share of the window, and at most. Tokens. */
const NEWEST_SHARE = 0.2;
const NEWEST_TOKENS_MAX = 40_000;
/** What is freed at once at least, as a share of the window, and at most needed. Tokens. */
const FREED_AT_ONCE_SHARE = 0.1;
const FREED_AT_ONCE_MAX = 20_000;
/** A file that was touched so lately is being worked with. Turns. */
const AT_WORK_TURNS = 10;
/** Nobody knows how long a session goes on: about as long as it did, within these. Turns. */
const HORIZON_MIN = 5;
const HORIZON_MAX = 50;
/** After clearing, the conversation has at least this much room under the threshold, or it is compacted whole. */
const ROOM_SHARE = 0.85;
/** A whole compaction keeps about so much of the window: the head, and the newest turns. */
const KEPT_SHARE = 0.15;

export interface DueCompaction {
  readonly layer: Exclude<CompactionLayer, "fresh">;
  readonly reason: string;
  /** Of `micro`: whose results are cleared. */
  readonly calls: readonly ToolCallId[];
}

export interface NoWayOut {
  readonly reason: string;
  readonly value: number;
  readonly max: number;
}

export function windowOf({ config }: Pick<SessionState, "config">): number {
  return config?.context.window ?? WINDOW_DEFAULT;
}

/** Tokens at which the conversation is compacted. */
export function thresholdOf({ config }: Pick<SessionState, "config">): number {
  const window = windowOf({ config });
  // The answer needs room too.
  const room = window - (config?.max_tokens ?? 0);
  return Math.max(1, Math.min(Math.floor(window * (config?.context.threshold ?? 1)), room));
}

/** What is due before the next call of the model; null where nothing is. */
export function dueCompaction(state: SessionState, turn: number): DueCompaction | null {
  const { prompt } = likelyTokens(state);
  const threshold = thresholdOf(state);
  if (prompt >= threshold) return atThreshold(state, prompt, threshold);
  const last = state.compactions.at(-1);
  if (last?.turn === state.turn && last.run === state.runs) return null;
  return byCount(state, prompt, turn) ?? weighedMicro(state, turn);
}

/** After so many turns, whatever it costs, or where it pays. */
function byCount(state: SessionState, prompt: number, turn: number): DueCompaction | null {
  const { compact_every: every, weigh_every } = state.config?.context ?? DEFAULT_CONTEXT;
  const since = turn - 1 - (state.compactions.findLast(isWhole)?.turn ?? 0);
  // Where nearly all of it is what has to stay, there is nothing to compact.
  if (every !== null && since >= every && tokensFrom(state.messages, 1) >= prompt * FREED_SHARE_MIN)
    return { layer: "auto", reason: `${since} turns since the last compaction (compact_every: ${every})`, calls: [] };
  if (turn === 1 || (turn - 1) % weigh_every !== 0 || !pays(wholeSaving(state, prompt), turn, state)) return null;
  return { layer: "auto", reason: `weighed after turn ${turn - 1}: it pays for itself`, calls: [] };
}

/** X1: what stands against another compaction in this run; null where nothing does. */
export function noWayOut(state: SessionState): NoWayOut | null {
  const whole = state.compactions.filter((one) => isWhole(one) && one.run === state.runs);
  const last = whole.at(-1);
  const max = thresholdOf(state);
  // One that was not needed stands in nobody's way, however little it freed: the next comes many turns later.
  const needed = last?.layer === "reactive" || (last?.before ?? 0) >= max;
  if (needed && last?.turn === state.turn && last.before - last.after < last.before * FREED_SHARE_MIN) {
    const freed = Math.max(0, Math.round((1 - last.after / Math.max(1, last.before)) * 100));
    const reason = `A compaction freed ${freed} % of the conversation, less than ${FREED_SHARE_MIN * 100} %: what is left is the task, its instructions and the newest turns.`;
    return { reason, value: last.after, max };
  }
  return null;
}

/** X1: whether one more would be the third within ten turns. */
export function tooManyCompactions(state: SessionState): NoWayOut | null {
  const lately = state.compactions.filter(
    (one) => isWhole(one) && one.run === state.runs && state.turn - one.turn < IN_A_ROW_TURNS,
  );
  if (lately.length < COMPACTIONS_IN_A_ROW_MAX) return null;
  const reason = `The conversation would be compacted for the third time within ${IN_A_ROW_TURNS} turns: each turn brings in more than fits.`;
  return { reason, value: likelyTokens(state).prompt, max: thresholdOf(state) };
}

function isWhole({ layer }: Compaction): boolean {
  return layer === "auto" || layer === "reactive";
}

function atThreshold(state: SessionState, prompt: number, threshold: number): DueCompaction {
  const reason = `${prompt} of ${windowOf(state)} tokens, over the threshold of ${threshold}`;
  const calls = clearable(state);
  const freed = calls.reduce((sum, one) => sum + one.tokens, 0);
  if (prompt - freed <= threshold * ROOM_SHARE) {
    return { layer: "micro", reason, calls: calls.map(({ call }) => call) };
  }
  return { layer: "auto", reason, calls: [] };
}

/** X2. */
function weighedMicro(state: SessionState, turn: number): DueCompaction | null {
  if (turn === 1 || (turn - 1) % MICRO_WEIGHED_EVERY !== 0) return null;
  const calls = clearable(state);
  const freed = calls.reduce((sum, one) => sum + one.tokens, 0);
  if (freed < Math.min(FREED_AT_ONCE_MAX, windowOf(state) * FREED_AT_ONCE_SHARE)) return null;
  const first = calls[0]?.message ?? 0;
  const rewritten = tokensFrom(state.messages, first) - freed;
  if (!pays({ freed, rewritten }, turn, state)) return null;
  const reason = `clearing about ${freed} tokens of old results pays for ${rewritten} tokens that are written to the cache again`;
  return { layer: "micro", reason, calls: calls.map(({ call }) => call) };
}

interface Saving {
  /** Tokens that are not read any more in each turn that follows. */
  readonly freed: number;
  /** Tokens that are written to the cache again once. */
  readonly rewritten: number;
}

function wholeSaving(state: SessionState, prompt: number): Saving {
  const kept = Math.floor(windowOf(state) * KEPT_SHARE);
  // The summary reads the whole conversation once more, from the cache.
  return { freed: prompt - kept, rewritten: kept + (state.config?.context.summary === true ? prompt * CACHE_READ : 0) };
}

function pays({ freed, rewritten }: Saving, turn: number, state: SessionState): boolean {
  if (freed <= 0) return false;
  const left = (state.config?.limits.turns ?? turn) - turn + 1;
  const horizon = Math.min(Math.max(HORIZON_MIN, Math.min(turn - 1, HORIZON_MAX)), left);
  // Where nothing was ever read from a cache, none can be broken, and every token is read at its full price.
  if (state.usage.cache_read_tokens === 0 && turn > 2) return freed * horizon > rewritten;
  return freed * CACHE_READ * horizon > rewritten * (CACHE_WRITE - CACHE_READ);
}

interface Clearable {
  readonly call: ToolCallId;
  /** Index of the message that holds the result. */
  readonly message: number;
  /** What clearing it frees. */
  readonly tokens: number;
}

/** Old results that are worth clearing, oldest first: not the newest ones, and not of files that are being worked with. */
export function clearable(state: SessionState): readonly Clearable[] {
  const { messages } = state;
  const uses = toolUses(messages);
  const atWork = new Set(
    state.continuity.files.filter(({ turn }) => state.turn - turn < AT_WORK_TURNS).map(({ path }) => path),
  );
  const newest = Math.min(NEWEST_TOKENS_MAX, Math.floor(windowOf(state) * NEWEST_SHARE));
  const found: Clearable[] = [];
  const seen = new Set<string>();
  let kept = 0;
  for (let index = messages.length - 1; index >= 0; index--) {
    for (const part of resultsOf(messages[index])) {
      const tokens = partTokens(part);
      const path = pathOf(uses.get(part.call));
      // Of a file at work the latest reading stays, wherever it is.
      const isAtWork = path !== null && atWork.has(path) && !seen.has(path);
      if (path !== null) seen.add(path);
      kept += tokens;
      // What the model has not seen yet is not old, however long it is.
      const isUnseen = index === messages.length - 1;
      if (isUnseen || kept <= newest || isAtWork || tokens < RESULT_TOKENS_MIN || isReceipt(part)) continue;
      found.unshift({ call: part.call, message: index, tokens: tokens - RECEIPT_TOKENS });
    }
  }
  return found;
}

/** About what a receipt has. Tokens. */
const RECEIPT_TOKENS = 50;

export function isReceipt(part: ToolResultPart): boolean {
  const [only] = part.content;
  return only?.origin.from === "belay" && only.origin.by === "receipt";
}

export function toolUses(messages: readonly Message[]): ReadonlyMap<ToolCallId, ToolUsePart> {
  const uses = new Map<ToolCallId, ToolUsePart>();
  for (const { role, parts } of messages) {
    if (role !== "assistant") continue;
    for (const part of parts) if (part.type === "tool_use") uses.set(part.call, part);
  }
  return uses;
}

export function resultsOf(message: Message | undefined): readonly ToolResultPart[] {
  if (message?.role !== "user") return [];
  return message.parts.filter((part): part is ToolResultPart => part.type === "tool_result");
}

function pathOf(use: ToolUsePart | undefined): string | null {
  const path = use?.name === "read" ? use.input["path"] : null;
  return typeof path === "string" ? path : null;
}

/** Likely tokens of the messages from `index` on. */
export function tokensFrom(messages: readonly Message[], index: number): number {
  return messages
    .slice(index)
    .reduce((sum, { parts }) => sum + parts.reduce((all, part) => all + partTokens(part), 0), 0);
}
