/** The rule of the ledger where no store leads: damaged rows, and the order in which rows are locked. */
import { describe, expect, it } from "vitest";
import { NO_MONEY, nanoDollars } from "../../../src/kernel/money.ts";
import { callsOf, moved, scopesOf } from "../../../src/store/ledger-rule.ts";
import type { LedgerMoves } from "../../../src/store/ledger.ts";

const held = { call: "a", settled: false, scopes: ["tenant", "group:b"], cost: nanoDollars(5), tokens: 3 };
const settle = [{ call: "a", cost: nanoDollars(2), tokens: 1, unknown_cost: NO_MONEY, unknown_tokens: 0 }];

describe("the rule of the ledger", () => {
  it("names every row that moves touch once, scopes in one order for all who lock them", () => {
    const opening = { cost: NO_MONEY, tokens: 0 };
    const scopes = ["tenant", "day:1", "tenant"].map((scope) => ({
      scope,
      cost: null,
      tokens: null,
      strict: false,
      opening,
    }));
    const moves: LedgerMoves = {
      reserve: [{ call: "b", scopes, cost: null, tokens: 1 }],
      settle: [...settle, ...settle],
    };
    expect(callsOf(moves)).toEqual(["b", "a"]);
    expect(scopesOf(moves, [held])).toEqual(["day:1", "group:b", "tenant"]);
  });

  it("refuses to settle in a scope that is not there: money that vanished is damage", () => {
    const before = { calls: [held], scopes: [] };
    expect(() => moved(before, {}, { reserve: [], settle })).toThrow(
      expect.objectContaining({ kind: "store_corrupt" }),
    );
  });

  it("changes no row where nothing is to be changed", () => {
    const done = { ...held, settled: true, scopes: [] };
    expect(moved({ calls: [done], scopes: [] }, {}, { reserve: [], settle })).toEqual({ calls: [], scopes: [] });
  });
});
