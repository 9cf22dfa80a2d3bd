/**
 * Tells what a machine drew by chance (passwords, keys, digests) from what a person wrote (identifiers, prose, dates, paths). It is
 * a guess in both directions, and is asked only where a telling name or place speaks for a secret already.
 */

const LENGTH_MIN = 8;
const DISTINCT_MIN = 6;
/** Paths, addresses, placeholders, interpolation and calls. */
const CODE = /^(?:\.{0,2}\/|https?:|[<$%{])|\$\{|\(/;
/** Hexadecimal, and too long for a word or a number. */
const DIGEST = /^(?:[0-9a-f]{24,}|[0-9A-F]{24,})$/;
/** Of neighbours: how many change between letter and digit or from small to capital. Identifiers stay below, random text above. */
const CHANGES_MIN = 0.25;
/** So many letters are enough to be told by which of them stand side by side. */
const PAIRS_LENGTH_MIN = 16;
/** Of pairs of letters within a word: how many of a written text are common ones. English has 0.7, chance 0.25. */
const COMMON_MAX = 0.42;
/** No more is looked at: what is random is so at its beginning. Characters. */
const LOOKED_AT_MAX = 128;

export function looksRandom(whole: string): boolean {
  const text = whole.length > LOOKED_AT_MAX ? whole.slice(0, LOOKED_AT_MAX) : whole;
  if (text.length < LENGTH_MIN || CODE.test(text)) return false;
  if (DIGEST.test(text)) return new Set(text).size >= DISTINCT_MIN;
  const { characters, letters, digits, changes, distinct } = counted(text);
  if (letters === 0 || distinct < DISTINCT_MIN) return false;
  if (digits > 0 && changes / (characters - 1) >= CHANGES_MIN) return true;
  return letters >= PAIRS_LENGTH_MIN && commonPairs(text, letters) < COMMON_MAX;
}

const OTHER = 0;
const SMALL = 1;
const CAPITAL = 2;
const DIGIT = 3;

function kindOf(code: number): number {
  if (code >= 0x61 && code <= 0x7a) return SMALL;
  if (code >= 0x41 && code <= 0x5a) return CAPITAL;
  return code >= 0x30 && code <= 0x39 ? DIGIT : OTHER;
}

/** Of the letters and digits: how many, how many different ones, and how many neighbours change from one kind to another. */
function counted(text: string): {
  readonly characters: number;
  readonly letters: number;
  readonly digits: number;
  readonly changes: number;
  readonly distinct: number;
} {
  const seen = new Set<number>();
  let [characters, digits, changes, before] = [0, 0, 0, OTHER];
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    const kind = kindOf(code);
    if (kind === OTHER) continue;
    characters += 1;
    seen.add(code);
    if (kind === DIGIT) digits += 1;
    // From a capital to a small letter is how a word begins.
    if (before !== OTHER && before !== kind && !(before === CAPITAL && kind === SMALL)) changes += 1;
    before = kind;
  }
  return { characters, letters: characters - digits, digits, changes, distinct: seen.size };
}

/** The most frequent pairs of letters in English and in names of code. */
const COMMON: ReadonlySet<string> = new Set(
  (
    "th he in er an re on at en nd ti es or te of ed is it al ar st to nt ng se ha as ou io le ve co me de hi ri ro ic ne ea ra ce li " +
    "ch ll be ma si om ur ca el ta la ns di fo ho pe ec pr no ct us ac ot il tr ly nc et ut ss so rs un lo wa ge ie wh ee wi em ad ol " +
    "rt po we na ul ni ts mo ow pa im mi ai sh ir su id os iv ia am fi ci vi pl ig tu ev ld ry mp fe bl ab gh ty op wo sa ay ex ke fr"
  ).split(" "),
);

function commonPairs(text: string, letters: number): number {
  let pairs = 0;
  let common = 0;
  // A word of code begins with its capital: "XM" of `parseXMLHttp` is no pair of a word, and says nothing.
  for (const [word] of text.matchAll(/[A-Z]?[a-z]+|[A-Z]+/g)) {
    const small = word.toLowerCase();
    for (let i = 1; i < small.length; i++) {
      pairs += 1;
      if (COMMON.has(small.slice(i - 1, i + 1))) common += 1;
    }
  }
  // Letters that stand alone, among digits or in changing case, are no words either.
  return pairs * 2 < letters ? 0 : common / pairs;
}

const PLACEHOLDER =
  /^(?:[x*.•#_-]+|(?:my|your|the|some|a|new|old|test|user|db|default|example)?[-_ ]?(?:pass(?:w(?:or)?d|phrase)?|pwd|pw|secret|token|key|credentials?|api[-_]?key)[0-9]{0,4}|change[-_ ]?(?:me|it)|redacted|hidden|none|null|undefined|true|false|string|required|optional|postgres|mysql|root|admin|guest|user(?:name)?|example|foobar|hunter2|x-oauth-basic|x-access-token)$/i;

/** What stands in documentation where a password would stand. */
export function isPlaceholder(text: string): boolean {
  return /^[<$%{[]|\.\.\.|…|\$\{|\{\{/.test(text) || PLACEHOLDER.test(text) || new Set(text).size < 4;
}
