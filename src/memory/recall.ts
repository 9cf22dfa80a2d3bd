/**
 * Which memories a run begins with: few and short, the best first. Pure: the hits come from the store's search.
 *
 * B1: only what is active is recalled. What was superseded leads to what took its place, which says so.
 * B2: what strangers had a part in is recalled as their text, and only into a session that has taken in such text anyway; never
 *     into a clean one, which it would close to the outside.
 * B3: at most `RECALL_TOKENS_MAX`, and `RECALLED_BYTES_MAX` bytes with all texts put in.
 */
import { textTokens } from "../kernel/bound.ts";
import { type Memory, RECALLED_BYTES_MAX } from "../kernel/memory.ts";
import type { MemoryId } from "../kernel/ids.ts";
import type { MemoryHit } from "../store/memories.ts";
import { type Factors, factorsOf, scoreOf } from "./score.ts";
import { likeness, shinglesOf, termsOf } from "./terms.ts";

/** Of all that is recalled together. */
export const RECALL_TOKENS_MAX = 600;
/** Hits that are asked of the search: recency and use may move one up that the words alone put further down. */
export const RECALL_HITS_MAX = 40;
/** Below this share of the best score a memory is about something else. */
const SCORE_SHARE_MIN = 0.15;
/** Its words alone: a memory that shares one common word with the task is not about it. */
const RANK_SHARE_MIN = 0.2;
/** What is read of a task. Characters; what is at its head says what it is about. */
const QUERY_CHARS_MAX = 2_000;
/** Words of a task that are looked for: the search takes the longest of them. */
const QUERY_TERMS_MAX = 60;
/** From this likeness on two texts say the same: then nothing was replaced, it was said again. */
const SAME_LIKENESS = 0.8;
/** Frame, kind and date around one memory, in bytes. */
const LINE_BYTES = 120;

export interface Recalled {
  readonly memory: Memory;
  readonly factors: Factors;
  readonly score: number;
  /** What it took the place of, newest first, as far as that is still there. */
  readonly replaces: readonly Memory[];
  readonly tokens: number;
}

export interface RecallRequest {
  /** Active and superseded ones, by the store's search. */
  readonly hits: readonly MemoryHit[];
  /** Those that took the place of superseded hits, and what recalled ones took the place of. */
  readonly others: readonly Memory[];
  /** What the conversation shows already. */
  readonly known: ReadonlySet<MemoryId>;
  /** The session has taken in text of strangers. */
  readonly untrusted: boolean;
  readonly now: number;
  readonly limit: number;
}

/** What is looked for. Empty where a task has no word that says what it is about. */
export function recallQuery(task: string): string {
  return termsOf(task.slice(0, QUERY_CHARS_MAX)).slice(0, QUERY_TERMS_MAX).join(" ");
}

/** B1. Ids of those that have to be fetched before `recalled` can say what stands for a superseded hit. */
export function successorsOf(hits: readonly MemoryHit[]): readonly MemoryId[] {
  const there = new Set(hits.map(({ memory }) => memory.id));
  const wanted = hits.flatMap(({ memory }) => memory.superseded_by ?? []);
  return [...new Set(wanted)].filter((id) => !there.has(id));
}

export function recalled(request: RecallRequest): readonly Recalled[] {
  const { others, known, untrusted, limit } = request;
  const scored = scoredHits(request);
  const best = Math.max(0, ...scored.map(({ score }) => score));
  const wanted = scored.filter(
    ({ memory, score, factors }) =>
      score >= best * SCORE_SHARE_MIN &&
      factors.rank >= RANK_SHARE_MIN &&
      !known.has(memory.id) &&
      (untrusted || !memory.untrusted),
  );
  return fitting(wanted, [...request.hits.map(({ memory }) => memory), ...others], limit);
}

type Scored = Pick<Recalled, "memory" | "factors" | "score">;

/** The best first; of two that are worth the same the newer. For `belay memory search` too. */
export function scoredHits({ hits, others, now }: Pick<RecallRequest, "hits" | "others" | "now">): readonly Scored[] {
  const all = new Map([...others, ...hits.map(({ memory }) => memory)].map((memory) => [memory.id, memory]));
  const best = Math.max(0, ...hits.map(({ rank }) => rank));
  const ranks = new Map<MemoryId, number>();
  for (const { memory, rank } of hits) {
    const standing = standingFor(memory, all);
    if (standing === null || best === 0) continue;
    ranks.set(standing.id, Math.max(ranks.get(standing.id) ?? 0, rank / best));
  }
  return [...ranks]
    .flatMap(([id, rank]): Scored[] => {
      const memory = all.get(id);
      if (memory === undefined) return [];
      const factors = factorsOf(memory, rank, now);
      return [{ memory, factors, score: scoreOf(factors) }];
    })
    .sort((a, b) => b.score - a.score || b.memory.created_at - a.memory.created_at);
}

/** How often one memory may have taken the place of another before the end is not looked for any more. */
const SUCCESSIONS_MAX = 5;

function standingFor(memory: Memory, all: ReadonlyMap<MemoryId, Memory>): Memory | null {
  let at: Memory | undefined = memory;
  for (let i = 0; i < SUCCESSIONS_MAX && at !== undefined; i++) {
    if (at.state === "active") return at;
    at = at.superseded_by === null ? undefined : all.get(at.superseded_by);
  }
  return null;
}

/** B3. A longer one that does not fit makes place for a shorter one behind it. */
function fitting(scored: readonly Scored[], all: readonly Memory[], limit: number): readonly Recalled[] {
  const chosen: Recalled[] = [];
  let tokens = 0;
  let bytes = LINE_BYTES;
  for (const one of scored) {
    if (chosen.length >= limit) break;
    const whole = { ...one, replaces: replacedBy(one.memory, all) };
    const fits = [whole, { ...whole, replaces: [] }].map((option) => ({ ...option, ...sizeOf(option) }));
    const fit = fits.find(
      (option) => tokens + option.tokens <= RECALL_TOKENS_MAX && bytes + option.bytes <= RECALLED_BYTES_MAX,
    );
    if (fit === undefined) continue;
    const { bytes: size, ...kept } = fit;
    tokens += kept.tokens;
    bytes += size;
    chosen.push(kept);
  }
  return chosen;
}

function sizeOf({ memory, replaces }: Pick<Recalled, "memory" | "replaces">): {
  readonly tokens: number;
  readonly bytes: number;
} {
  const text = [memory.text, memory.resolves, ...replaces.map((one) => one.text)].join(" ");
  return { tokens: textTokens(text), bytes: Buffer.byteLength(text) + LINE_BYTES };
}

/** Named in what is recalled. */
const REPLACED_MAX = 1;

function replacedBy(memory: Memory, all: readonly Memory[]): readonly Memory[] {
  const words = shinglesOf(memory.text);
  const replaced = all.filter(
    (one) => one.superseded_by === memory.id && likeness(words, shinglesOf(one.text)) < SAME_LIKENESS,
  );
  return [...new Map(replaced.map((one) => [one.id, one])).values()]
    .sort((a, b) => b.created_at - a.created_at)
    .slice(0, REPLACED_MAX);
}
