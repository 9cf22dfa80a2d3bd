/**
 * What was taken lately, in short slots: to tell what a provider's word, which is as old as its answer, cannot have counted
 * yet. Only what was taken stands here, nothing that was given back: so the sum since an instant is never too small.
 */
import { type Amounts, KINDS, NO_AMOUNTS } from "./bucket.ts";

/** What was taken in the slot of an instant counts as taken after it: short, so that this is little. Milliseconds. */
const SLOT_MS = 500;
/** How far back it reaches: 45 seconds. */
const SLOTS_MAX = 90;

/** The slot, and what was taken in it, in the order of `KINDS`. Oldest first. */
export type Charges = readonly (readonly [slot: number, ...taken: number[]])[];

export function charge(charges: Charges, amounts: Amounts, now: number): Charges {
  const slot = Math.floor(now / SLOT_MS);
  const added = KINDS.map((kind) => Math.max(0, Math.ceil(amounts[kind])));
  if (added.every((amount) => amount === 0)) return charges;
  const last = charges.at(-1);
  const fresh = charges.filter(([at]) => at > slot - SLOTS_MAX && at <= slot);
  // A clock that went back counts into its newest slot.
  if (last === undefined || last[0] < slot) return [...fresh, [slot, ...added]];
  const [, ...before] = last;
  return [...fresh.slice(0, -1), [last[0], ...added.map((amount, i) => amount + (before[i] ?? 0))]];
}

/** The same, so much earlier; rather too late than too early: then the provider is thought to have counted less. */
export function earlierCharges(charges: Charges, ms: number): Charges {
  const slots = Math.floor(ms / SLOT_MS);
  return charges.map(([slot, ...taken]) => [slot - slots, ...taken] as const);
}

/** What whoever asks took itself, and when: that much the provider has counted, with whose answer its word came. */
export interface Own {
  readonly at: number;
  readonly taken: Amounts;
}

/** Whether it was taken before the slot of `since`: then `chargedSince` leaves it out. */
export function isBefore(at: number, since: number): boolean {
  return Math.floor(at / SLOT_MS) < Math.floor(since / SLOT_MS);
}

/** What others took in the slot of `at` and after it; null when it is too long ago to know. */
export function chargedSince(charges: Charges, at: number, now: number, own: Own | null): Amounts | null {
  if (now - at > (SLOTS_MAX - 1) * SLOT_MS) return null;
  const from = Math.floor(at / SLOT_MS);
  const mine = own !== null && Math.floor(own.at / SLOT_MS) >= from ? own.taken : NO_AMOUNTS;
  const sum = (i: number): number =>
    charges.reduce((total, [slot, ...taken]) => (slot < from ? total : total + (taken[i] ?? 0)), 0);
  return {
    requests: sum(0) - mine.requests,
    tokens: sum(1) - Math.ceil(mine.tokens),
    input_tokens: sum(2) - Math.ceil(mine.input_tokens),
    output_tokens: sum(3),
  };
}
