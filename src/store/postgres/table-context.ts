/** What the parts of the PostgreSQL store share. */
import type { Connection } from "./connection.ts";
import type { Queries } from "./queries.ts";

export interface TableContext {
  readonly connection: Connection;
  readonly queries: Queries;
}
