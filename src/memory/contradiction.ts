/**
 * Whether a newer memory takes the place of an older one. Deterministic and conservative: where there is doubt both stay, and a
 * dream proposes it to a person. Pure.
 *
 * C1: only what is newer, of the same scope and project and at least as trusted, takes a place. What strangers had a part in takes none.
 * C2: what a person wrote by hand is not taken the place of by what was derived from a journal.
 * C3: one of these must hold: both answer the same error; both set the same key (`port: 8080`); the newer says that something changed,
 *     and is about the older's subject.
 */
import type { Memory } from "../kernel/memory.ts";
import { RIVALS } from "./rivals.ts";
import { likeness, normalised, sharedOf, wordingOf } from "./terms.ts";

/** `clear`: it takes the place. `likely`: a person decides. */
export interface Contradiction {
  readonly certainty: "clear" | "likely";
  readonly reason: string;
}

const CHANGED =
  /\b(?:(?:moved|moves|moving|switched|migrated|changed|went|transitioned|upgraded|ported|converted) (?:\w+ ){0,4}?(?:to|from|over|away|off)|replaced?|replaces|no longer|not (?:\w+ ){0,3}any ?more|instead of|rather than|stopped using|dropped|deprecated|abandoned|retired|superseded|renamed|(?:now|since then) (?:use|uses|using|run|runs|is|are|lives?)|(?:use|uses|is|are|run|runs) now)\b/i;

/** The older says what is used. Whatever else it says of a thing may still be true when another took over. */
const USE =
  /\b(?:use[sd]?|using|prefer(?:s|red)?|built with|written (?:in|with)|runs? (?:on|with)|based on|works? with|through|via|with)\b/i;
/** A note so short says what is used without saying "use". Terms. */
const BARE_TERMS_MAX = 2;

/** The older's words that the newer shares, and how many at least. */
const SUBJECT_SHARE_MIN = 0.5;
const SUBJECT_TERMS_MIN = 2;
/** From this likeness on a newer one says the same again. */
const SAME_LIKENESS = 0.8;

const KEY = /^\s*([\p{L}\p{N}_ ./-]{2,60}?)\s*(?::|=)\s*(\S.*)$/u;

/** @returns null where both can be true */
export function contradiction(newer: Memory, older: Memory): Contradiction | null {
  if (!mayTakePlace(newer, older)) return null;
  const key = sameKey(newer.text, older.text);
  if (key !== null) return { certainty: "clear", reason: `both set ${key}` };
  if (sameError(newer, older)) return { certainty: "clear", reason: "both answer the same error" };
  if (likeness(wordingOf(newer).shingles, wordingOf(older).shingles) >= SAME_LIKENESS) return null;
  const changed = CHANGED.test(newer.text);
  const rival = rivalOf(newer, older);
  if (rival !== null) {
    const clear = changed && rival.says_use;
    return { certainty: clear ? "clear" : "likely", reason: `${rival.newer} in place of ${rival.older}` };
  }
  const subject = sharedSubject(newer, older);
  if (subject === null || !changed) return null;
  return { certainty: "clear", reason: `it says that ${subject} changed` };
}

/** C1, C2. */
export function mayTakePlace(newer: Memory, older: Memory): boolean {
  if (newer.id === older.id || newer.created_at <= older.created_at) return false;
  if (newer.scope !== older.scope || newer.project !== older.project) return false;
  if (newer.untrusted) return false;
  // An error that was resolved is no fact that contradicts one.
  if ((newer.kind === "anti_pattern") !== (older.kind === "anti_pattern")) return false;
  return older.origin !== "user" || newer.origin === "user" || newer.origin === "model" || newer.origin === "import";
}

function sameKey(newer: string, older: string): string | null {
  const [a, b] = [KEY.exec(newer), KEY.exec(older)];
  const key = normalised(a?.[1] ?? "");
  if (key === "" || key !== normalised(b?.[1] ?? "")) return null;
  return normalised(a?.[2] ?? "") === normalised(b?.[2] ?? "") ? null : key;
}

function sameError(newer: Memory, older: Memory): boolean {
  const [a, b] = [wordingOf(newer), wordingOf(older)];
  return a.resolves !== "" && a.resolves === b.resolves && a.text !== b.text;
}

interface Rival {
  readonly newer: string;
  readonly older: string;
  /** The older says that it is used, and not something else about it. */
  readonly says_use: boolean;
}

/** Of one family the older names one, and the newer another that the older does not name. */
function rivalOf(newer: Memory, older: Memory): Rival | null {
  const [a, b] = [wordingOf(newer).terms, wordingOf(older).terms];
  for (const family of RIVALS) {
    const adopted = [...a].filter((term) => family.has(term) && !b.has(term));
    const left = [...b].filter((term) => family.has(term));
    // Who names several weighs them against each other: that is for a person to read.
    if (adopted.length !== 1 || left.length !== 1) continue;
    const [to = ""] = adopted;
    const [from = ""] = left;
    if (isLeft(newer.text, to)) continue;
    return { newer: to, older: from, says_use: b.size <= BARE_TERMS_MAX || USE.test(older.text) };
  }
  return null;
}

/** "Moved from React": it is what was left, not what was moved to. */
function isLeft(text: string, name: string): boolean {
  return new RegExp(
    `\\b(?:from|off|away from|no longer|stopped using|dropped|instead of|rather than|replaced)\\s+(?:\\w+\\s+)?${name}\\b`,
    "i",
  ).test(text);
}

function sharedSubject(newer: Memory, older: Memory): string | null {
  const [a, b] = [wordingOf(newer).terms, wordingOf(older).terms];
  const shared = sharedOf(a, b);
  if (shared < SUBJECT_TERMS_MIN || shared / Math.max(1, b.size) < SUBJECT_SHARE_MIN) return null;
  return [...b]
    .filter((term) => a.has(term))
    .slice(0, SUBJECT_TERMS_MIN)
    .join(" ");
}
