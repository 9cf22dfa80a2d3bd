/**
 * Text with look-alikes as the letters and signs that they look like: full-width and mathematical forms, letters of other
 * scripts, other brackets, dashes and blanks. A reader takes `＜ѕystem＞` for `<system>`, so a search for tags and phrases has to.
 * Every character knows where it stood. Linear in the length of the text.
 */

export interface Folded {
  readonly text: string;
  /** Offset in the original of the character at an offset of `text`; of its end, that of the original. */
  at(offset: number): number;
}

/** Each sign, and what looks like it. Letters are lower and upper case as they look. */
const LIKE: readonly (readonly [sign: string, others: string])[] = [
  ["<", "‹〈⟨《⟪˂ᐸ❮❰⧼⦉≺ᚲ𐐼"],
  [">", "›〉⟩》⟫˃ᐳ❯❱⧽⦊≻"],
  ["/", "⁄∕⧸╱⟋ノ"],
  ["|", "∣│ǀ⎮┃┊¦❘ⵏ"],
  ["[", "【〔⟦〖⁅"],
  ["]", "】〕⟧〗⁆"],
  [":", "∶ː։꞉˸׃፡︰"],
  ["-", "‐‑‒–—−﹘⁃˗"],
  ["_", "‗⎯"],
  ["a", "аαɑ"],
  ["A", "АΑᎪ"],
  ["b", "Ь"],
  ["B", "ВΒᏴ"],
  ["c", "сϲᴄ"],
  ["C", "СϹᏟ"],
  ["d", "ԁ"],
  ["e", "еєҽ"],
  ["E", "ЕΕᎬ"],
  ["g", "ɡ"],
  ["h", "һ"],
  ["H", "НΗᎻ"],
  ["i", "іιıɩ"],
  ["I", "ІΙӀ"],
  ["j", "ј"],
  ["J", "ЈᎫ"],
  ["k", "кκ"],
  ["K", "КΚᏦ"],
  ["l", "ӏ"],
  ["m", "м"],
  ["M", "МΜᎷ"],
  ["n", "ո"],
  ["N", "Ν"],
  ["o", "оοօ"],
  ["O", "ОΟՕ"],
  ["p", "рρ"],
  ["P", "РΡᏢ"],
  ["q", "ԛ"],
  ["r", "г"],
  ["s", "ѕ"],
  ["S", "ЅՏᏚ"],
  ["t", "тτ"],
  ["T", "ТΤᎢ"],
  ["u", "υս"],
  ["v", "νѵ"],
  ["V", "Ѵ"],
  ["w", "ԝω"],
  ["W", "Ԝ"],
  ["x", "хχ"],
  ["X", "ХΧ"],
  ["y", "уγ"],
  ["Y", "УΥ"],
  ["z", "ᴢ"],
  ["Z", "Ζ"],
];
const SIGNS: ReadonlyMap<string, string> = new Map(
  LIKE.flatMap(([sign, others]) => [...others].map((other) => [other, sign] as const)),
);
const ASCII = /^[\0-\x7f]*$/;
/** Folds that are remembered; a text in another script uses some hundreds. */
const KNOWN_MAX = 5_000;

export function folded(text: string): Folded {
  if (ASCII.test(text)) return { text, at: (offset) => offset };
  const known = new Map<string, string>();
  const pieces: string[] = [];
  const offsets: number[] = [];
  let offset = 0;
  for (const character of text) {
    const piece = character <= "\x7f" ? character : foldOf(character, known);
    pieces.push(piece);
    for (let unit = 0; unit < piece.length; unit++) offsets.push(offset);
    offset += character.length;
  }
  return { text: pieces.join(""), at: (of) => offsets[of] ?? text.length };
}

function foldOf(character: string, known: Map<string, string>): string {
  const before = known.get(character);
  if (before !== undefined) return before;
  // without accents: é is e, and á mark of its own is nothing
  const plain = [...character.normalize("NFKD")]
    .filter((one) => !/^\p{M}$/u.test(one))
    .map((one) => SIGNS.get(one) ?? (/^\p{Zs}$/u.test(one) ? " " : one))
    .join("");
  if (known.size < KNOWN_MAX) known.set(character, plain);
  return plain;
}
