import { describe, expect, it } from "vitest";
import { nanoFromDollars } from "../../../src/kernel/money.ts";
import type { RefusedBy } from "../../../src/store/ledger.ts";
import { budgetRefusal } from "../../../src/store/ledger-refusal.ts";

const dollar = nanoFromDollars(1);
const by: RefusedBy = { scope: "session:s", unit: "cost", cap: dollar, spent: dollar, reserved: 0, asked: dollar };

describe("what a refusal of the ledger says to do", () => {
  it.each([
    ["session:s", "cost", "(`--budget`)"],
    ["turn:s/7", "cost", "(`--turn-budget`)"],
    ["phase:s/plan", "cost", "(`--phase` or the settings)"],
    ["phase:s/plan", "tokens", "(`--phase` or the settings)"],
    ["group:release", "cost", "(`--group` or the settings)"],
    ["group:release", "tokens", "(`budget` in the settings)"],
    ["day:2026-11-21", "tokens", "(`belay budget set`)"],
    ["tenant", "cost", "(`belay budget set`)"],
  ] as const)("for a cap of %s in %s it names what raises it: %s", (scope, unit, said) => {
    expect(budgetRefusal({ ...by, scope, unit }).todo).toBe(`Raise the cap ${said} and resume: what was done is kept.`);
  });
});
