import { fc } from "../../support/property.ts";
import { describe, expect, it } from "vitest";
import { apportion } from "../../../src/observe/cost/apportion.ts";

describe("sharing out a whole number", () => {
  it("gives what is left over to the largest remainders", () => {
    expect(apportion(100, [1, 1, 1])).toEqual([34, 33, 33]);
    expect(apportion(10, [6, 3, 1])).toEqual([6, 3, 1]);
    expect(apportion(3, [5, 4, 1])).toEqual([2, 1, 0]);
  });

  it("shares evenly where nothing has a weight, and gives nothing of nothing", () => {
    expect(apportion(3, [0, 0])).toEqual([2, 1]);
    expect(apportion(0, [])).toEqual([]);
    expect(() => apportion(1, [])).toThrow("invariant C1");
  });

  it("adds up exactly, and is off by less than one, for every whole number that money can be", () => {
    const weights = fc.array(fc.nat({ max: 2 ** 31 }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(fc.nat({ max: Number.MAX_SAFE_INTEGER }), weights, (total, of) => {
        const shares = apportion(total, of);
        expect(shares.reduce((sum, share) => sum + BigInt(share), 0n)).toBe(BigInt(total));
        const whole = of.reduce((sum, weight) => sum + BigInt(weight), 0n);
        if (whole === 0n) return;
        for (const [i, share] of shares.entries()) {
          const off = BigInt(share) * whole - BigInt(total) * BigInt(of[i] ?? 0);
          expect(off > -whole && off < whole).toBe(true);
        }
      }),
    );
  });
});
