/**
 * Whether a job's id was there before. Of each id eight bytes of its SHA-256 are kept, so that a million take 16 MB and not a
 * hundred; two different ones agree in them once in 36 million files of a million jobs.
 */
import { createHash } from "node:crypto";

const SLOTS_FIRST = 1_024;

/** @returns adds an id, and says whether it is new */
export function idSet(): (id: string) => boolean {
  let slots = new BigUint64Array(SLOTS_FIRST);
  let size = 0;
  /** Where the hash is, or belongs. */
  const place = (table: BigUint64Array, hash: bigint): number => {
    let at = Number(hash % BigInt(table.length));
    while (table[at] !== 0n && table[at] !== hash) at = (at + 1) % table.length;
    return at;
  };
  const grow = (): void => {
    const larger = new BigUint64Array(slots.length * 2);
    for (const hash of slots) if (hash !== 0n) larger[place(larger, hash)] = hash;
    slots = larger;
  };
  return (id) => {
    // Zero is an empty place.
    const hash = createHash("sha256").update(id).digest().readBigUInt64LE() || 1n;
    const at = place(slots, hash);
    if (slots[at] === hash) return false;
    slots[at] = hash;
    size += 1;
    if (size * 2 > slots.length) grow();
    return true;
  };
}
