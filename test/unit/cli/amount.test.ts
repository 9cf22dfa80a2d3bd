/** Amounts of the command line and the settings: exact, bounded, and refused when they could mean two things. */
import { fc } from "../../support/property.ts";
import { describe, expect, it } from "vitest";
import { readAmount, readMoney, readPatience, readTokens } from "../../../src/cli/amount.ts";

describe("money", () => {
  it.each([
    ["2", 2_000_000_000],
    ["2.00", 2_000_000_000],
    ["$0.50", 500_000_000],
    ["0.50usd", 500_000_000],
    ["0.5 USD", 500_000_000],
    ["0.000000001", 1],
    ["0.1", 100_000_000],
    ["1000000", 1_000_000_000_000_000],
  ])("%j is %d nano-dollars", (text, value) => {
    expect(readMoney(text)).toEqual({ value });
  });

  it.each(["-1", "NaN", "Infinity", "1e3", "0x10", "1,50", "1.", ".5", "", " ", "$", "5 eur", "１", "$1usd2"])(
    "%j is none",
    (text) => {
      expect(readMoney(text)).toEqual({ wrong: "It must be an amount in dollars, such as 2.00." });
    },
  );

  it("has at most nine places, is more than nothing and at most a million", () => {
    expect(readMoney("0.0000000001")).toEqual({ wrong: "It has more than 9 places after the point." });
    expect(readMoney("0.00")).toEqual({ wrong: "It must be more than 0." });
    for (const text of ["1000000.000000001", "9".repeat(400)])
      expect(readMoney(text)).toEqual({ wrong: "It must be at most 1000000 dollars." });
  });

  it("is read to the last nano-dollar, whatever it is", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000_000_000_000_000 }), (nano) => {
        const digits = `${nano}`.padStart(10, "0");
        expect(readMoney(`${digits.slice(0, -9)}.${digits.slice(-9)}`)).toEqual({ value: nano });
      }),
    );
  });
});

describe("tokens", () => {
  it.each([
    ["10k", 10_000],
    ["2M", 2_000_000],
    ["1.5k", 1_500],
    ["1500 tokens", 1_500],
    ["10_000", null],
    ["1.0001k", null],
    ["0k", null],
    ["-1k", null],
    ["99999999M", null],
    ["k", null],
  ])("%j is %s", (text, tokens) => {
    const found = readTokens(text);
    expect("value" in found ? found.value : null).toBe(tokens);
  });
});

describe("the cap of a phase", () => {
  it("is of tokens or of money, and never guessed", () => {
    expect(readAmount("10k")).toEqual({ value: { cost: null, tokens: 10_000 } });
    expect(readAmount("0.50usd")).toEqual({ value: { cost: 500_000_000, tokens: null } });
    expect(readAmount("$0.50")).toEqual({ value: { cost: 500_000_000, tokens: null } });
    // What a shell makes of "$0.50" is none of them either.
    for (const text of ["10", "0.50", "bash.50", ""]) expect(readAmount(text)).toHaveProperty("wrong");
  });
});

describe("a patience", () => {
  it.each([
    ["30s", 30_000],
    ["1m30s", 90_000],
    ["0s", 0],
    ["24h", 86_400_000],
    ["25h", null],
    ["30", null],
    ["-1s", null],
  ])("%j is %s", (text, ms) => {
    const found = readPatience(text);
    expect("value" in found ? found.value : null).toBe(ms);
  });
});
