/** Records of events. */
import { hashOf } from "../../kernel/envelope.ts";
import { invariant } from "../../kernel/harness-error.ts";
import type { BlobHash } from "../../kernel/ids.ts";
import type { AppendCommand, EventRecord, Store } from "../port.ts";
import { blobMissing, fenced, recordCorrupt } from "../refusal.ts";
import { appendStatement } from "./append-statement.ts";
import { type Attempt, DriverError, type Questions } from "./connection.ts";
import { heldChange, type LedgerChange } from "./ledger-rows.ts";
import { isServerError } from "./postgres-error.ts";
import type { TableContext } from "./table-context.ts";

export type PostgresRecords = Pick<Store, "append" | "read">;

export function createPostgresRecords({ connection, queries }: TableContext): PostgresRecords {
  const { build } = queries;

  /** Whether the records stand there already, each by its hash: stored by an attempt whose answer was lost. */
  const isStored = async (ask: Questions, { lease, after_seq, records }: AppendCommand): Promise<boolean> => {
    const { tenant, session } = lease;
    const query = build
      .selectFrom("records")
      .select(["seq", "hash"])
      .where("tenant", "=", tenant)
      .where("session", "=", session)
      .where("seq", ">", after_seq)
      .where("seq", "<=", after_seq + records.length)
      .orderBy("seq");
    const found = await ask.all(query);
    return found.length === records.length && records.every(({ hash }, i) => found[i]?.hash === hash);
  };

  const stored = async (
    ask: Questions,
    { again }: Attempt,
    command: AppendCommand,
    change: LedgerChange | null,
  ): Promise<void> => {
    const written = await ask.first(appendStatement(queries, command, change)).catch((error: unknown) => {
      throw missingBlob(error, command.blobs) ?? error;
    });
    if (written) return;
    if (again && command.records.length > 0 && (await isStored(ask, command))) return;
    throw fenced(command.lease.session);
  };

  return {
    append: async (command) => {
      const { lease, after_seq, ledger } = command;
      const gapless = command.records.every(({ seq }, i) => seq === after_seq + i + 1);
      invariant(gapless, "invariant S2: records are appended without gaps");
      if (ledger === undefined) return connection.statement((ask, attempt) => stored(ask, attempt, command, null));
      // The ledger first, then the session's row: in this order whoever needs both.
      return connection.transaction(async (ask, attempt) =>
        stored(ask, attempt, command, await heldChange(ask, queries, lease.tenant, ledger)),
      );
    },

    read: ({ tenant, session, after_seq, limit }) =>
      connection.statement(async (ask) => {
        const query = build
          .selectFrom("records")
          .select(["seq", "kind", "hash", "body", "blob"])
          .where("tenant", "=", tenant)
          .where("session", "=", session)
          .where("seq", ">", after_seq)
          .orderBy("seq")
          .limit(limit);
        return (await ask.all(query)).map((row): EventRecord => {
          if (hashOf(row.body) !== row.hash) throw recordCorrupt(session, row.seq, "does not match its checksum");
          return { ...row, blob: row.blob as BlobHash | null }; // the brand that `append` was given
        });
      }),
  };
}

/** A reference to a blob that is not there breaks its foreign key, and with it the whole append. */
export function missingBlob(error: unknown, blobs: readonly BlobHash[]): Error | null {
  if (!(error instanceof DriverError) || !isServerError(error.cause)) return null;
  const { constraint, detail = "" } = error.cause;
  if (constraint !== "blob_refs_blob") return null;
  const named = blobs.find((hash) => detail.includes(hash)) ?? blobs[0];
  return named === undefined ? null : blobMissing(named);
}
