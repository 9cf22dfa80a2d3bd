/**
 * Finds values that are known to be secret, also where lines were broken within them. The work does not grow with the number of
 * values: a table tells of any three characters how far it is, at least, to the beginning of one (Wu and Manber).
 *
 * K1: every occurrence of a value is found; the longest of those that begin at one place.
 */
import type { FoundSpan } from "./span.ts";
import { FORM_CHARS_MIN } from "./secret-value-forms.ts";

export interface KnownValue {
  readonly name: string;
  readonly value: string;
}

export interface KnownSecrets {
  /** @returns false when it is known already, or too short */
  add(secret: KnownValue): boolean;
  spans(text: string): readonly FoundSpan[];
  /** Where a value begins that the text's end breaks off; the text's length when there is none. */
  openAt(text: string): number;
}

/** Characters that are looked at together. */
const BLOCK = 3;
const SHIFT_MAX = FORM_CHARS_MIN - BLOCK + 1;
const TABLE = 1 << 14;
/** Between the lines of a value that was wrapped: the line end, plain or escaped, and the next line's indentation. */
const BREAK = /\\?(?:\r?\n|\\{1,2}r\\{1,2}n|\\{1,2}n)[ \t]*/g;
/** At the end of a text: what may become one. */
const BREAK_BEGUN = /(?:\\{1,2}(?:r\\{0,2})?|\\?\r)$/;

export function knownSecrets(): KnownSecrets {
  const shifts = new Uint8Array(TABLE).fill(SHIFT_MAX);
  /** By the block at which a value's first `FORM_CHARS_MIN` characters end; longest first. */
  const buckets = new Map<number, KnownValue[]>();
  const values = new Set<string>();
  const beginnings = new Set<string>();
  let longest = 0;

  const startsAt = (text: string, start: number): KnownValue | undefined =>
    buckets.get(blockAt(text, start + FORM_CHARS_MIN - BLOCK))?.find(({ value }) => text.startsWith(value, start));

  const find = (text: string): readonly FoundSpan[] => {
    let spans: FoundSpan[] | null = null;
    for (let at = FORM_CHARS_MIN - BLOCK; at <= text.length - BLOCK;) {
      const shift = shifts[blockAt(text, at)] ?? 0;
      at += Math.max(1, shift);
      if (shift > 0) continue;
      const start = at - 1 - (FORM_CHARS_MIN - BLOCK);
      const secret = startsAt(text, start);
      if (secret !== undefined) (spans ??= []).push(spanOf(secret, start));
    }
    return spans ?? NONE;
  };

  return {
    add(secret) {
      const { value } = secret;
      if (value.length < FORM_CHARS_MIN || values.has(value)) return false;
      values.add(value);
      longest = Math.max(longest, value.length);
      for (let length = 1; length < FORM_CHARS_MIN; length++) beginnings.add(value.slice(0, length));
      for (let at = 0; at <= FORM_CHARS_MIN - BLOCK; at++) {
        const block = blockAt(value, at);
        shifts[block] = Math.min(shifts[block] ?? 0, FORM_CHARS_MIN - BLOCK - at);
      }
      const end = blockAt(value, FORM_CHARS_MIN - BLOCK);
      const bucket = [...(buckets.get(end) ?? []), secret].sort((a, b) => b.value.length - a.value.length);
      buckets.set(end, bucket);
      return true;
    },

    spans(text) {
      if (values.size === 0) return NONE;
      const plain = find(text);
      if (!mayBreak(text)) return plain;
      const whole = text.replace(BREAK, "");
      if (whole.length === text.length) return plain;
      const joined = find(whole);
      if (joined.length === 0) return plain;
      const placeOf = placesIn(text);
      return [...plain, ...joined.map((span) => ({ ...span, from: placeOf(span.from), to: placeOf(span.to - 1) + 1 }))];
    },

    openAt(text) {
      if (values.size === 0) return text.length;
      // Blanks are left out with line ends, so a value may be as much longer as it has blanks; nobody breaks it that often.
      const begin = Math.max(0, text.length - 2 * longest - 64);
      const tail = text.slice(begin);
      const whole = tail.replace(BREAK_BEGUN, "").replace(BREAK, "");
      const placeOf = placesIn(tail);
      for (let start = 0; start < whole.length; start++) {
        const left = whole.length - start;
        if (left < FORM_CHARS_MIN ? beginnings.has(whole.slice(start)) : isBegun(whole, start))
          return begin + placeOf(start);
      }
      return text.length;
    },
  };

  function isBegun(text: string, start: number): boolean {
    const bucket = buckets.get(blockAt(text, start + FORM_CHARS_MIN - BLOCK));
    if (bucket === undefined) return false;
    const rest = text.slice(start);
    return bucket.some(({ value }) => value.length > rest.length && value.startsWith(rest));
  }
}

const NONE: readonly FoundSpan[] = [];
/** Better than any pattern. */
const RANK = -1;

function spanOf({ name, value }: KnownValue, from: number): FoundSpan {
  return { from, to: from + value.length, name, rank: RANK, guessed: false };
}

function blockAt(text: string, at: number): number {
  return ((text.charCodeAt(at) * 31 + text.charCodeAt(at + 1)) * 31 + text.charCodeAt(at + 2)) & (TABLE - 1);
}

function mayBreak(text: string): boolean {
  return text.includes("\n") || (text.includes("\\") && text.includes(String.raw`\n`));
}

/** From a place in the text without breaks to the same character's place in the text. */
function placesIn(text: string): (place: number) => number {
  /** Of each piece between breaks: where it begins, without breaks and with them. */
  const pieces: { readonly whole: number; readonly text: number }[] = [{ whole: 0, text: 0 }];
  let left = 0;
  for (const { 0: gap, index } of text.matchAll(BREAK)) {
    left += gap.length;
    pieces.push({ whole: index + gap.length - left, text: index + gap.length });
  }
  return (place) => {
    let low = 0;
    for (let high = pieces.length; high - low > 1;) {
      const middle = (low + high) >> 1;
      if ((pieces[middle]?.whole ?? 0) <= place) low = middle;
      else high = middle;
    }
    const piece = pieces[low] ?? { whole: 0, text: 0 };
    return piece.text + place - piece.whole;
  };
}
