/**
 * A process that writes to a store and says on its output what was acknowledged, one JSON line each. Its parent kills it,
 * freezes it, or takes its rights away.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Clock } from "../../src/kernel/clock.ts";
import { HarnessError } from "../../src/kernel/harness-error.ts";
import { LOCAL_TENANT, parseSessionId, type SessionId } from "../../src/kernel/ids.ts";
import { type Journal, openJournal } from "../../src/store/journal.ts";
import type { Store } from "../../src/store/port.ts";
import { createRedactor } from "../../src/store/redaction.ts";
import { openSqliteStore } from "../../src/store/sqlite/sqlite-store.ts";
import { memoryVault } from "../../src/store/vault.ts";

export const realClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: async (ms) => {
    await sleep(ms);
  },
};

export interface ChildTask {
  readonly path: string;
  readonly session: string;
  /** Distinguishes the texts and the tokens of two children. */
  readonly name: string;
  /** Events to append; 0 for no end. */
  readonly count: number;
  /** What to do when another process has taken over: stop, or take over in turn. */
  readonly fenced: "stop" | "claim_again";
  /** Does not write before the session was claimed so often: so that two writers are sure to meet. */
  readonly from_epoch?: number;
  /** Gives up the rights of root before the store is opened. */
  readonly unprivileged?: boolean;
}

export type ChildLine =
  | { readonly said: "ready" }
  | { readonly said: "ack"; readonly seq: number; readonly hash: string; readonly epoch: number }
  | { readonly said: "error"; readonly kind: string; readonly message: string }
  /** Of a write after a failed one: whether the store refused it without trying (its cause is the first failure). */
  | { readonly said: "fenced"; readonly kind: string; readonly untried: boolean; readonly reads: boolean }
  | { readonly said: "done" };

const NOBODY = 65_534;
/** Every so many events one is too large for its row. */
const LARGE_EVERY = 7;

function say(line: ChildLine): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

async function drive(store: Store, session: SessionId, task: ChildTask, claimed: number): Promise<Journal> {
  // A lease that has run out at once: whoever comes next may claim, and only the epoch keeps writers apart.
  const owner = { token: `${task.name}-${claimed}`, host: "h", pid: process.pid, start_time: null, boot_id: null };
  const lease = await store.claim({ tenant: LOCAL_TENANT, session, owner, ttl_ms: 0 });
  const redactor = createRedactor({ known: [], vault: memoryVault() });
  const spans = { span: () => "0123456789abcdef" as never }; // any span will do
  return openJournal({ store, tenant: LOCAL_TENANT, session, lease, redactor, spans });
}

async function append(journal: Journal, task: ChildTask, n: number): Promise<void> {
  const text = `${task.name} ${n} ${"x".repeat(n % LARGE_EVERY === 0 ? 70_000 : n % 300)}`;
  const part = { type: "text", text, origin: { from: "user" } } as const;
  for (const { seq, hash, epoch } of await journal.append([{ kind: "UserMessageAdded", data: { parts: [part] } }])) {
    say({ said: "ack", seq, hash, epoch });
  }
}

async function run(task: ChildTask): Promise<void> {
  if (task.unprivileged && process.getuid?.() === 0) {
    await Promise.all([import("better-sqlite3"), import("../../src/store/sqlite/queries.ts")]);
    process.setegid?.(NOBODY);
    process.seteuid?.(NOBODY);
  }
  const store = await openSqliteStore({ path: task.path, clock: realClock });
  const session = parseSessionId(task.session);
  try {
    await write(store, session, task);
  } catch (error) {
    if (error instanceof HarnessError && error.kind === "store_io") await tryAgain(store, session);
    throw error;
  }
  await store.close();
}

/** S5, at the store itself. */
async function tryAgain(store: Store, session: SessionId): Promise<void> {
  const reads = (await store.getSession(LOCAL_TENANT, session)) !== null;
  const error: unknown = await store.requestCancel(LOCAL_TENANT, session).catch((thrown: unknown) => thrown);
  const known = error instanceof HarnessError ? error : null;
  say({ said: "fenced", kind: known?.kind ?? "none", untried: known?.cause instanceof HarnessError, reads });
}

async function write(store: Store, session: SessionId, task: ChildTask): Promise<void> {
  let claimed = 0;
  let journal = await drive(store, session, task, claimed);
  say({ said: "ready" });
  while (((await store.getSession(LOCAL_TENANT, session))?.epoch ?? 0) < (task.from_epoch ?? 0))
    await realClock.sleep(2);
  for (let n = 1; task.count === 0 || n <= task.count;) {
    try {
      await append(journal, task, n);
      n += 1;
    } catch (error) {
      if (!(error instanceof HarnessError) || error.kind !== "fenced" || task.fenced === "stop") throw error;
      claimed += 1;
      journal = await reclaimed(() => drive(store, session, task, claimed));
    }
  }
}

/** Between a claim and the reading of the journal another process may write: then the claim is outdated already. */
async function reclaimed(claim: () => Promise<Journal>): Promise<Journal> {
  for (;;) {
    try {
      return await claim();
    } catch (error) {
      if (!(error instanceof HarnessError) || error.kind !== "fenced") throw error;
    }
  }
}

const [argument] = process.argv.slice(2);
if (argument !== undefined && import.meta.main) {
  try {
    await run(JSON.parse(argument) as ChildTask); // written by the test
    say({ said: "done" });
  } catch (error) {
    const kind = error instanceof HarnessError ? error.kind : "no HarnessError";
    say({ said: "error", kind, message: String(error) });
  }
}
