/**
 * Invisible and control characters made visible and harmless: each stands as a mark in its place (`⟨U+200B⟩`), so that nothing
 * is hidden from who reads it and nothing is lost of a file. Linear in the length of the text.
 *
 * N1: the result holds no character of the table (`invisible.ts`) but `\t`, `\n`, and these, one at a time: a joiner or an emoji
 *     selector inside an emoji, and a joiner inside a word of a script that is written with joiners.
 * N2: neutralise(neutralise(x)) = neutralise(x).
 * N3: the result is at most `MARKS_MAX` marks longer than the text, and a note.
 */
import { INVISIBLE, type InvisibleKind, kindOf, markOf, nameOf, PLAIN_TEXT } from "./invisible.ts";
import { replaceSequences, type TerminalSequence } from "./terminal-sequence.ts";

/** Marks in one text; further characters are taken out and counted at its end. */
export const MARKS_MAX = 2_000;
/** Different characters in a row that are spelled; a longer run is one mark: `⟨U+E0049… ×37⟩`. */
const SPELLED_MAX = 8;
/** Marks on one letter. No script needs more; more are drawn over what stands around them. */
const COMBINING_MAX = 8;
/** What is decoded of hidden text. Characters. */
const HIDDEN_CHARS_MAX = 4_000;

export interface Found {
  readonly kind: InvisibleKind;
  readonly count: number;
}

export interface Neutralised {
  readonly text: string;
  /** By kind, in the order of their names; empty where the text was plain. */
  readonly found: readonly Found[];
  /** What invisible characters spelled. */
  readonly hidden: readonly string[];
}

/** Letters of scripts that need joiners to be written right: after the sign that takes a vowel away, and between Arabic letters. */
const VIRAMA = "\\u094d\\u09cd\\u0a4d\\u0acd\\u0b4d\\u0bcd\\u0c4d\\u0ccd\\u0d4d\\u0dca";
const ARABIC = "(?=\\p{L})\\p{Script=Arabic}";
const JOINED_WORD = `(?<=${ARABIC}\\p{Mn}{0,4})\\u200c(?=${ARABIC})|(?<=\\p{L}\\p{M}{0,3}[${VIRAMA}])[\\u200c\\u200d](?=\\p{L})`;
const PICTURE = "\\p{Extended_Pictographic}(?:\\p{Emoji_Modifier}|[\\ufe0e\\ufe0f])?";
/** Joined by U+200D; a key cap. At most a family of eight in one: a longer chain is no emoji. */
const EMOJI = `${PICTURE}(?:\\u200d${PICTURE}){0,7}|[0-9#*]\\ufe0f(?=\\u20e3)`;

const TO_CHANGE = new RegExp(`(${EMOJI}|${JOINED_WORD})|[${INVISIBLE}]+|\\p{M}{${String(COMBINING_MAX + 1)},}`, "gu");
const IN_TABLE = new RegExp(`^[${INVISIBLE}]$`, "u");

export function neutralise(text: string): Neutralised {
  if (PLAIN_TEXT.test(text)) return { text, found: [], hidden: [] };
  const marks = new Marks();
  const shown = replaceSequences(text.replaceAll("\r\n", "\n"), (sequence) => marks.sequence(sequence)).replace(
    TO_CHANGE,
    (run: string, kept: string | undefined) => kept ?? marks.run(run),
  );
  return { text: shown + marks.note(), found: marks.found(), hidden: marks.hidden() };
}

/** What stands in for the characters of one text, and what they were. */
class Marks {
  readonly #counts = new Map<InvisibleKind, number>();
  readonly #spelled = new Spelled();
  #marks = 0;
  #left_out = 0;

  /** A link keeps its text, which stands outside; what a sequence carries is dropped. An unfinished one is shown. */
  sequence({ kind, raw, payload, unfinished }: TerminalSequence): string {
    if (unfinished || kind === "csi" || kind === "short") return raw;
    const number = kind === "osc" ? /^[0-9]{1,4}(?![0-9])/.exec(payload)?.[0] : undefined;
    this.#add(number === "8" ? "hyperlink" : number === "52" ? "clipboard" : "escape_sequence", 1);
    this.#spelled.carried(payload);
    return this.#mark(`⟨${kind.toUpperCase()}${number === undefined ? "" : ` ${number}`}⟩`, 1);
  }

