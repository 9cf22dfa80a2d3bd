/** All migrations, in order. The highest row of `migrations` in a schema is the version of the last one it has seen. */
import { migration1 } from "./0001-sessions.ts";
import { migration2 } from "./0002-ledger.ts";
import { migration3 } from "./0003-memories.ts";
import type { Migration } from "./migration.ts";

export const MIGRATIONS: readonly Migration[] = [migration1, migration2, migration3];

export const SCHEMA_VERSION: number = MIGRATIONS.length;
