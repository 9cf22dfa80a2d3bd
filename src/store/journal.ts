/**
 * The journal of one session, as its one writer sees it.
 *
 * J1: what `append` resolved with is durable, and `state` is the fold of exactly that and of what was staged: an append that
 *     failed changed nothing.
 * J2: appends happen one after the other, in the order of the calls.
 * J3: secrets are replaced before anything is sealed or stored, and the vault that can restore them is durable before that.
 * J4: after `fenced` or `store_io` nothing is written any more: every later append fails with the same error.
 * J5: what is staged is stored before whatever is appended after it, in one transaction; no listener hears of it sooner.
 */
import type { Parent } from "../kernel/envelope.ts";
import type { Draft, Event } from "../kernel/events/index.ts";
import { HarnessError } from "../kernel/harness-error.ts";
import type { SessionId, SpanId, TenantId } from "../kernel/ids.ts";
import type { SessionState } from "../kernel/state.ts";
import { journalWriter } from "./journal-writer.ts";
import { isHolder } from "./lease-rule.ts";
import type { Lease, SessionRow, Store } from "./port.ts";
import type { Redactor } from "./redaction.ts";
import { fenced } from "./refusal.ts";
import { loadSession } from "./session-reader.ts";

export { loadSession, readEvents, readRecords } from "./session-reader.ts";
export { summaryOf } from "./summary.ts";
export { SNAPSHOT_EVERY_EVENTS } from "./journal-writer.ts";

export interface Journal {
  /** The fold of everything that is durable or staged. */
  readonly state: SessionState;
  /** As of the last claim or renew. */
  readonly lease: Lease;
  /**
   * Redacts, seals, stores and folds, all or none. Concurrent callers are queued.
   * @throws HarnessError `fenced`, a store's error, or `internal` for a payload that does not fit its schema
   */
  append(drafts: readonly Draft[]): Promise<readonly Event[]>;
  /**
   * Redacts, seals and folds; stored with the next `append`, `flush` or `close`. For results that are followed at once by an
   * intent: each append is a sync, and nothing may be done meanwhile but deciding what comes next. Queued as `append` is.
   * @throws HarnessError `internal` for a payload that does not fit its schema
   */
  stage(drafts: readonly Draft[]): Promise<void>;
  /** Stores what is staged. @throws as `append` */
  flush(): Promise<void>;
  /** Extends the lease; its `cancel_requested` is the news. @throws HarnessError `fenced`, a store's error */
  renew(ttl_ms: number): Promise<Lease>;
  /** Called after the events are durable and folded. A listener that throws is a programmer error. @returns to stop */
  onAppend(listener: (events: readonly Event[]) => void): () => void;
  /** Waits for what is queued, keeps a snapshot and gives the lease up. Idempotent. */
  close(): Promise<void>;
}

export interface JournalOptions {
  readonly store: Store;
  readonly tenant: TenantId;
  readonly session: SessionId;
  /** From a claim of this session. */
  readonly lease: Lease;
  readonly redactor: Redactor;
  /** One new span for each append. */
  readonly spans: { span(): SpanId };
  /** Whose sub-agent a session is that has no event yet. Absent: nobody's. */
  readonly parent?: Parent;
}

/** @throws HarnessError `session_not_found`, `event_unknown`, `fenced`, `store_corrupt` */
export async function openJournal(options: JournalOptions): Promise<Journal> {
  const { store, tenant, session } = options;
  const { row, state } = await loadSession(store, tenant, session);
  const [unknown] = state.unknown_kinds;
  if (unknown !== undefined) {
    throw new HarnessError(
      "event_unknown",
      `Session ${session} holds events of the kind ${unknown}, which this version does not know.`,
      "Drive it with the version that wrote it or with a newer one.",
    );
  }
  // Whoever claimed after this lease may have written what was just read.
  if (!isHolder(row, options.lease)) throw fenced(session);
  const { parent } = options;
  return journalOf(options, row, parent === undefined || state.seq > 0 ? state : { ...state, parent });
}

function journalOf(options: JournalOptions, row: SessionRow, loaded: SessionState): Journal {
  const { store } = options;
  const listeners = new Set<(events: readonly Event[]) => void>();
  const writer = journalWriter(options, row, loaded);
  let lease = options.lease;
  let broken: HarnessError | null = null;
  let queue: Promise<unknown> = Promise.resolve();
  let closing: Promise<void> | null = null;

  /** J4: remembers what ends this writer. */
  const noteBroken = (error: unknown): void => {
    if (error instanceof HarnessError && (error.kind === "fenced" || error.kind === "store_io")) broken ??= error;
  };

  /** J2: runs `work` when everything before it has ended, well or not. */
  const inOrder = <T>(work: () => Promise<T>): Promise<T> => {
    const result = queue.then(work);
    queue = result.catch(noteBroken);
    return result;
  };

  const write = async (drafts: readonly Draft[]): Promise<readonly Event[]> => {
    if (broken) throw broken;
    const { own, all } = await writer.write(lease, drafts);
    if (all.length > 0) for (const listener of [...listeners]) listener(all);
    if (writer.isSnapshotDue()) await quietly(writer.keepSnapshot());
    return own;
  };

  /** For what is not waited for. A store that failed for good says so again at the next append. */
  const quietly = (work: Promise<unknown>): Promise<unknown> =>
    work.catch((error: unknown) => {
      if (!(error instanceof HarnessError)) throw error;
      noteBroken(error);
    });

  const end = async (): Promise<void> => {
    await queue;
    if (!broken) await quietly(write([]));
    const { durable, snapshot } = writer.position();
    if (!broken && durable > snapshot) await quietly(writer.keepSnapshot());
    // Who was fenced has nothing to give up, and a lease on a failed store runs out by itself.
    if (!broken) await store.release(lease);
  };

  return {
    get state() {
      return writer.state();
    },
    get lease() {
      return lease;
    },
    append(drafts) {
      if (closing) return Promise.reject(closedError(options.session));
      if (drafts.length === 0) return Promise.resolve([]);
      return inOrder(() => write(drafts));
    },
    stage(drafts) {
      if (closing) return Promise.reject(closedError(options.session));
      if (drafts.length === 0) return Promise.resolve();
      return inOrder(async () => {
        if (broken) throw broken;
        await writer.stage(lease, drafts);
      });
    },
    async flush() {
      if (closing) throw closedError(options.session);
      await inOrder(() => write([]));
    },
    async renew(ttl_ms) {
      if (broken) throw broken;
      try {
        lease = await store.renew(lease, ttl_ms);
        return lease;
      } catch (error) {
        noteBroken(error);
        throw error;
      }
    },
    onAppend(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    close() {
      closing ??= end();
      return closing;
    },
  };
}

function closedError(session: SessionId): HarnessError {
  return new HarnessError(
    "internal",
    `The journal of session ${session} was used after it was closed.`,
    "Report this as a defect of belay.",
  );
}
