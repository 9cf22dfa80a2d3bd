/**
 * Whether the server keeps S1. What a connection can set for itself is set; what only the server's owner can change is said.
 */
import { sql } from "kysely";
import { HarnessError } from "../../kernel/harness-error.ts";
import type { Connection } from "./connection.ts";
import type { Queries } from "./queries.ts";

export interface ServerSettings {
  /** A commit is acknowledged before it is on disk: to be switched on by every connection. */
  readonly lazyCommit: boolean;
  /** Sentences for people; empty when an acknowledged event is on disk. */
  readonly weakened: readonly string[];
  /** Another one for every opening of the store, below 2³². */
  readonly opening: number;
}

const NO_FSYNC = "The database runs with fsync=off: what it acknowledged can be lost when its machine stops.";
const NO_FULL_PAGES = "The database runs with full_page_writes=off: it can be damaged when its machine stops.";

/** @throws HarnessError `config_invalid` when texts could not be kept byte for byte, `store_read_only` for a replica */
export async function serverSettings(
  connection: Connection,
  { build }: Queries,
  where: string,
): Promise<ServerSettings> {
  const query = sql<
    Record<"encoding" | "commit" | "fsync" | "pages" | "read_only", string> & { readonly opening: number }
  >`
    SELECT current_setting('server_encoding') AS encoding, current_setting('synchronous_commit') AS commit,
      current_setting('fsync') AS fsync, current_setting('full_page_writes') AS pages,
      current_setting('transaction_read_only') AS read_only, ('x' || left(gen_random_uuid()::text, 8))::bit(32)::bigint AS opening`;
  const found = await connection.statement((ask) => ask.first({ compile: () => query.compile(build) }));
  if (found?.encoding !== "UTF8") {
    throw new HarnessError(
      "config_invalid",
      `The database ${where} keeps texts as ${found?.encoding ?? "nothing known"}.`,
      "Make one with ENCODING 'UTF8' and name it in BELAY_STORE.",
    );
  }
  if (found.read_only === "on") {
    throw new HarnessError(
      "store_read_only",
      `The database ${where} takes no writes: it is a replica, or was set to read only.`,
      "Name the primary server in BELAY_STORE.",
    );
  }
  return {
    lazyCommit: found.commit === "off",
    weakened: [...(found.fsync === "on" ? [] : [NO_FSYNC]), ...(found.pages === "on" ? [] : [NO_FULL_PAGES])],
    opening: found.opening,
  };
}
