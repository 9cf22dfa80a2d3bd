/**
 * The way to the server, and the only place that speaks to it.
 *
 * C1: a command is one transaction, at READ COMMITTED. Whatever it decides from, it locks first (the session's row), so what
 *     it saw still holds when it writes; there are no serialization failures to try again, only waits for a row, and the
 *     server bounds them.
 * C2: a command whose transaction was undone is tried again within the bound of `store_busy`. One whose answer was lost is
 *     tried again too, and told so: it has to recognise what it may have done already. When the bound is over before it is
 *     known, `store_io` is thrown: nothing was acknowledged, and it may be there (S5).
 * C3: a connection that failed in an unclear state is never used again.
 */
import type { Pool, PoolClient } from "pg";
import type { CompiledQuery } from "kysely";
import type { Clock, Random } from "../../kernel/clock.ts";
import { busyWaits, type Waits } from "../busy-waits.ts";
import { storeClosed } from "../refusal.ts";
import { CLOSE_MS_MAX } from "./limits.ts";
import { asStoreError, fateOf } from "./postgres-error.ts";

/** A query of the builder, or of raw SQL. */
export interface Question<Row> {
  compile(): CompiledQuery<Row>;
}

/** What a command asks. */
export interface Questions {
  all<Row>(query: Question<Row>): Promise<readonly Row[]>;
  first<Row>(query: Question<Row>): Promise<Row | undefined>;
  /** @returns how many rows were written */
  run(query: Question<unknown>): Promise<number>;
}

export interface Attempt {
  /** An earlier attempt of the same command may have taken effect: its answer was lost. */
  readonly again: boolean;
}

type Work<T> = (ask: Questions, attempt: Attempt) => Promise<T>;

export interface Connection {
  /** For a command of one statement: that is a transaction by itself, and one round trip. */
  statement<T>(work: Work<T>): Promise<T>;
  /** For several statements. What `work` throws undoes them. */
  transaction<T>(work: Work<T>): Promise<T>;
  close(): Promise<void>;
}

export interface ConnectionOptions {
  readonly pool: Pool;
  /** Host, port and database, for messages. */
  readonly where: string;
  readonly clock: Clock;
  readonly random: Random;
  /** How long is tried. The bound of `store_busy` without it. Milliseconds. */
  readonly patience_ms?: number;
}

/** What the driver threw. A command may look at it; what it does not know it lets pass. */
export class DriverError extends Error {
  override readonly name = "DriverError";
  override readonly cause: Error;

  constructor(cause: Error) {
    super(cause.message);
    this.cause = cause;
  }
}

const LOST = " Whether it was stored is not known: a resume reads what is there.";

export function createConnection(options: ConnectionOptions): Connection {
  const { pool, clock, where } = options;
  let closing: Promise<void> | null = null;

  const connected = async (): Promise<PoolClient> => {
    if (closing) throw storeClosed();
    return pool.connect().catch(driverFailed);
  };

  const attempted = async <T>(work: (client: PoolClient, attempt: Attempt) => Promise<T>): Promise<T> => {
    const waits: Waits = busyWaits(options, options.patience_ms);
    for (let again = false; ;) {
      let client: PoolClient | null = null;
      try {
        client = await connected();
        const result = await work(client, { again });
        client.release();
        return result;
      } catch (error) {
        if (!(error instanceof DriverError)) {
          client?.release(!(await isClean(client)));
          throw error;
        }
        const fate = fateOf(error.cause, client !== null);
        client?.release(true); // C3
        again ||= fate === "unknown";
        const more = fate !== "refused" && (await waits.another());
        if (!more) throw asStoreError(error.cause, where, again ? LOST : "");
      }
    }
  };

  return {
    statement: (work) => attempted((client, attempt) => work(questionsTo(client), attempt)),
    transaction: (work) =>
      attempted(async (client, attempt) => {
        await client.query("BEGIN").catch(driverFailed);
        const result = await work(questionsTo(client), attempt);
        await client.query("COMMIT").catch(driverFailed);
        return result;
      }),
    close: () => {
      closing ??= closed(pool, clock);
      return closing;
    },
  };
}

function questionsTo(client: PoolClient): Questions {
  const asked = async <Row>(
    query: Question<Row>,
  ): Promise<{ readonly rows: readonly Row[]; readonly count: number }> => {
    const { sql, parameters } = query.compile();
    const { rows, rowCount } = await client.query<Row & object>(sql, [...parameters]).catch(driverFailed);
    return { rows, count: rowCount ?? 0 };
  };
  return {
    all: async (query) => (await asked(query)).rows,
    first: async (query) => (await asked(query)).rows[0],
    run: async (query) => (await asked(query)).count,
  };
}

function driverFailed(error: unknown): never {
  if (error instanceof Error) throw new DriverError(error);
  throw error;
}

/** A command refused by itself, in the middle of a transaction or outside one: whether the connection can be used again. */
async function isClean(client: PoolClient): Promise<boolean> {
  try {
    await client.query("ROLLBACK").catch(driverFailed);
    return true;
  } catch (error) {
    if (error instanceof DriverError) return false;
    throw error;
  }
}

/** A server that is gone does not take note: it is not waited for. */
async function closed(pool: Pool, clock: Clock): Promise<void> {
  const over = new AbortController();
  await Promise.race([pool.end(), clock.sleep(CLOSE_MS_MAX, over.signal)]);
  over.abort();
}
