/**
 * A store whose n-th call fails, around a real one. `before`: nothing happened. `after`: it happened, and the caller is told
 * that it failed, as when an answer is lost. After `store_io` every later write fails too (invariant S5), until `inner` is
 * wrapped anew.
 */
import { HarnessError } from "../kernel/harness-error.ts";
import type { Store } from "../store/port.ts";

export interface Fault {
  /** Which call fails, from 1. Calls of every method count, but `close`. */
  readonly failAt: number;
  readonly when: "before" | "after";
  /** What the caller sees; `store_io` when absent. */
  readonly error?: HarnessError;
}

export interface FaultyStore extends Store {
  /** Calls so far. */
  readonly calls: number;
  /** Whether the fault has struck. */
  readonly struck: boolean;
}

export type StoreMethod = Exclude<keyof Store, "capabilities" | "close" | "streamBlob">;

/** Calls that change something. */
export const WRITES: ReadonlySet<StoreMethod> = new Set<StoreMethod>([
  "createSession",
  "claim",
  "renew",
  "release",
  "append",
  "putSnapshot",
  "requestCancel",
  "deleteSession",
  "putBlob",
  "pruneBlobs",
  "moveLedger",
  "setTenantCap",
  "writeCell",
  "changeMemories",
]);

export function faultyStore(inner: Store, fault: Fault): FaultyStore {
  const error = fault.error ?? new HarnessError("store_io", "The disk failed on purpose.", "Open the store anew.");
  let calls = 0;
  let struck = false;

  const strike = (): never => {
    struck = true;
    throw error;
  };

  const around: Around = async (method, run) => {
    if (struck && error.kind === "store_io" && WRITES.has(method)) throw error;
    calls += 1;
    const hit = calls === fault.failAt;
    if (hit && fault.when === "before") strike();
    const result = await run();
    return hit ? strike() : result;
  };

  return {
    ...aroundStore(inner, around),
    async *streamBlob(tenant, hash) {
      calls += 1;
      const hit = calls === fault.failAt;
      if (hit && fault.when === "before") strike();
      yield* inner.streamBlob(tenant, hash);
      if (hit) strike();
    },
    get calls() {
      return calls;
    },
    get struck() {
      return struck;
    },
  };
}

/** What stands around a call of a store: it may fail instead of it, after it, or wait. */
export type Around = <T>(method: StoreMethod, run: () => Promise<T>) => Promise<T>;

/** A store all of whose calls but `streamBlob` and `close` go through `around`: for faults of a test's own choosing. */
export function aroundStore(inner: Store, around: Around): Store {
  return {
    capabilities: inner.capabilities,
    now: () => around("now", () => inner.now()),
    createSession: (session, journal) => around("createSession", () => inner.createSession(session, journal)),
    getSession: (tenant, session) => around("getSession", () => inner.getSession(tenant, session)),
    listSessions: (filter) => around("listSessions", () => inner.listSessions(filter)),
    claim: (command) => around("claim", () => inner.claim(command)),
    renew: (lease, ttl_ms) => around("renew", () => inner.renew(lease, ttl_ms)),
    release: (lease) => around("release", () => inner.release(lease)),
    append: (command) => around("append", () => inner.append(command)),
    read: (query) => around("read", () => inner.read(query)),
    putSnapshot: (snapshot) => around("putSnapshot", () => inner.putSnapshot(snapshot)),
    getSnapshot: (tenant, session) => around("getSnapshot", () => inner.getSnapshot(tenant, session)),
    requestCancel: (tenant, session) => around("requestCancel", () => inner.requestCancel(tenant, session)),
    deleteSession: (tenant, session) => around("deleteSession", () => inner.deleteSession(tenant, session)),
    putBlob: (tenant, content) => around("putBlob", () => inner.putBlob(tenant, content)),
    getBlob: (tenant, hash) => around("getBlob", () => inner.getBlob(tenant, hash)),
    streamBlob: (tenant, hash) => inner.streamBlob(tenant, hash),
    pruneBlobs: (tenant) => around("pruneBlobs", () => inner.pruneBlobs(tenant)),
    moveLedger: (tenant, moves) => around("moveLedger", () => inner.moveLedger(tenant, moves)),
    positions: (tenant, scopes) => around("positions", () => inner.positions(tenant, scopes)),
    listScopes: (tenant, prefix, limit) => around("listScopes", () => inner.listScopes(tenant, prefix, limit)),
    setTenantCap: (tenant, period, cap) => around("setTenantCap", () => inner.setTenantCap(tenant, period, cap)),
    tenantCaps: (tenant) => around("tenantCaps", () => inner.tenantCaps(tenant)),
    readCell: (tenant, key) => around("readCell", () => inner.readCell(tenant, key)),
    writeCell: (command) => around("writeCell", () => inner.writeCell(command)),
    listCells: (tenant, prefix, limit) => around("listCells", () => inner.listCells(tenant, prefix, limit)),
    changeMemories: (of, changes) => around("changeMemories", () => inner.changeMemories(of, changes)),
    getMemories: (of, ids) => around("getMemories", () => inner.getMemories(of, ids)),
    listMemories: (view, limit) => around("listMemories", () => inner.listMemories(view, limit)),
    searchMemories: (view, query, limit) => around("searchMemories", () => inner.searchMemories(view, query, limit)),
    close: () => inner.close(),
  };
}
