/** What a case of the store contract is, and the builders that the cases share. */
import assert from "node:assert/strict";
import { hashOf } from "../../kernel/envelope.ts";
import { isErrorKind } from "../../kernel/error-kind.ts";
import { HarnessError } from "../../kernel/harness-error.ts";
import type { BlobHash, PrincipalId, SessionId, TenantId, TraceId } from "../../kernel/ids.ts";
import type { ErrorKind } from "../../kernel/error-kind.ts";
import type {
  AppendCommand,
  ClaimCommand,
  EventRecord,
  Lease,
  NewSession,
  Owner,
  SessionSummary,
  Store,
} from "../../store/port.ts";
import type { ManualClock } from "../manual-clock.ts";
import { newSummary } from "../../store/summary.ts";

export interface StoreUnderTest {
  readonly store: Store;
  /** The store's time. */
  readonly clock: ManualClock;
  /** Opens the same data anew, beside the first, as another process would. Absent where the store is not durable. */
  readonly reopen?: () => Promise<Store>;
  /** Changes stored bytes behind the store's back. Absent where nobody can. */
  readonly damage?: {
    blob(hash: BlobHash): Promise<void>;
    record(session: SessionId, seq: number): Promise<void>;
    snapshot(session: SessionId): Promise<void>;
  };
  /** Closes what is open and removes the data. */
  dispose(): Promise<void>;
}

export type MakeStore = () => Promise<StoreUnderTest>;

/** What a case cannot do without: a member of `StoreUnderTest`. */
export type Need = "reopen" | "damage";

export interface ContractCase {
  /** A sentence of behaviour; also the case's id in a skip. */
  readonly name: string;
  readonly needs?: Need;
  run(make: MakeStore): Promise<void>;
}

/** A case on a fresh store, which is disposed of afterwards. */
export function contractCase(
  name: string,
  check: (under: StoreUnderTest) => Promise<void>,
  needs?: Need,
): ContractCase {
  return {
    name,
    ...(needs ? { needs } : {}),
    async run(make) {
      const under = await make();
      try {
        await check(under);
      } finally {
        await under.dispose();
      }
    },
  };
}

export const TENANT = "tenant-a" as TenantId;
export const OTHER_TENANT = "tenant-b" as TenantId;
export const SESSION = "ses_1" as SessionId;
export const TTL_MS = 30_000;

export const SUMMARY: SessionSummary = newSummary("fix the test", "model-1");

export function newSession(facts: Partial<NewSession> = {}): NewSession {
  const session = facts.session ?? SESSION;
  return {
    tenant: TENANT,
    session,
    principal: "principal-1" as PrincipalId,
    root: session,
    trace: "0123456789abcdef0123456789abcdef" as TraceId,
    place: { cwd: "/home/u/project/sub", source: "/home/u/project", directory: `/home/u/.belay/${session}` },
    summary: SUMMARY,
    priority: 0,
    ...facts,
  };
}

export function owner(token: string, facts: Partial<Owner> = {}): Owner {
  return { token, host: "host-1", pid: 4711, start_time: "123", boot_id: "boot-1", ...facts };
}

export function claimOf(token: string, facts: Partial<ClaimCommand> = {}): ClaimCommand {
  return { tenant: TENANT, session: SESSION, owner: owner(token), ttl_ms: TTL_MS, ...facts };
}

/** Records `from … from + count − 1`. The store does not look into bodies: any kind will do. */
export function records(from: number, count: number): readonly EventRecord[] {
  return Array.from({ length: count }, (_, i) => {
    const body = `{"kind":"Invented","seq":${from + i},"text":"ä\\u0000 \u{1F9D7}"}`;
    return { seq: from + i, kind: "Invented", hash: hashOf(body), body, blob: null };
  });
}

export function appendOf(
  lease: Lease,
  after_seq: number,
  count: number,
  facts: Partial<AppendCommand> = {},
): AppendCommand {
  return { lease, after_seq, records: records(after_seq + 1, count), blobs: [], summary: SUMMARY, ...facts };
}

/** Creates the session and claims it. */
export async function driven(store: Store, facts: Partial<NewSession> = {}, token = "token-1"): Promise<Lease> {
  const session = newSession(facts);
  await store.createSession(session);
  return store.claim(claimOf(token, { tenant: session.tenant, session: session.session }));
}

export async function storedSeqs(store: Store, session = SESSION, tenant = TENANT): Promise<readonly number[]> {
  const found = await store.read({ tenant, session, after_seq: 0, limit: 100_000 });
  return found.map(({ seq }) => seq);
}

export async function rejects(kind: ErrorKind, action: Promise<unknown>): Promise<HarnessError> {
  const error = await action.then(
    () => assert.fail(`expected ${kind}, and nothing failed`),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof HarnessError, `expected ${kind}, and got ${String(error)}`);
  assert.ok(isErrorKind(error.kind));
  assert.equal(error.kind, kind, error.message);
  return error;
}

export async function collected(pieces: AsyncIterable<Uint8Array>): Promise<readonly Uint8Array[]> {
  const all: Uint8Array[] = [];
  for await (const piece of pieces) all.push(piece);
  return all;
}
