/** What only the PostgreSQL ledger and its cells have: locks, round trips, commits that are not waited for, an older schema. */
import { describe, expect, it } from "vitest";
import { systemClock } from "../../../src/host/system-clock.ts";
import { LOCAL_TENANT } from "../../../src/kernel/ids.ts";
import { nanoDollars } from "../../../src/kernel/money.ts";
import { BudgetRefusal, type Reservation, type Settlement } from "../../../src/store/ledger.ts";
import type { Store } from "../../../src/store/port.ts";
import { appendOf } from "../../../src/testing/store-contract/case.ts";
import { postgresPlaces } from "../../support/postgres.ts";
import { claim, newSession, SESSION } from "../../support/session-fixture.ts";

const { place, open } = postgresPlaces();

const CAP = nanoDollars(1_000);

function reservation(call: string, names: readonly string[], cost = 10): Reservation {
  const opening = { cost: nanoDollars(0), tokens: 0 };
  const scopes = names.map((scope) => ({ scope, cost: CAP, tokens: null, strict: false, opening }));
  return { call, scopes, cost: nanoDollars(cost), tokens: 1 };
}

function settlement(call: string, cost: number): Settlement {
  return { call, cost: nanoDollars(cost), tokens: 1, unknown_cost: null, unknown_tokens: 0 };
}

async function reserved(store: Store, scope: string): Promise<number | undefined> {
  return (await store.listScopes(LOCAL_TENANT, scope, 1))[0]?.reserved_cost;
}

describe("many who move the ledger in scopes that overlap", () => {
  it("wait for each other and never in a circle: no move is tried twice", async () => {
    let waits = 0;
    const clock = { ...systemClock, sleep: async () => void (waits += 1) };
    const [one, two] = [await open({ clock }), await open({ clock })];
    const names = ["a", "b", "c", "d", "e", "f"];
    const work = Array.from({ length: 24 }, async (_, n) => {
      const store = n % 2 === 0 ? one : two;
      // Every order of names, each with one that nobody had before; settled beside the reservation of another one.
      const turned = [...names.slice(n % 6), ...names.slice(0, n % 6)].slice(0, 4);
      const scopes = [`new:${n % 7}`, ...(n % 4 < 2 ? turned : turned.toReversed())];
      await store.moveLedger(LOCAL_TENANT, { reserve: [reservation(`x${n}`, scopes, 1)], settle: [] });
      const next = reservation(`y${n}`, scopes.toReversed(), 1);
      await store.moveLedger(LOCAL_TENANT, { reserve: [next], settle: [settlement(`x${n}`, 1)] });
      await store.moveLedger(LOCAL_TENANT, { reserve: [], settle: [settlement(`y${n}`, 0)] });
    });
    await Promise.all(work);
    expect(waits).toBe(0);
    const scopes = await one.listScopes(LOCAL_TENANT, "", 99);
    expect(scopes.map((at) => at.reserved_cost)).toEqual(scopes.map(() => 0));
    const total = (of: (at: (typeof scopes)[number]) => number): number => scopes.reduce((sum, at) => sum + of(at), 0);
    expect([total((at) => at.cost), total((at) => at.calls)]).toEqual([24 * 5, 48 * 5]);
  });

  it("reserve the same call at once in different scopes: it is reserved in those of one of them", async () => {
    const store = await open();
    const tries = ["a", "b", "c", "d"].map((scope) =>
      store.moveLedger(LOCAL_TENANT, { reserve: [reservation("same", [scope])], settle: [] }),
    );
    await Promise.all(tries);
    const scopes = await store.listScopes(LOCAL_TENANT, "", 9);
    expect(scopes.map((at) => [at.reserved_cost, at.calls])).toEqual([[10, 1]]);
  });

  it("remove the session meanwhile: what its last append reserved stays nowhere as reserved", async () => {
    const store = await open();
    for (let n = 0; n < 10; n += 1) {
      await store.createSession(newSession());
      const lease = { ...(await claim(store, `token-${n}`)), until: 0 };
      await store.renew(lease, 0);
      const ledger = { reserve: [reservation(`c${n}`, ["tenant", `session:${SESSION}`])], settle: [] };
      const appended = store.append(appendOf(lease, 0, 1, { ledger }));
      await Promise.allSettled([appended, store.deleteSession(LOCAL_TENANT, SESSION)]);
      expect(await store.getSession(LOCAL_TENANT, SESSION)).toBeNull();
    }
    expect((await reserved(store, "tenant")) ?? 0).toBe(0);
  });
});

