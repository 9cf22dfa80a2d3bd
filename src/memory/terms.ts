/** The words of a text that say what it is about, folded as the search folds them, and how near two texts are by them. Pure. */
import type { Memory } from "../kernel/memory.ts";
import { wordsOf } from "../store/search-words.ts";

/** Words that say nothing about the subject. `change` words stand in `contradiction.ts`: they are looked for in the text itself. */
const STOP_WORDS: ReadonlySet<string> = new Set(
  (
    "a about above across after again all also always am an and any anymore are as at back be because been before being below between both " +
    "but by can could did do does doing done down each else ever every few first fix for from get gets go goes going got had has have he " +
    "her here his how i if in instead into is it its just let like longer make makes many may me might more most move moved moves moving " +
    "much must my need needs never new no nor not now of off on once one only or other our out over own please replace replaced same see " +
    "shall she should since so some still such switch switched than that the their them then there these they thing things this those " +
    "through to too under until up us use used uses using very via want wants was way we were what when where which while who why will " +
    "with would yet you your"
  ).split(" "),
);

/** Single letters and digits are no subject. Characters. */
const TERM_CHARS_MIN = 2;

/** In order, each once. A plural is its singular, as far as that can be told by its last letter. */
export function termsOf(text: string): readonly string[] {
  const words = wordsOf(text).filter((word) => !STOP_WORDS.has(word) && word.length >= TERM_CHARS_MIN);
  return [...new Set(words.map(singular))];
}

function singular(word: string): string {
  return word.length > 3 && word.endsWith("s") && !/(?:ss|us|is|js)$/.test(word) ? word.slice(0, -1) : word;
}

/** The text without what two people write differently: case, accents, punctuation, spaces. */
export function normalised(text: string): string {
  return wordsOf(text).join(" ");
}

/** How many of both have in common: 0 to 1. */
export function likeness(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  const shared = sharedOf(a, b);
  const all = a.size + b.size - shared;
  return all === 0 ? 0 : shared / all;
}

export function sharedOf(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  const [small, large] = a.size <= b.size ? [a, b] : [b, a];
  let shared = 0;
  for (const one of small) if (large.has(one)) shared += 1;
  return shared;
}

/** Runs of two words besides the words: the same words in another order say another thing ("A before B"). */
export function shinglesOf(text: string): ReadonlySet<string> {
  const words = wordsOf(text);
  return new Set([...words, ...words.slice(1).map((word, i) => `${words[i] ?? ""} ${word}`)]);
}

/** What comparing needs of a memory, reckoned once: a dream looks at each of them many times. */
export interface Wording {
  readonly text: string;
  readonly resolves: string;
  readonly terms: ReadonlySet<string>;
  readonly shingles: ReadonlySet<string>;
}

type Worded = Pick<Memory, "text" | "resolves">;

const known = new WeakMap<Worded, Wording>();

export function wordingOf(memory: Worded): Wording {
  const found = known.get(memory);
  if (found !== undefined) return found;
  const { text, resolves } = memory;
  const wording = {
    text: normalised(text),
    resolves: normalised(resolves),
    terms: new Set(termsOf(text)),
    shingles: shinglesOf(text),
  };
  known.set(memory, wording);
  return wording;
}
