/** The stores that sessions are crashed on. */
import { join } from "node:path";
import { freshSchema } from "../support/postgres.ts";
import type { StorePlace } from "../support/store-place.ts";

export interface CrashStore {
  readonly place: StorePlace;
  readonly drop: () => Promise<void>;
}

export interface BackEnd {
  readonly name: string;
  /** @param home belay's home of the session */
  readonly make: (home: string) => Promise<CrashStore>;
}

export const BACK_ENDS: readonly BackEnd[] = [
  {
    name: "sqlite",
    make: async (home) => ({ place: { sqlite: join(home, "belay.db") }, drop: async () => undefined }),
  },
  {
    name: "postgres",
    make: async () => {
      const { url, schema, drop } = await freshSchema();
      return { place: { postgres: url, schema }, drop };
    },
  },
];
