/**
 * The ledger, and cells. They belong to a tenant: its principals share the scopes, so no key has a principal. Keys compare by
 * their bytes, and rows that move are locked in the order of their keys.
 */
import type { Migration } from "./migration.ts";

/**
 * Holds what moves touch until the transaction ends, and says how it stands: one round trip instead of five. What may be
 * reserved is not judged here. Each statement of it sees what was committed before that statement.
 *
 * First the calls, then the scopes, each in the order of their names; a scope that is missing is made before any is locked.
 * Whoever waits here for another one therefore holds nothing that this other one is still to ask for.
 */
const LEDGER_HOLD = `CREATE FUNCTION ledger_hold(of_tenant text, of_calls text[], of_scopes text[]) RETURNS json
  LANGUAGE plpgsql AS $$
  BEGIN
    PERFORM 1 FROM ledger_calls AS c WHERE c.tenant = of_tenant AND c.call = ANY (of_calls) ORDER BY c.call FOR UPDATE;
    of_scopes := ARRAY(
      SELECT unnest(of_scopes)
      UNION SELECT unnest(c.scopes) FROM ledger_calls AS c WHERE c.tenant = of_tenant AND c.call = ANY (of_calls)
    );
    INSERT INTO ledger_scopes (tenant, scope)
      SELECT of_tenant, name FROM unnest(of_scopes) AS name ORDER BY name COLLATE "C" ON CONFLICT DO NOTHING;
    PERFORM 1 FROM ledger_scopes AS s WHERE s.tenant = of_tenant AND s.scope = ANY (of_scopes) ORDER BY s.scope FOR UPDATE;
    RETURN json_build_object(
      'calls', (SELECT coalesce(json_agg(c), '[]') FROM ledger_calls AS c
        WHERE c.tenant = of_tenant AND c.call = ANY (of_calls)),
      'scopes', (SELECT coalesce(json_agg(s), '[]') FROM ledger_scopes AS s
        WHERE s.tenant = of_tenant AND s.scope = ANY (of_scopes) AND s.calls > 0),
      'caps', (SELECT coalesce(json_agg(t), '[]') FROM tenant_caps AS t WHERE t.tenant = of_tenant)
    );
  END $$`;

export const migration2: Migration = {
  version: 2,
  statements: [
    // One without calls was only made to be locked: it is as good as none.
    `CREATE TABLE ledger_scopes (
      tenant text COLLATE "C" NOT NULL,
      scope text COLLATE "C" NOT NULL,
      cost bigint NOT NULL DEFAULT 0,
      tokens bigint NOT NULL DEFAULT 0,
      unknown_cost bigint NOT NULL DEFAULT 0,
      unknown_tokens bigint NOT NULL DEFAULT 0,
      reserved_cost bigint NOT NULL DEFAULT 0 CHECK (reserved_cost >= 0),
      reserved_tokens bigint NOT NULL DEFAULT 0 CHECK (reserved_tokens >= 0),
      calls bigint NOT NULL DEFAULT 0,
      unpriced bigint NOT NULL DEFAULT 0,
      PRIMARY KEY (tenant, scope)
    ) WITH (fillfactor = 70)`,
    `CREATE TABLE ledger_calls (
      tenant text COLLATE "C" NOT NULL,
      call text COLLATE "C" NOT NULL,
      settled boolean NOT NULL,
      scopes text[] COLLATE "C" NOT NULL,
      cost bigint,
      tokens bigint NOT NULL,
      PRIMARY KEY (tenant, call)
    )`,
    `CREATE INDEX ledger_calls_open ON ledger_calls (tenant) WHERE NOT settled`,
    `CREATE TABLE tenant_caps (
      tenant text COLLATE "C" NOT NULL,
      period text COLLATE "C" NOT NULL,
      cost bigint,
      tokens bigint,
      PRIMARY KEY (tenant, period)
    )`,
    LEDGER_HOLD,
    // A cell that was emptied is kept, for its version.
    `CREATE TABLE cells (
      tenant text COLLATE "C" NOT NULL,
      key text COLLATE "C" NOT NULL,
      version bigint NOT NULL,
      value text COLLATE "C",
      updated_at bigint NOT NULL,
      marks bigint[] NOT NULL,
      PRIMARY KEY (tenant, key)
    ) WITH (fillfactor = 70)`,
  ],
};
