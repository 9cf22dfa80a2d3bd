/**
 * What a model's context is made of, in order, without its words: whose each segment is and how many tokens of the prompt it
 * is taken to have. Grows with the session up to `SEGMENTS_MAX`; then the oldest half is kept as one segment for each part.
 *
 * C2: after `counted` the tokens of the segments add up to the prompt that the provider counted.
 */
import { apportion } from "./apportion.ts";
import { PROMPT_CLASSES } from "./class-prices.ts";
import { addUsage, NO_USAGE, type Usage } from "../../kernel/usage.ts";

/** Segments that are kept apart. */
export const SEGMENTS_MAX = 2_048;

/** How many bytes a token is about: only where a prompt became shorter and nothing else is known. */
const BYTES_PER_TOKEN = 3;

/** Of one part, next to each other in the context. `tokens` is null until a prompt with it was counted. */
interface Segment {
  readonly part: string;
  readonly bytes: number;
  readonly tokens: number | null;
}

export type Segments = readonly Segment[];

/** The context that is sent next. */
export function joined(sent: Segments, since: Segments): Segments {
  return compacted([...sent, ...since]);
}

/** At the end of what was added. */
export function extended(segments: Segments, part: string, bytes: number): Segments {
  const last = segments.at(-1);
  if (last?.part === part && last.tokens === null)
    return [...segments.slice(0, -1), { part, bytes: last.bytes + bytes, tokens: null }];
  return compacted([...segments, { part, bytes, tokens: null }]);
}

/**
 * C2. What is new since the last count has the tokens that came on top, by bytes. A prompt that did not grow (another model
 * counts otherwise, thinking was left out) is shared out anew over all of it.
 */
export function counted(segments: Segments, prompt: number): Segments {
  const before = segments.reduce((sum, { tokens }) => sum + (tokens ?? 0), 0);
  const old = segments.filter(({ tokens }) => tokens !== null);
  const added = segments.slice(old.length); // what was counted stands in front
  if (prompt < before || added.every(({ bytes }) => bytes === 0)) return countedAnew(segments, prompt);
  const shares = apportion(
    prompt - before,
    added.map(({ bytes }) => bytes),
  );
  return [...old, ...added.map((segment, i) => ({ ...segment, tokens: shares[i] ?? 0 }))];
}

function countedAnew(segments: Segments, prompt: number): Segments {
  const weights = segments.map(({ bytes, tokens }) => (tokens === null ? bytes : tokens * BYTES_PER_TOKEN));
  const shares = apportion(prompt, weights);
  return segments.map((segment, i) => ({ ...segment, tokens: shares[i] ?? 0 }));
}

/**
 * The tokens of a prompt by part and class: the classes lie over the segments in their order, so that what was read from the
 * cache is the beginning of the context and what is fresh its end.
 * @param segments as `counted` for this prompt
 */
export function promptByPart(segments: Segments, usage: Usage): ReadonlyMap<string, Usage> {
  const parts = new Map<string, Usage>();
  const classes = PROMPT_CLASSES.map((name) => ({ name, left: usage[name] }));
  for (const { part, tokens } of segments) {
    let open = tokens ?? 0;
    for (const one of classes) {
      const taken = Math.min(open, one.left);
      if (taken === 0) continue;
      open -= taken;
      one.left -= taken;
      parts.set(part, addUsage(parts.get(part) ?? NO_USAGE, { ...NO_USAGE, [one.name]: taken }));
    }
  }
  return parts;
}

/** What was counted stands before what was not, also afterwards. */
function compacted(segments: Segments): Segments {
  if (segments.length <= SEGMENTS_MAX) return segments;
  const half = Math.ceil(segments.length / 2);
  const merged = new Map<string, Segment>();
  for (const { part, bytes, tokens } of segments.slice(0, half)) {
    const key = `${tokens === null ? "new" : "counted"} ${part}`;
    const known = merged.get(key);
    const sum = tokens === null ? null : tokens + (known?.tokens ?? 0);
    merged.set(key, { part, bytes: bytes + (known?.bytes ?? 0), tokens: sum });
  }
  return [...merged.values(), ...segments.slice(half)];
}
