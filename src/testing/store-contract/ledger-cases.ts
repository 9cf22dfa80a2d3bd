/** Contract: L1 to L4, the rule of the ledger. */
import assert from "node:assert/strict";
import { type ContractCase, contractCase, TENANT } from "./case.ts";
import {
  usd,
  scope,
  reservation,
  settlement,
  reserve,
  settle,
  refusal,
  refusedBy,
  positionIn,
  standing,
  NOTHING,
  GROUP,
} from "./ledger-case.ts";

export const ledgerCases: readonly ContractCase[] = [
  contractCase("L2: a cap of money lets through what fits to the last nano-dollar, and no more", async ({ store }) => {
    await reserve(store, reservation("a", [GROUP], 0.4), reservation("b", [GROUP], 0.6));
    const [kind, by] = await refusedBy(reserve(store, reservation("c", [GROUP], 0.000_000_001)));
    assert.equal(kind, "budget_held");
    assert.deepEqual(by, { scope: "group:team", unit: "cost", cap: usd(1), spent: 0, reserved: usd(1), asked: 1 });
    await reserve(store, reservation("d", [GROUP], 0));
  }),

  contractCase("L2: a cap of tokens lets through what fits to the last token, and no more", async ({ store }) => {
    await reserve(store, reservation("a", [GROUP], 0, 400), reservation("b", [GROUP], null, 600));
    const [kind, by] = await refusedBy(reserve(store, reservation("c", [GROUP], null, 1)));
    assert.equal(kind, "budget_held");
    assert.deepEqual(by, { scope: "group:team", unit: "tokens", cap: 1_000, spent: 0, reserved: 1_000, asked: 1 });
  }),

  contractCase("L1: a call is reserved in all its scopes, or in none of them", async ({ store }) => {
    const path = [scope("tenant"), scope("session:s", { cost: 1 }), scope("turn:s/1", { cost: 0.5, tokens: 90 })];
    await reserve(store, reservation("a", path, 0.3, 50));
    for (const { scope: name } of path) assert.deepEqual((await standing(store, name))[2], [0.3, 50]);
    const [, by] = await refusedBy(reserve(store, reservation("b", path, 0.1, 41)));
    assert.equal(by.scope, "turn:s/1");
    for (const { scope: name } of path) assert.deepEqual((await standing(store, name))[2], [0.3, 50]);
    const [, other] = await refusedBy(reserve(store, reservation("b", path, 0.3, 1)));
    assert.deepEqual([other.scope, other.unit], ["turn:s/1", "cost"]);
  }),

  contractCase("L1: of several reservations in one step all are taken, or none", async ({ store }) => {
    await refusal(reserve(store, reservation("a", [GROUP], 0.6), reservation("b", [GROUP], 0.6)));
    assert.deepEqual(await standing(store, "group:team"), NOTHING);
    await reserve(store, reservation("a", [GROUP], 1));
  }),

  contractCase("a scope that is named twice is one scope, under the smaller cap", async ({ store }) => {
    const twice = [scope("group:team", { cost: 1 }), scope("group:team", { cost: 0.5 })];
    const [, by] = await refusedBy(reserve(store, reservation("a", twice, 0.6)));
    assert.equal(by.cap, usd(0.5));
    await reserve(store, reservation("a", twice, 0.4));
    await settle(store, settlement("a", 0.3));
    assert.deepEqual(await standing(store, "group:team"), [
      [0.3, 0],
      [0, 0],
      [0, 0],
    ]);
  }),

  contractCase(
    "only reservations of others in the way are `budget_held`; else it is `budget_exceeded`",
    async ({ store }) => {
      await reserve(store, reservation("a", [GROUP], 0.8));
      assert.equal((await refusal(reserve(store, reservation("b", [GROUP], 0.3)))).kind, "budget_held");
      assert.equal((await refusal(reserve(store, reservation("b", [GROUP], 1.1)))).kind, "budget_exceeded");
      await settle(store, settlement("a", 0.8));
      const error = await refusal(reserve(store, reservation("b", [GROUP], 0.3)));
      assert.equal(error.kind, "budget_exceeded");
      assert.deepEqual([error.refused_by.spent, error.refused_by.reserved], [usd(0.8), 0]);
      await reserve(store, reservation("b", [GROUP], 0.2));
    },
  ),

  contractCase(
    "where one cap is held and another one exceeded, the refusal is the one that waiting cannot end",
    async ({ store }) => {
      const inner = scope("session:s", { cost: 0.2 });
      await reserve(store, reservation("a", [GROUP], 0.9));
      const [kind, by] = await refusedBy(reserve(store, reservation("b", [GROUP, inner], 0.3)));
      assert.deepEqual([kind, by.scope], ["budget_exceeded", "session:s"]);
    },
  ),

  contractCase(
    "a refusal names scope, cap, what was spent, reserved and asked, and how to raise it",
    async ({ store }) => {
      await store.setTenantCap(TENANT, "month", { cost: usd(2), tokens: 5_000 });
      const path = [scope("month:2026-11"), scope("session:ses_1", { cost: 1.5 })];
      await reserve(store, reservation("a", path, 1));
      await settle(store, settlement("a", 1, 10));
      await reserve(store, reservation("b", path, 0.25));
      const session = await refusal(reserve(store, reservation("c", path, 0.75)));
      for (const said of ["session ses_1", "$1.50", "$1.00", "$0.250", "$0.750", "`--budget`"]) {
        assert.ok(session.message.includes(said), `${said} in "${session.message}"`);
      }
      const tenant = await refusal(reserve(store, reservation("c", path, 0.25, 4_991)));
      for (const said of ["month 2026-11", "5,000 tokens", "10 tokens", "4,991 tokens", "`belay budget set`"]) {
        assert.ok(tenant.message.includes(said), `${said} in "${tenant.message}"`);
      }
    },
  ),

  contractCase("a settled call frees what it did not use, in every scope", async ({ store }) => {
    const path = [GROUP, scope("session:s")];
    await reserve(store, reservation("a", path, 0.9, 900));
    await settle(store, settlement("a", 0.25, 30));
    for (const name of ["group:team", "session:s"]) {
      assert.deepEqual(await standing(store, name), [
        [0.25, 30],
        [0, 0],
        [0, 0],
      ]);
    }
    await reserve(store, reservation("b", path, 0.75, 970));
  }),

  contractCase("L4: what a lost answer may have cost stays, and counts as spent", async ({ store }) => {
    await reserve(store, reservation("a", [GROUP], 0.9, 900));
    await settle(store, settlement("a", 0.1, 100, [0.8, 800]));
    assert.deepEqual(await standing(store, "group:team"), [
      [0.1, 100],
      [0.8, 800],
      [0, 0],
    ]);
    const [kind, by] = await refusedBy(reserve(store, reservation("b", [GROUP], 0.2)));
    assert.deepEqual([kind, by.spent], ["budget_exceeded", usd(0.9)]);
  }),

  contractCase("L3: a call is reserved once, also after it was settled", async ({ store }) => {
    await reserve(store, reservation("a", [GROUP], 0.6, 6));
    await reserve(store, reservation("a", [GROUP], 0.6, 6), reservation("a", [GROUP, scope("session:s")], 99));
    assert.deepEqual((await standing(store, "group:team"))[2], [0.6, 6]);
    assert.deepEqual(await standing(store, "session:s"), NOTHING);
    await settle(store, settlement("a", 0.5, 5));
    await reserve(store, reservation("a", [GROUP], 0.4, 4));
    assert.deepEqual(await standing(store, "group:team"), [
      [0.5, 5],
      [0, 0],
      [0, 0],
    ]);
    assert.equal((await positionIn(store, GROUP)).calls, 1);
  }),

  contractCase("L3: a call is settled once, and a call that nobody reserved never", async ({ store }) => {
    await reserve(store, reservation("a", [GROUP], 0.6, 6));
    await settle(store, settlement("a", 0.5, 5), settlement("a", 0.6, 6), settlement("unheard-of", 0.1, 1));
    await settle(store, settlement("a", 0.1, 1, [0.5, 5]));
    assert.deepEqual(await standing(store, "group:team"), [
      [0.5, 5],
      [0, 0],
      [0, 0],
    ]);
  }),

  contractCase("what is settled makes room for what is reserved in the same step", async ({ store }) => {
    await reserve(store, reservation("a", [GROUP], 1));
    await store.moveLedger(TENANT, { reserve: [reservation("b", [GROUP], 0.9)], settle: [settlement("a", 0.1)] });
    assert.deepEqual(await standing(store, "group:team"), [
      [0.1, 0],
      [0, 0],
      [0.9, 0],
    ]);
    const both = { reserve: [reservation("c", [GROUP], 0)], settle: [settlement("c", 0, 7)] };
    await store.moveLedger(TENANT, both);
    assert.deepEqual((await standing(store, "group:team"))[0], [0.1, 7]);
  }),

  contractCase("a step that is refused settles nothing either", async ({ store }) => {
    await reserve(store, reservation("a", [GROUP], 0.5));
    const moves = { reserve: [reservation("b", [GROUP], 0.9)], settle: [settlement("a", 0.2)] };
    await refusal(store.moveLedger(TENANT, moves));
    assert.deepEqual((await standing(store, "group:team"))[2], [0.5, 0]);
    await settle(store, settlement("a", 0.1));
    await reserve(store, reservation("b", [GROUP], 0.9));
  }),

  contractCase("a scope begins with what was spent before the ledger knew of it, once", async ({ store }) => {
    const forked = scope("session:fork", { cost: 1, spent: { cost: 0.7, tokens: 70 } });
    assert.deepEqual((await positionIn(store, forked)).cost, usd(0.7));
    const [kind, by] = await refusedBy(reserve(store, reservation("a", [scope("tenant"), forked], 0.4)));
    assert.deepEqual([kind, by.spent], ["budget_exceeded", usd(0.7)]);
    await reserve(store, reservation("a", [scope("tenant"), forked], 0.2, 5));
    await settle(store, settlement("a", 0.1, 3));
    const later = scope("session:fork", { cost: 1, spent: { cost: 0.8, tokens: 73 } });
    await reserve(store, reservation("b", [scope("tenant"), later], 0.2, 5));
    assert.deepEqual(await standing(store, "session:fork"), [
      [0.8, 73],
      [0, 0],
      [0.2, 5],
    ]);
    assert.deepEqual((await standing(store, "tenant"))[0], [0.1, 3]);
  }),

  contractCase(
    "a call without a price passes a cap of money that is not strict, counted as such",
    async ({ store }) => {
      await reserve(store, reservation("a", [GROUP], null, 5), reservation("b", [GROUP], 1, 5));
      await settle(store, settlement("a", null, 4), settlement("b", 0.5, 4));
      const position = await positionIn(store, GROUP);
      assert.deepEqual([position.calls, position.unpriced, position.cost, position.strict], [2, 1, usd(0.5), false]);
      assert.deepEqual((await standing(store, "group:team"))[2], [0, 0]);
    },
  ),
];