  /** Characters in a row that stand in the table, or marks on one letter. */
  run(run: string): string {
    const characters = [...run];
    const base = IN_TABLE.test(characters[0] ?? "") ? 0 : COMBINING_MAX;
    const begins = characters.slice(0, base).map((one) => (IN_TABLE.test(one) ? this.#groups([one]) : one));
    return begins.join("") + this.#groups(characters.slice(base));
  }

  note(): string {
    return this.#left_out === 0 ? "" : `⟨${this.#left_out.toLocaleString("en-US")} more invisible characters left out⟩`;
  }

  found(): readonly Found[] {
    return [...this.#counts].map(([kind, count]) => ({ kind, count })).sort((a, b) => (a.kind < b.kind ? -1 : 1));
  }

  hidden(): readonly string[] {
    return this.#spelled.texts();
  }

  #groups(characters: readonly string[]): string {
    const groups: { readonly code: number; count: number }[] = [];
    for (const character of characters) {
      const code = character.codePointAt(0) ?? 0;
      const isMark = !IN_TABLE.test(character);
      this.#add(isMark ? "combining" : kindOf(code), 1);
      this.#spelled.character(code);
      const last = groups.at(-1);
      if (last?.code === code) last.count += 1;
      else groups.push({ code, count: 1 });
    }
    const [first] = groups;
    if (first === undefined) return "";
    if (groups.length > SPELLED_MAX)
      return this.#mark(`⟨${nameOf(first.code)}… ×${String(characters.length)}⟩`, characters.length);
    return groups.map(({ code, count }) => this.#mark(markOf(code, count), count)).join("");
  }

  #mark(mark: string, characters: number): string {
    this.#marks += 1;
    if (this.#marks <= MARKS_MAX) return mark;
    this.#left_out += characters;
    return "";
  }

  #add(kind: InvisibleKind, count: number): void {
    this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + count);
  }
}

/** Fewer bits of zero-width characters are chance. */
const BITS_MIN = 40;
const BITS: readonly number[] = [0x200b, 0x200c, 0x200d, 0x2060, 0x2062, 0x2063, 0x2064, 0xfeff];

/** Text that is spelled by characters that nobody sees: by tags as ASCII, by variation selectors as bytes, by two of them as bits. */
class Spelled {
  #tags = "";
  readonly #bytes: number[] = [];
  readonly #bits: number[] = [];
  #carried = "";

  character(code: number): void {
    if (code >= 0xe0020 && code <= 0xe007e && this.#tags.length < HIDDEN_CHARS_MAX)
      this.#tags += String.fromCharCode(code - 0xe0000);
    const byte = byteOf(code);
    if (byte !== null && this.#bytes.length < HIDDEN_CHARS_MAX) this.#bytes.push(byte);
    if (BITS.includes(code) && this.#bits.length < HIDDEN_CHARS_MAX * 8) this.#bits.push(code);
  }

  carried(payload: string): void {
    if (this.#carried.length < HIDDEN_CHARS_MAX) this.#carried += `${payload.slice(0, HIDDEN_CHARS_MAX)}\n`;
  }

  texts(): readonly string[] {
    const bytes = new TextDecoder().decode(Uint8Array.from(this.#bytes));
    return [this.#tags, this.#bytes.length > 1 ? bytes : "", ...fromBits(this.#bits), this.#carried]
      .map((text) => text.trim())
      .filter((text) => text.length > 1);
  }
}

function byteOf(code: number): number | null {
  if (code >= 0xfe00 && code <= 0xfe0f) return code - 0xfe00;
  return code >= 0xe0100 && code <= 0xe01ef ? code - 0xe0100 + 16 : null;
}

/** Eight bits a letter, whichever of the two characters is one; nothing unless it is text. */
function fromBits(codes: readonly number[]): readonly string[] {
  if (codes.length < BITS_MIN) return [];
  const [zero, one, ...others] = [...new Set(codes)];
  if (zero === undefined || one === undefined || others.length > 0) return [];
  return [zero, one].flatMap((set) => {
    const letters: number[] = [];
    for (let at = 0; at + 8 <= codes.length; at += 8)
      letters.push(codes.slice(at, at + 8).reduce((byte, code) => byte * 2 + (code === set ? 1 : 0), 0));
    return letters.every((byte) => byte >= 0x20 && byte < 0x7f) ? [String.fromCharCode(...letters)] : [];
  });
}
