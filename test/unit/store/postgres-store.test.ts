/** What only the PostgreSQL store has: its address, its server's settings, its migrations, its errors. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { inspect } from "node:util";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ErrorKind } from "../../../src/kernel/error-kind.ts";
import { HarnessError } from "../../../src/kernel/harness-error.ts";
import { systemClock } from "../../../src/host/system-clock.ts";
import { LOCAL_TENANT } from "../../../src/kernel/ids.ts";
import { postgresPlaces } from "../../support/postgres.ts";
import { PASSWORD, type PostgresServer, startPostgresServer } from "../../support/postgres-server.ts";
import { beginning, journalOn, newSession, said, SESSION } from "../../support/session-fixture.ts";

const { place, open } = postgresPlaces();

async function errorOf(action: Promise<unknown>): Promise<HarnessError> {
  const error: unknown = await action.catch((thrown: unknown) => thrown);
  if (!(error instanceof HarnessError)) throw new Error(`expected a HarnessError and got ${inspect(error)}`);
  return error;
}

/** The address with one part changed. */
function address(change: (url: URL) => void): string {
  const url = new URL(place().url);
  change(url);
  return url.href;
}

describe("an address", () => {
  it.each([
    ["mysql://u:secret-word@h/db", "no URL"],
    ["postgres://u:secret-word@h:port/db", "no URL"],
    ["postgres://u:secret-word@", "no URL"],
  ])("that cannot be read (%s) is refused, and not repeated", async (url, what) => {
    const error = await errorOf(open({ url }));
    expect(error.kind).toBe("config_invalid");
    expect(error.message).toContain(what);
    expect(inspect(error, { depth: 9 })).not.toContain("secret-word");
  });

  it("with a wrong password, user or database is refused by name, without the password", async () => {
    const wrong = [
      address((url) => (url.password = "not-the-password")),
      address((url) => (url.pathname = "/no_such_database")),
    ];
    for (const url of wrong) {
      const error = await errorOf(open({ url }));
      expect(error.kind).toBe("config_invalid");
      expect(error.message).toContain(new URL(url).pathname.slice(1));
      const shown = inspect(error, { depth: 20, showHidden: false });
      expect(shown).not.toContain("not-the-password");
      expect(shown).not.toContain(new URL(url).password);
    }
  });

  it("of a certificate that is not there, or of TLS that the server does not have, is refused", async () => {
    const missing = await errorOf(open({ url: `${place().url}?sslmode=verify-full&sslrootcert=/no/such/ca.pem` }));
    expect(missing).toMatchObject({ kind: "config_invalid" });
    expect(missing.message).toContain("/no/such/ca.pem");
    expect(await errorOf(open({ url: `${place().url}?sslmode=verify-full` }))).toMatchObject({
      kind: "config_invalid",
    });
  });

  it("where nobody listens is tried for a moment, and then named with what to do", async () => {
    const error = await errorOf(open({ url: address((url) => (url.port = "1")) }));
    expect(error.kind).toBe("store_io");
    expect(error.message).toMatch(/127\.0\.0\.1:1\/postgres: ECONNREFUSED/);
  });

  it("with a schema of an unusable name is refused", async () => {
    expect(await errorOf(open({ schema: 'x"; DROP' }))).toMatchObject({ kind: "config_invalid" });
  });
});

describe("the tables", () => {
  it("are made once when several open a new store at the same moment", async () => {
    const opened = await Promise.all(Array.from({ length: 6 }, () => open()));
    for (const store of opened) expect(await store.getSession(LOCAL_TENANT, SESSION)).toBeNull();
    const { rows } = await place().query("SELECT version FROM migrations ORDER BY version");
    expect(rows).toEqual([{ version: 1 }, { version: 2 }, { version: 3 }]);
  });

  it("of a newer belay are refused by name, and left alone", async () => {
    await open();
    await place().query("INSERT INTO migrations VALUES (999, now())");
    const error = await errorOf(open());
    expect(error.kind).toBe("store_schema_newer");
    expect(error.message).toContain("999");
  });

  it("carry tenant and principal wherever something belongs to a session or to a person", async () => {
    await open();
    const { rows } = await place().query(
      `SELECT table_name, count(*) FILTER (WHERE column_name IN ('tenant', 'principal'))::int AS keys
       FROM information_schema.columns WHERE table_schema = $1 AND table_name <> 'migrations' GROUP BY 1 ORDER BY 1`,
      [place().schema],
    );
    expect(rows.filter(({ keys }) => keys === 2).map((row) => row["table_name"])).toEqual([
      "blob_refs",
      "memories",
      "records",
      "sessions",
      "snapshots",
    ]);
  });
});

