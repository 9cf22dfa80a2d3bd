/** Random bytes in portions. */
import { describe, expect, it } from "vitest";
import { randomPool } from "../../../src/host/random-pool.ts";

describe("a pool of random bytes", () => {
  it("hands out each byte once, and draws again when it is used up", () => {
    let next = 0;
    const drawn: number[] = [];
    const take = randomPool((bytes) => {
      drawn.push(bytes);
      return Uint8Array.from({ length: bytes }, () => next++ % 251);
    });
    const taken = Array.from({ length: 300 }, () => [...take(8)]).flat();
    const portion = Math.floor(1_024 / 8) * 8;
    expect(taken).toHaveLength(2_400);
    expect(taken.slice(0, portion)).toEqual(Array.from({ length: portion }, (_, n) => n % 251));
    expect(drawn).toEqual([1_024, 1_024, 1_024]);
    expect(take(2_000)).toHaveLength(2_000);
    expect(drawn).toEqual([1_024, 1_024, 1_024, 2_000]);
  });
});
