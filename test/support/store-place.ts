/** Where a test's session is kept, as it is handed to another process. */
import { openPostgresStore } from "../../src/store/postgres/postgres-store.ts";
import { openSqliteStore } from "../../src/store/sqlite/sqlite-store.ts";
import type { Store } from "../../src/store/port.ts";
import { systemClock } from "../../src/host/system-clock.ts";

export type StorePlace = { readonly sqlite: string } | { readonly postgres: string; readonly schema: string };

export function openPlaceStore(place: StorePlace, clock = systemClock): Promise<Store> {
  return "sqlite" in place
    ? openSqliteStore({ path: place.sqlite, clock })
    : openPostgresStore({ url: place.postgres, schema: place.schema, clock });
}
