/** Contract: S6, and what of the ledger others see: caps of tenants, lists, appends, races. */
import assert from "node:assert/strict";
import type { LedgerScope } from "../../kernel/ledger-scopes.ts";
import { BudgetRefusal } from "../../store/ledger.ts";
import type { Store } from "../../store/port.ts";
import {
  type ContractCase,
  appendOf,
  claimOf,
  contractCase,
  driven,
  newSession,
  OTHER_TENANT,
  rejects,
  SESSION,
  storedSeqs,
  TENANT,
} from "./case.ts";
import {
  usd,
  type ScopeFacts,
  scope,
  reservation,
  settlement,
  reserve,
  settle,
  refusal,
  refusedBy,
  positionIn,
  standing,
  GROUP,
} from "./ledger-case.ts";

export const sharedLedgerCases: readonly ContractCase[] = [
  contractCase(
    "a call without a price is refused under a strict cap of money, and under a tenant's",
    async ({ store }) => {
      const strict = scope("session:s", { cost: 1, strict: true });
      const error = await refusal(reserve(store, reservation("a", [scope("tenant"), strict], null, 5)));
      assert.deepEqual(
        [error.kind, error.refused_by.scope, error.refused_by.asked],
        ["price_unknown", "session:s", null],
      );
      assert.equal((await positionIn(store, strict)).strict, true);
      await reserve(store, reservation("a", [scope("session:t", { tokens: 9, strict: true })], null, 5));
      await store.setTenantCap(TENANT, "total", { cost: null, tokens: 1_000 });
      await reserve(store, reservation("b", [scope("tenant")], null, 5));
      await store.setTenantCap(TENANT, "total", { cost: usd(1), tokens: null });
      assert.equal((await refusal(reserve(store, reservation("c", [scope("tenant")], null, 5)))).kind, "price_unknown");
    },
  ),

  contractCase("a tenant's caps hold for all that it spends, for each month and for each day", async ({ store }) => {
    const path = (month: string, day: string): readonly LedgerScope[] =>
      ["tenant", `month:${month}`, `day:${day}`, "session:s"].map((name) => scope(name));
    await store.setTenantCap(TENANT, "total", { cost: usd(10), tokens: null });
    await store.setTenantCap(TENANT, "month", { cost: usd(3), tokens: null });
    await store.setTenantCap(TENANT, "day", { cost: usd(2), tokens: 100 });
    await reserve(store, reservation("a", path("2026-11", "2026-11-21"), 2));
    const [, day] = await refusedBy(reserve(store, reservation("b", path("2026-11", "2026-11-21"), 0.5)));
    assert.deepEqual([day.scope, day.cap], ["day:2026-11-21", usd(2)]);
    const [, month] = await refusedBy(reserve(store, reservation("b", path("2026-11", "2026-11-22"), 1.5)));
    assert.deepEqual([month.scope, month.cap], ["month:2026-11", usd(3)]);
    const [, tokens] = await refusedBy(reserve(store, reservation("b", path("2026-12", "2026-12-01"), 1, 101)));
    assert.deepEqual([tokens.scope, tokens.unit], ["day:2026-12-01", "tokens"]);
    for (const n of [1, 2, 3]) await reserve(store, reservation(`m${n}`, path(`2027-0${n}`, `2027-0${n}-01`), 2));
    await reserve(store, reservation("m4", path("2027-04", "2027-04-01"), 1.5));
    const [, total] = await refusedBy(reserve(store, reservation("c", path("2027-05", "2027-05-01"), 0.75)));
    assert.deepEqual([total.scope, total.cap, total.reserved], ["tenant", usd(10), usd(9.5)]);
    assert.deepEqual(await store.tenantCaps(TENANT), {
      total: { cost: usd(10), tokens: null },
      month: { cost: usd(3), tokens: null },
      day: { cost: usd(2), tokens: 100 },
    });
    await store.setTenantCap(TENANT, "day", null);
    await store.setTenantCap(TENANT, "month", { cost: usd(4), tokens: null });
    await reserve(store, reservation("b", path("2026-11", "2026-11-21"), 0.5));
    assert.deepEqual(await store.tenantCaps(TENANT), {
      total: { cost: usd(10), tokens: null },
      month: { cost: usd(4), tokens: null },
    });
    assert.deepEqual(await store.tenantCaps(OTHER_TENANT), {});
  }),

  contractCase("of an asker's cap and a tenant's the smaller one holds, and is shown", async ({ store }) => {
    await store.setTenantCap(TENANT, "total", { cost: usd(2), tokens: 50 });
    const shown = async (facts: ScopeFacts): Promise<readonly (number | null)[]> => {
      const { cap_cost, cap_tokens } = await positionIn(store, scope("tenant", facts));
      return [cap_cost, cap_tokens];
    };
    assert.deepEqual(await shown({}), [usd(2), 50]);
    assert.deepEqual(await shown({ cost: 1, tokens: 90 }), [usd(1), 50]);
    const [, by] = await refusedBy(reserve(store, reservation("a", [scope("tenant", { cost: 1 })], 1.5)));
    assert.equal(by.cap, usd(1));
    await reserve(store, reservation("a", [scope("tenant")], 1.5));
  }),

  contractCase(
    "positions come in the order asked, and a scope that nobody used stands at nothing",
    async ({ store }) => {
      await reserve(store, reservation("a", [GROUP, scope("session:s")], 0.5, 5));
      const asked = [scope("session:s"), scope("turn:s/9", { tokens: 3 }), GROUP];
      const found = await store.positions(TENANT, asked);
      assert.deepEqual(
        found.map((at) => [at.scope, at.cap_cost, at.cap_tokens, at.reserved_cost, at.calls]),
        [
          ["session:s", null, null, usd(0.5), 1],
          ["turn:s/9", null, 3, 0, 0],
          ["group:team", usd(1), 1_000, usd(0.5), 1],
        ],
      );
      assert.deepEqual(await store.listScopes(TENANT, "turn:", 9), []);
    },
  ),

  contractCase("scopes are listed by the beginning of their names, in order, up to a limit", async ({ store }) => {
    const names = ["day:2026-11-21", "day:2026-11-20", "group:b_%", "group:ä", "group:Z", "group", "groups:x"];
    await reserve(
      store,
      reservation(
        "a",
        names.map((name) => scope(name)),
        0.5,
      ),
    );
    await store.setTenantCap(TENANT, "day", { cost: usd(3), tokens: null });
    const list = async (prefix: string, limit: number): Promise<readonly string[]> =>
      (await store.listScopes(TENANT, prefix, limit)).map((at) => at.scope);
    assert.deepEqual(await list("group:", 9), ["group:Z", "group:b_%", "group:ä"]);
    assert.deepEqual(await list("group:", 2), ["group:Z", "group:b_%"]);
    assert.deepEqual(await list("group:b_%", 9), ["group:b_%"]);
    assert.deepEqual(await list("g_oup", 9), []);
    assert.equal((await list("", 99)).length, names.length);
    const days = await store.listScopes(TENANT, "day:", 9);
    assert.deepEqual(
      days.map((at) => [at.scope, at.cap_cost, at.reserved_cost]),
      [
        ["day:2026-11-20", usd(3), usd(0.5)],
        ["day:2026-11-21", usd(3), usd(0.5)],
      ],
    );
  }),

  contractCase("a tenant's ledger is its own", async ({ store }) => {
    await reserve(store, reservation("a", [GROUP], 1));
    await store.moveLedger(OTHER_TENANT, { reserve: [reservation("a", [GROUP], 0.5)], settle: [] });
    await store.moveLedger(OTHER_TENANT, { reserve: [], settle: [settlement("a", 0.4)] });
    assert.deepEqual((await standing(store, "group:team"))[2], [1, 0]);
    const [theirs] = await store.listScopes(OTHER_TENANT, "", 9);
    assert.deepEqual([theirs?.cost, theirs?.reserved_cost], [usd(0.4), 0]);
  }),

  contractCase("S6: an append moves the ledger together with its records", async ({ store }) => {
    const lease = await driven(store);
    await store.append(appendOf(lease, 0, 2, { ledger: { reserve: [reservation("a", [GROUP], 0.9)], settle: [] } }));
    assert.deepEqual((await standing(store, "group:team"))[2], [0.9, 0]);
    await store.append(appendOf(lease, 2, 1, { ledger: { reserve: [], settle: [settlement("a", 0.4, 9)] } }));
    assert.deepEqual((await standing(store, "group:team"))[0], [0.4, 9]);
    assert.deepEqual(await storedSeqs(store), [1, 2, 3]);
  }),

  contractCase("S6: an append that is refused writes nothing, and its writer goes on", async ({ store }) => {
    const lease = await driven(store);
    await store.append(appendOf(lease, 0, 1));
    const before = await store.getSession(TENANT, SESSION);
    const asked = { reserve: [reservation("a", [scope("tenant"), GROUP], 1.1)], settle: [] };
    assert.equal((await refusal(store.append(appendOf(lease, 1, 2, { ledger: asked })))).kind, "budget_exceeded");
    assert.deepEqual(await storedSeqs(store), [1]);
    assert.deepEqual(await store.getSession(TENANT, SESSION), before);
    assert.deepEqual(await store.listScopes(TENANT, "", 9), []);
    await store.append(appendOf(lease, 1, 2));
    assert.deepEqual(await storedSeqs(store), [1, 2, 3]);
  }),

  contractCase("S6: an append that is fenced or lacks a blob moves nothing", async ({ store }) => {
    const lease = await driven(store);
    const ledger = { reserve: [reservation("a", [GROUP], 0.5)], settle: [] };
    await rejects("fenced", store.append(appendOf(lease, 7, 1, { ledger })));
    const missing = `sha256:${"0".repeat(64)}` as Awaited<ReturnType<Store["putBlob"]>>; // the shape of one
    await rejects("blob_missing", store.append(appendOf(lease, 0, 1, { ledger, blobs: [missing] })));
    assert.deepEqual(await store.listScopes(TENANT, "", 9), []);
    await store.append(appendOf(lease, 0, 1, { ledger }));
    assert.deepEqual((await standing(store, "group:team"))[2], [0.5, 0]);
  }),

  contractCase(
    "what a session spent stays when it is removed; what it had reserved is spent, for all that is known",
    async ({ store }) => {
      const lease = await driven(store);
      const path = [scope("tenant"), scope(`session:${SESSION}`)];
      const other = reservation("other", [scope("tenant"), scope("session:ses_2")], 0.25, 2);
      const reserved = [reservation("a", path, 0.5, 5), reservation("b", path, 0.75, 7), other];
      await store.append(appendOf(lease, 0, 1, { ledger: { reserve: reserved, settle: [settlement("a", 0.25, 2)] } }));
      await store.release(lease);
      await store.deleteSession(TENANT, SESSION);
      assert.deepEqual(await standing(store, "tenant"), [
        [0.25, 2],
        [0.75, 7],
        [0.25, 2],
      ]);
      await store.createSession(newSession());
      const again = await store.claim(claimOf("again"));
      await store.append(appendOf(again, 0, 1, { ledger: { reserve: [], settle: [settlement("b", 0.5, 5)] } }));
      assert.deepEqual((await standing(store, "tenant"))[1], [0.75, 7]);
    },
  ),

  contractCase("S4: positions and caps are the caller's own", async ({ store }) => {
    const cap = { cost: usd(2), tokens: 50 };
    await store.setTenantCap(TENANT, "total", cap);
    (cap as { tokens: number }).tokens = 1;
    await reserve(store, reservation("a", [scope("tenant")], 0.5, 5));
    const caps = await store.tenantCaps(TENANT);
    if (caps.total) (caps.total as { tokens: number | null }).tokens = null;
    for (const at of await store.listScopes(TENANT, "", 9)) (at as { tokens: number }).tokens = 99;
    const [position] = await store.positions(TENANT, [scope("tenant")]);
    assert.deepEqual([position?.tokens, position?.cap_tokens], [0, 50]);
  }),

  contractCase(
    "L2: of many who reserve at the same moment only as many succeed as the cap has room for",
    async ({ store }) => {
      const tries = Array.from({ length: 12 }, (_, n) =>
        reserve(store, reservation(`c${n}`, [scope("tenant"), GROUP], 0.15)),
      );
      const settled = await Promise.allSettled(tries);
      assert.equal(settled.filter(({ status }) => status === "fulfilled").length, 6);
      assert.deepEqual((await standing(store, "tenant"))[2], [0.9, 0]);
    },
  ),

  contractCase(
    "L2: two openings of the store race on one cap, and it holds",
    async ({ store, reopen }) => {
      assert.ok(reopen);
      const other = await reopen();
      const paths = [
        [scope("tenant"), GROUP, scope("session:a")],
        [scope("tenant"), GROUP, scope("session:b")],
      ] as const;
      const race = async (of: Store, n: 0 | 1): Promise<number> => {
        let taken = 0;
        for (let i = 0; i < 10; i++) {
          const call = `${n}/${i}`;
          const one = await reserve(of, reservation(call, paths[n], 0.2)).then(
            () => true,
            (error: unknown) => assert.ok(error instanceof BudgetRefusal),
          );
          if (one !== true) continue;
          await settle(of, settlement(call, 0.1));
          taken += 1;
        }
        return taken;
      };
      const [one, two] = await Promise.all([race(store, 0), race(other, 1)]);
      const [at] = await store.positions(TENANT, [GROUP]);
      assert.deepEqual([at?.cost, at?.reserved_cost, at?.calls], [usd((one + two) / 10), 0, one + two]);
      assert.ok(one + two >= 9, "what was settled made room");
    },
    "reopen",
  ),

  contractCase(
    "S1: the ledger is there after the store was opened again, and knows who reserved what",
    async ({ store, reopen }) => {
      assert.ok(reopen);
      await store.setTenantCap(TENANT, "total", { cost: usd(2), tokens: null });
      await reserve(store, reservation("a", [scope("tenant"), GROUP], 0.5, 5), reservation("b", [GROUP], 0.25, 2));
      await settle(store, settlement("b", 0.125, 1));
      const before = await store.listScopes(TENANT, "", 9);
      await store.close();
      const again = await reopen();
      assert.deepEqual(await again.listScopes(TENANT, "", 9), before);
      await reserve(again, reservation("a", [GROUP], 0.5, 5), reservation("b", [GROUP], 0.25, 2));
      await settle(again, settlement("a", 0.25, 3), settlement("b", 0.25, 3));
      assert.deepEqual(await standing(again, "group:team"), [
        [0.375, 4],
        [0, 0],
        [0, 0],
      ]);
      assert.deepEqual((await standing(again, "tenant"))[0], [0.25, 3]);
    },
    "reopen",
  ),
];