describe("an error of the server", () => {
  it.each<[string, ErrorKind]>([
    ["53100", "store_full"],
    ["25006", "store_read_only"],
    ["42501", "store_read_only"],
    ["58030", "store_io"],
    ["XX001", "store_corrupt"],
    ["42P01", "store_corrupt"],
    ["22021", "internal"],
  ])("%s in an append is %s at once, and nothing was written", async (state, kind) => {
    const store = await open();
    await store.createSession(newSession());
    const journal = await journalOn(store);
    await journal.append(beginning());
    await failWith(state);
    const error = await errorOf(journal.append([said("refused")]));
    expect(error.kind).toBe(kind);
    expect(error.message).toContain(state);
    expect((await store.getSession(LOCAL_TENANT, SESSION))?.last_seq).toBe(3);
  });

  it.each(["40001", "40P01", "55P03", "57014", "53200"])(
    "%s passes: it is tried again and goes through",
    async (state) => {
      const store = await open();
      await store.createSession(newSession());
      const journal = await journalOn(store);
      await failWith(state, 2);
      expect(await journal.append(beginning())).toHaveLength(3);
    },
  );

  it("that passes but does not end is store_busy within the limit", async () => {
    let passed = 0;
    const clock = { ...systemClock, monotonic: () => passed, sleep: async (ms: number) => void (passed += ms) };
    const store = await open({ clock });
    await store.createSession(newSession());
    const journal = await journalOn(store);
    await failWith("40001");
    expect(await errorOf(journal.append(beginning()))).toMatchObject({ kind: "store_busy" });
    expect(passed).toBeLessThanOrEqual(11_000);
  });

  /** Every insert of a record fails with this, or the first `times`. */
  async function failWith(state: string, times = 1_000_000): Promise<void> {
    await place().query("CREATE SEQUENCE tries");
    // a sequence counts also what is undone
    await place().query(`CREATE FUNCTION fails() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      IF nextval('tries') <= ${times} THEN RAISE EXCEPTION 'on purpose' USING ERRCODE = '${state}'; END IF;
      RETURN NEW; END $$`);
    await place().query("CREATE TRIGGER fails BEFORE INSERT ON records FOR EACH STATEMENT EXECUTE FUNCTION fails()");
  }
});

describe("a process", () => {
  const run = (script: string): ReturnType<typeof spawnSync> =>
    spawnSync(process.execPath, ["--input-type=module", "-e", script], {
      cwd: join(import.meta.dirname, "../../.."),
      encoding: "utf8",
      timeout: 50_000,
    });

  it("that leaves its store open ends all the same", () => {
    const { status, stderr } = run(`
      const { openPostgresStore } = await import("./src/store/postgres/postgres-store.ts");
      const { systemClock: clock } = await import("./src/host/system-clock.ts");
      const store = await openPostgresStore({ url: ${JSON.stringify(place().url)}, schema: "${place().schema}", clock });
      await store.listSessions({ tenant: "local", limit: 1 });`);
    expect(stderr).not.toContain("Error");
    expect(status).toBe(0);
  });

  it("that keeps its sessions in a file never loads the driver", () => {
    const { stdout } = run(`
      await import("./src/cli/session-choice.ts");
      const { openSqliteStore } = await import("./src/store/sqlite/sqlite-store.ts");
      const { createRequire } = await import("node:module");
      const loaded = Object.keys(createRequire(import.meta.url).cache ?? {});
      console.log(loaded.filter((path) => /node_modules.pg/.test(path)).length, typeof openSqliteStore);`);
    expect(String(stdout).trim()).toBe("0 function");
  });
});

describe("a server whose settings weaken the promise", () => {
  let server: PostgresServer;
  let admin: pg.Client;

  beforeAll(async () => {
    server = await startPostgresServer(["-c", "fsync=off", "-c", "synchronous_commit=off"]);
    admin = new pg.Client({ connectionString: server.url });
    await admin.connect();
  });
  afterAll(async () => {
    await admin.end();
    await server.remove();
  });

  it("commits on disk for us all the same, and what only its owner can change is said", async () => {
    const store = await open({ url: server.url });
    expect(store.capabilities.weakened).toEqual([expect.stringContaining("fsync=off")]);
    await store.createSession(newSession());
    // Every commit of ours notes under which setting it was made.
    await admin.query(`SET search_path = ${place().schema}`);
    await admin.query("CREATE TABLE seen (setting text)");
    await admin.query(`CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      INSERT INTO seen VALUES (current_setting('synchronous_commit')); RETURN NEW; END $$`);
    await admin.query("CREATE TRIGGER note AFTER INSERT ON records FOR EACH STATEMENT EXECUTE FUNCTION note()");
    await (await journalOn(store)).append(beginning());
    expect((await admin.query("SELECT setting FROM seen")).rows).toEqual([{ setting: "on" }]);
  });

  it("or that takes no writes, or keeps no UTF-8, is refused when it is opened", async () => {
    await admin.query("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0");
    await admin.query("CREATE DATABASE still");
    await admin.query("ALTER DATABASE still SET default_transaction_read_only = on");
    expect(await errorOf(open({ url: server.url.replace(/\/postgres$/, "/latin") }))).toMatchObject({
      kind: "config_invalid",
    });
    const error = await errorOf(open({ url: server.url.replace(/\/postgres$/, "/still") }));
    expect(error.kind).toBe("store_read_only");
    expect(error.message).not.toContain(PASSWORD);
  });
});
