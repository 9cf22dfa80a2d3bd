/** Brings the schema to today's version. Several processes may open a new store at the same moment: one does it. */
import { sql } from "kysely";
import { HarnessError } from "../../kernel/harness-error.ts";
import type { Connection, Question, Questions } from "./connection.ts";
import { MIGRATIONS, SCHEMA_VERSION } from "./migrations/index.ts";
import type { Queries } from "./queries.ts";

export interface MigrateOptions {
  readonly connection: Connection;
  readonly queries: Queries;
  readonly schema: string;
  /** Host, port and database, for messages. */
  readonly where: string;
}

/** @throws HarnessError `store_schema_newer` */
export async function migrate(options: MigrateOptions): Promise<void> {
  const { connection, schema, where } = options;
  const raw = rawQuestions(options.queries);

  const versionOf = async (ask: Questions): Promise<number> => {
    // Looked up in the catalogue itself: what a connection remembers of names may be older than the lock it waited for.
    const known = await ask.first(
      raw<{ known: boolean }>(
        `SELECT EXISTS (SELECT FROM pg_catalog.pg_class t JOIN pg_catalog.pg_namespace s ON s.oid = t.relnamespace
          WHERE s.nspname = '${schema}' AND t.relname = 'migrations') AS known`,
      ),
    );
    if (known?.known !== true) return 0;
    const last = await ask.first(
      raw<{ version: number | null }>(`SELECT max(version) AS version FROM "${schema}".migrations`),
    );
    const version = last?.version ?? 0;
    if (version <= SCHEMA_VERSION) return version;
    throw new HarnessError(
      "store_schema_newer",
      `The store ${where} (schema ${schema}) has version ${version}, and this belay knows ${SCHEMA_VERSION}.`,
      "Use the version that wrote it or a newer one.",
    );
  };

  if ((await connection.statement(versionOf)) === SCHEMA_VERSION) return;
  await connection.transaction(async (ask) => {
    // One at a time, for this schema; ends with the transaction.
    await ask.run(raw(`SELECT pg_advisory_xact_lock(hashtextextended('belay ${schema}', 0))`));
    const version = await versionOf(ask);
    await ask.run(raw(`CREATE SCHEMA IF NOT EXISTS "${schema}"`));
    await ask.run(
      raw(
        `CREATE TABLE IF NOT EXISTS "${schema}".migrations (version integer PRIMARY KEY, applied_at timestamptz NOT NULL)`,
      ),
    );
    for (const migration of MIGRATIONS.slice(version)) {
      for (const statement of migration.statements) await ask.run(raw(statement));
      await ask.run(raw(`INSERT INTO "${schema}".migrations VALUES (${migration.version}, clock_timestamp())`));
    }
  });
}

/** The texts are the program's own; a schema's name was checked. */
function rawQuestions({ build }: Queries): <Row>(text: string) => Question<Row> {
  return <Row>(text: string) => ({ compile: () => sql.raw<Row>(text).compile(build) });
}
