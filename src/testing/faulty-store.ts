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

type Method = Exclude<keyof Store, "capabilities" | "close" | "streamBlob">;

const WRITES: ReadonlySet<Method> = new Set<Method>([
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
]);

export function faultyStore(inner: Store, fault: Fault): FaultyStore {
  const error = fault.error ?? new HarnessError("store_io", "The disk failed on purpose.", "Open the store anew.");
  let calls = 0;
  let struck = false;

  const strike = (): never => {
    struck = true;
    throw error;
  };

  const call = async <T>(method: Method, run: () => Promise<T>): Promise<T> => {
    if (struck && error.kind === "store_io" && WRITES.has(method)) throw error;
    calls += 1;
    const hit = calls === fault.failAt;
    if (hit && fault.when === "before") strike();
    const result = await run();
    return hit ? strike() : result;
  };

  return {
    capabilities: inner.capabilities,
    now: () => call("now", () => inner.now()),
    createSession: (session) => call("createSession", () => inner.createSession(session)),
    getSession: (tenant, session) => call("getSession", () => inner.getSession(tenant, session)),
    listSessions: (filter) => call("listSessions", () => inner.listSessions(filter)),
    claim: (command) => call("claim", () => inner.claim(command)),
    renew: (lease, ttl_ms) => call("renew", () => inner.renew(lease, ttl_ms)),
    release: (lease) => call("release", () => inner.release(lease)),
    append: (command) => call("append", () => inner.append(command)),
    read: (query) => call("read", () => inner.read(query)),
    putSnapshot: (snapshot) => call("putSnapshot", () => inner.putSnapshot(snapshot)),
    getSnapshot: (tenant, session) => call("getSnapshot", () => inner.getSnapshot(tenant, session)),
    requestCancel: (tenant, session) => call("requestCancel", () => inner.requestCancel(tenant, session)),
    deleteSession: (tenant, session) => call("deleteSession", () => inner.deleteSession(tenant, session)),
    putBlob: (tenant, content) => call("putBlob", () => inner.putBlob(tenant, content)),
    getBlob: (tenant, hash) => call("getBlob", () => inner.getBlob(tenant, hash)),
    async *streamBlob(tenant, hash) {
      calls += 1;
      const hit = calls === fault.failAt;
      if (hit && fault.when === "before") strike();
      yield* inner.streamBlob(tenant, hash);
      if (hit) strike();
    },
    pruneBlobs: (tenant) => call("pruneBlobs", () => inner.pruneBlobs(tenant)),
    close: () => inner.close(),
    get calls() {
      return calls;
    },
    get struck() {
      return struck;
    },
  };
}
