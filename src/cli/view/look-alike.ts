/**
 * Words that look like others: letters of another script among Latin ones (`аpple` with a Cyrillic а), a whole word of such
 * letters, full-width and mathematical letters, signs that look like those of a shell. It warns a person, and decides nothing.
 */

/** Words that are pointed out; more are counted by nobody. */
const WORDS_MAX = 8;
const WORD_CHARS_MAX = 60;

/** Scripts that have letters of the same shape as Latin ones. Han, Kana, Hangul and others beside Latin letters are ordinary text. */
const SCRIPTS = ["Cyrillic", "Greek", "Armenian", "Cherokee", "Coptic", "Lisu", "Deseret", "Georgian"] as const;
const OF_SCRIPT: readonly (readonly [string, RegExp])[] = SCRIPTS.map((script) => [
  script,
  new RegExp(`^\\p{Script=${script}}$`, "u"),
]);
const LATIN = /\p{Script=Latin}/u;

/** Letters that can stand for a Latin one in most fonts. A word of nothing else reads as a Latin word. */
const TWINS = new Set("асеорхуіјѕһԁԛԝАВЕКМНОРСТХУІЈЅԌԚԜαορνικυχΑΒΕΖΗΙΚΜΝΟΡΤΥΧօոսցհյԼՕՍ");

/** Signs that are read as one of ASCII's: dashes, quotation marks, slashes, colons, stops, pipes. */
const SIGNS =
  /[\u2010-\u2015\u2018-\u201f\u2024\u2032\u2035\u2039\u203a\u2044\u204e\u2052\u2212\u2215-\u2217\u2223\u2236\u223c\u2260\u2758\u29f8\u29f9\u037e\u0589\u05c3\u066a\u066b\u06d4\u02bc\u02d0\ua789\ufe52-\ufe6f\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65]/u;

const WORD = /[\p{L}\p{N}\p{M}]+|[^\p{L}\p{N}\p{M}\s]/gu;
const PLAIN = /^[\x00-\x7f]*$/;
const PUNYCODE = /(?<![a-z0-9])(?:[a-z0-9-]+\.)*xn--[a-z0-9-]+(?:\.[a-z0-9-]+)*/gi;

/** Sentences without a full stop, each once. */
export function lookAlikes(text: string): readonly string[] {
  const found = new Set<string>();
  for (const [name] of text.matchAll(PUNYCODE)) {
    if (found.size === WORDS_MAX) break;
    found.add(`"${cut(name)}" is a name in other letters, written in ASCII`);
  }
  if (PLAIN.test(text)) return [...found];
  for (const [word] of text.matchAll(WORD)) {
    if (found.size === WORDS_MAX) break;
    const why = PLAIN.test(word) ? null : suspicion(word);
    if (why !== null) found.add(why);
  }
  return [...found];
}

function suspicion(word: string): string | null {
  const characters = [...word];
  const compatible = characters.filter((one) => !PLAIN.test(one) && PLAIN.test(one.normalize("NFKC")));
  const signs = characters.filter((one) => SIGNS.test(one));
  if (signs.length > 0 || compatible.length > 0)
    return `"${cut(word)}" looks like ASCII and is not: ${named([...signs, ...compatible])}`;
  const foreign = characters.flatMap((one) => {
    const script = OF_SCRIPT.find(([, pattern]) => pattern.test(one));
    return script === undefined ? [] : [{ one, script: script[0] }];
  });
  if (foreign.length === 0) return null;
  const scripts = [...new Set(foreign.map(({ script }) => script))].join(" and ");
  const letters = named(foreign.map(({ one }) => one));
  if (LATIN.test(word)) return `"${cut(word)}" mixes scripts: ${letters} is ${scripts}`;
  return foreign.every(({ one }) => TWINS.has(one))
    ? `"${cut(word)}" is all ${scripts}, and reads like a Latin word: ${letters}`
    : null;
}

/** `о U+043E` */
function named(characters: readonly string[]): string {
  return [...new Set(characters)]
    .map((one) => `${one} U+${(one.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`)
    .join(", ");
}

function cut(word: string): string {
  return word.length > WORD_CHARS_MAX ? `${word.slice(0, WORD_CHARS_MAX)}…` : word;
}