describe("an error of the server in the middle of a move", () => {
  it.each(["40001", "40P01", "55P03"])("(%s) passes: the move is made once, with its records", async (state) => {
    const store = await open();
    await store.createSession(newSession());
    const lease = await claim(store, "token-1");
    await place().query("CREATE SEQUENCE tries");
    await place().query(`CREATE FUNCTION fails() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      IF nextval('tries') <= 2 THEN RAISE EXCEPTION 'on purpose' USING ERRCODE = '${state}'; END IF;
      RETURN NEW; END $$`);
    await place().query("CREATE TRIGGER fails BEFORE INSERT ON ledger_calls FOR EACH ROW EXECUTE FUNCTION fails()");
    await store.append(appendOf(lease, 0, 1, { ledger: { reserve: [reservation("a", ["tenant"])], settle: [] } }));
    expect(await reserved(store, "tenant")).toBe(10);
    expect((await store.getSession(LOCAL_TENANT, SESSION))?.last_seq).toBe(1);
  });
});

describe("a refused move", () => {
  it("leaves nothing behind, not even the scopes that it asked for", async () => {
    const store = await open();
    const asked = reservation("a", ["tenant", "turn:new"], CAP + 1);
    await expect(store.moveLedger(LOCAL_TENANT, { reserve: [asked], settle: [] })).rejects.toBeInstanceOf(
      BudgetRefusal,
    );
    expect((await place().query("SELECT FROM ledger_scopes")).count).toBe(0);
  });
});

describe("the write of a cell", () => {
  it("is not waited for until it is on disk; a commit of the same connection after it is", async () => {
    const store = await open();
    await store.createSession(newSession());
    const lease = await claim(store, "token-1");
    // Every write notes under which setting it was made, and by which connection.
    await place().query("CREATE TABLE seen (what text, setting text, connection int)");
    await place().query(`CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      INSERT INTO seen VALUES (TG_TABLE_NAME, current_setting('synchronous_commit'), pg_backend_pid());
      RETURN NULL; END $$`);
    for (const table of ["cells", "records"]) {
      await place().query(
        `CREATE TRIGGER note AFTER INSERT OR UPDATE ON ${table} FOR EACH STATEMENT EXECUTE FUNCTION note()`,
      );
    }
    const write = (expected: number): Promise<boolean> =>
      store.writeCell({ tenant: LOCAL_TENANT, key: "rate", expected, value: "v" });
    const ledger = { reserve: [reservation("a", ["tenant"])], settle: [] };
    for (const expected of [0, 7, 1]) expect(await write(expected)).toBe(expected !== 7);
    await store.append(appendOf(lease, 0, 1));
    await write(2);
    await store.append(appendOf(lease, 1, 1, { ledger }));
    const { rows } = await place().query("SELECT what, setting, connection FROM seen");
    expect(new Set(rows.map(({ connection }) => connection)).size).toBe(1);
    const settings = (what: string): readonly unknown[] =>
      rows.filter((row) => row["what"] === what).map(({ setting }) => setting);
    expect(settings("records")).toEqual(["on", "on"]);
    // A write that changes nothing has nothing to commit.
    expect(settings("cells").filter((setting) => setting === "off")).toHaveLength(3);
  });
});

describe("a store that a belay without a ledger wrote", () => {
  it("keeps its sessions, and has a ledger from now on", async () => {
    const before = await open();
    await before.createSession(newSession());
    const lease = await claim(before, "token-1");
    await before.append(appendOf(lease, 0, 2));
    await place().query("DROP TABLE ledger_scopes, ledger_calls, tenant_caps, cells, memories");
    await place().query("DROP FUNCTION ledger_hold");
    await place().query("DELETE FROM migrations WHERE version > 1");
    const [store] = await Promise.all([open(), open()]);
    expect(await store.read({ tenant: LOCAL_TENANT, session: SESSION, after_seq: 0, limit: 9 })).toHaveLength(2);
    await store.append(appendOf(lease, 2, 1, { ledger: { reserve: [reservation("a", ["tenant"])], settle: [] } }));
    expect(await reserved(store, "tenant")).toBe(10);
    expect(await store.writeCell({ tenant: LOCAL_TENANT, key: "rate", expected: 0, value: "v" })).toBe(true);
  });
});
