/**
 * The words by which a text is found: the same for every back-end, so that the same query finds the same memories everywhere, and
 * nothing that stands in a query is syntax to an index: a word holds letters, digits and their marks, and nothing else.
 *
 * Case and accents are folded. A name in camel case is found whole and by its parts. Scripts that write no spaces are cut into
 * single characters and pairs.
 */

/** Words of a query that are looked for: of more the longest, which are the rarest as a rule. Each costs a look into the index. */
export const QUERY_WORDS_MAX = 16;

/** What is read of a query. Characters. */
export const QUERY_CHARS_MAX = 4_000;

/** What is kept of a word. Characters; encoded data is one word to us. */
export const WORD_CHARS_MAX = 64;

/** From this length on a word of a query finds what begins with it: "migrat" the migrations. Characters. */
export const PREFIX_CHARS_MIN = 4;

export interface QueryWord {
  readonly word: string;
  /** Longer words that begin with it are meant too. */
  readonly prefix: boolean;
}

const RUN = /[\p{L}\p{N}\p{M}]+/gu;
const UNSPACED =
  /([\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]+)/u;
const ACCENTS = /[\u0300-\u036f]/gu;
const CAMEL = /(?<=[\p{Ll}\p{N}])(?=\p{Lu})/u;

/** @returns the words of a text, in order, as often as they occur */
export function wordsOf(text: string): readonly string[] {
  return runsOf(text).flatMap(({ run, unspaced }) => (unspaced ? [...run, ...pairsOf(run)] : spacedWords(run)));
}

/** @returns each word once; none when there is nothing to look for */
export function queryWords(query: string): readonly QueryWord[] {
  const words = runsOf(query.slice(0, QUERY_CHARS_MAX)).flatMap(({ run, unspaced }) => {
    if (!unspaced) return spacedWords(run);
    const pairs = pairsOf(run);
    return pairs.length > 0 ? pairs : [run];
  });
  const known = [...new Set(words)];
  const kept =
    known.length > QUERY_WORDS_MAX ? known.sort((a, b) => b.length - a.length).slice(0, QUERY_WORDS_MAX) : known;
  return kept.map((word) => ({ word, prefix: [...word].length >= PREFIX_CHARS_MIN }));
}

interface Run {
  readonly run: string;
  readonly unspaced: boolean;
}

function runsOf(text: string): readonly Run[] {
  const folded = text.normalize("NFKD").replace(ACCENTS, "").normalize("NFKC");
  const runs = folded.match(RUN) ?? [];
  // A split by one group yields what it caught at the odd places.
  return runs.flatMap((found) =>
    found.split(UNSPACED).flatMap((run, i) => (run === "" ? [] : [{ run, unspaced: i % 2 === 1 }])),
  );
}

function spacedWords(run: string): readonly string[] {
  const parts = run.split(CAMEL);
  return (parts.length > 1 ? [run, ...parts] : parts).map(shortened);
}

function shortened(word: string): string {
  const lower = word.toLowerCase();
  return lower.length <= WORD_CHARS_MAX ? lower : [...lower].slice(0, WORD_CHARS_MAX).join("");
}

function pairsOf(run: string): readonly string[] {
  const characters = [...run];
  return characters.slice(1).map((character, i) => `${characters[i] ?? ""}${character}`);
}
