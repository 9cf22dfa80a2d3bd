/** The store of the command line: a file below belay's home, or the database that BELAY_STORE names. */
import { join } from "node:path";
import { systemClock } from "../host/system-clock.ts";
import { HarnessError } from "../kernel/harness-error.ts";
import { isPostgresUrl } from "../store/postgres/address.ts";
import { openPostgresStore } from "../store/postgres/postgres-store.ts";
import type { Store } from "../store/port.ts";
import { openSqliteStore } from "../store/sqlite/sqlite-store.ts";
import type { Face } from "./face.ts";
import { safeLine } from "./view/safe-text.ts";

/** Below belay's home. */
const STORE_FILE = "belay.db";
const STORE_VARIABLE = "BELAY_STORE";
const random = (): number => Math.random();

/** Says what keeps the store from keeping its promise. @throws `config_invalid`, and what opening a store may throw */
export async function openStore(face: Face): Promise<Store> {
  const url = face.environment.all[STORE_VARIABLE] ?? "";
  const store = url === "" ? await openFile(face) : await openServer(url);
  for (const sentence of store.capabilities.weakened) face.err.line(`belay: ${safeLine(sentence)}`);
  return store;
}

function openFile({ environment }: Face): Promise<Store> {
  return openSqliteStore({ path: join(environment.home, STORE_FILE), clock: systemClock, random });
}

async function openServer(url: string): Promise<Store> {
  if (isPostgresUrl(url)) return openPostgresStore({ url, clock: systemClock, random });
  // The value is not shown: it may hold a password.
  throw new HarnessError(
    "config_invalid",
    `${STORE_VARIABLE} does not begin with postgres:// or postgresql://.`,
    "Name a database so (see docs/postgresql.md), or unset it to keep sessions in a file below belay's home.",
  );
}
