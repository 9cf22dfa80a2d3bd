/**
 * Memories that share their subject and were not merged by their wording: small groups for a model to look at, and what of its answer
 * may be believed at all. Pure.
 *
 * K1: a group has one scope, project, kind, author and error that it resolves, and nothing that strangers had a part in.
 * K2: a memory stands in one group at most; groups, members and comparisons are bounded, and what was not reached is counted.
 * K3: `mayBeSame` holds whatever a model says: other numbers, a "not" more, or a contradiction, and two are never one.
 */
import { hashOf } from "../kernel/envelope.ts";
import { canonicalJson } from "../kernel/json.ts";
import { type Memory, RECALLED_BYTES_MAX } from "../kernel/memory.ts";
import { contradiction } from "./contradiction.ts";
import { neighbours } from "./duplicates.ts";
import { sharedOf, wordingOf } from "./terms.ts";

/** Terms that two share at least, and how many of the shorter one's that has to be. */
export const ALIKE_TERMS_MIN = 2;
export const ALIKE_SHARE_MIN = 0.4;
/** Memories of one group. */
export const GROUP_MEMBERS_MAX = 5;
/** Groups of one dream. */
export const GROUPS_MAX = 80;
/** Pairs that are looked at to find them. */
const COMPARISONS_MAX = 100_000;

export interface AlikeGroup {
  /** `g1`: as the model calls it. */
  readonly id: string;
  /** What was asked: the same ids with the same texts. */
  readonly hash: string;
  readonly members: readonly Memory[];
}

export interface Alike {
  readonly groups: readonly AlikeGroup[];
  /** Groups that were found and are no part of `groups`: more than are shown. */
  readonly left: number;
}

/** @param asked hashes of groups that were answered before */
export function alikeGroups(memories: readonly Memory[], asked: ReadonlySet<string>): Alike {
  const eligible = memories.filter(({ state, untrusted }) => state === "active" && !untrusted); // K1
  const near = neighbours(eligible);
  const grouped = new Set<string>();
  const found: (readonly Memory[])[] = [];
  let left = COMPARISONS_MAX;
  for (const first of eligible.toSorted((a, b) => b.created_at - a.created_at)) {
    if (grouped.has(first.id) || left <= 0) continue;
    const others = near.of(first).filter((other) => !grouped.has(other.id) && left-- > 0 && isAlike(first, other));
    const members = fitting(first, others);
    if (members.length < 2) continue;
    for (const { id } of members) grouped.add(id);
    found.push(members);
  }
  const fresh = found
    .map((members) => ({ members, hash: hashOfGroup(members) }))
    .filter(({ hash }) => !asked.has(hash))
    .map((group, i): AlikeGroup => ({ ...group, id: `g${i + 1}` }));
  return { groups: fresh.slice(0, GROUPS_MAX), left: Math.max(0, fresh.length - GROUPS_MAX) };
}

/** The nearest first, as far as their texts find room in one part of a message. */
function fitting(first: Memory, others: readonly Memory[]): readonly Memory[] {
  const nearest = others.toSorted((a, b) => shareOf(first, b) - shareOf(first, a));
  const members = [first];
  let bytes = bytesOf(first);
  for (const other of nearest) {
    if (members.length >= GROUP_MEMBERS_MAX) break;
    if (bytes + bytesOf(other) > RECALLED_BYTES_MAX) continue;
    members.push(other);
    bytes += bytesOf(other);
  }
  return members;
}

/** In UTF-8, of what is put in for a reference. */
export function bytesOf({ text, resolves }: Memory): number {
  return Buffer.byteLength(text) + Buffer.byteLength(resolves);
}

function hashOfGroup(members: readonly Memory[]): string {
  return hashOf(canonicalJson(members.map(({ id, text }) => [id, text]).toSorted())).slice(0, HASH_CHARS);
}
/** Characters of a hash: 64 bits tell a few hundred groups apart. */
const HASH_CHARS = 16;

/** K1; and what is a contradiction by rule has its answer. */
function isAlike(a: Memory, b: Memory): boolean {
  if (a.kind !== b.kind || a.principal !== b.principal || a.tenant !== b.tenant) return false;
  if (a.scope !== b.scope || a.project !== b.project) return false;
  if (wordingOf(a).resolves !== wordingOf(b).resolves || !sharesSubject(a, b)) return false;
  return contradiction(a, b) === null && contradiction(b, a) === null;
}

function sharesSubject(a: Memory, b: Memory): boolean {
  return sharedOf(wordingOf(a).terms, wordingOf(b).terms) >= ALIKE_TERMS_MIN && shareOf(a, b) >= ALIKE_SHARE_MIN;
}

function shareOf(a: Memory, b: Memory): number {
  const [one, other] = [wordingOf(a).terms, wordingOf(b).terms];
  return sharedOf(one, other) / Math.max(1, Math.min(one.size, other.size));
}

const NEGATION = /\b(?:not|no|never|none|without|cannot|avoid|neither|nor|don[’']?t)\b|n[’']t\b/i;
const NUMBER = /\d+(?:\.\d+)*/g;

/** K3. @returns why not; null where a model may say that they are one */
export function mayBeSame(a: Memory, b: Memory): string | null {
  if (!isAlike(a, b) || a.untrusted || b.untrusted) return "they share too little";
  if (NEGATION.test(a.text) !== NEGATION.test(b.text)) return "one of them says not";
  const [one, other] = [a, b].map(({ text }) => [...new Set(text.match(NUMBER))].toSorted().join(" "));
  return one === other ? null : "they name different numbers";
}
