/** What the parts of the SQLite store share. */
import type { Clock } from "../../kernel/clock.ts";
import type { Connection } from "./connection.ts";
import type { Queries } from "./queries.ts";

export interface TableContext {
  readonly connection: Connection;
  readonly queries: Queries;
  readonly clock: Clock;
}
