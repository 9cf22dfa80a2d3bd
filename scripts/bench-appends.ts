/** Durable appends: one event at a time through the journal, beside plain lines that are synced one by one. */
import { randomBytes } from "node:crypto";
import { closeSync, fdatasyncSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../src/host/system-clock.ts";
import { thisProcess } from "../src/host/lease-owner.ts";
import { createIds, LOCAL_PRINCIPAL, LOCAL_TENANT } from "../src/kernel/ids.ts";
import { openJournal } from "../src/store/journal.ts";
import { createRedactor } from "../src/store/redaction.ts";
import { openSqliteStore } from "../src/store/sqlite/sqlite-store.ts";
import { openVault } from "../src/store/vault.ts";
import { newSummary } from "../src/store/summary.ts";

const APPENDS = 400;
/** As long as an event of an ordinary turn. */
const LINE = `${"x".repeat(900)}\n`;
const LEASE_MS = 60_000;

/** @returns appends in a second */
export async function journalAppends(directory: string): Promise<number> {
  const clock = systemClock;
  const ids = createIds(() => clock.now(), randomBytes);
  const store = await openSqliteStore({ path: join(directory, "appends.db"), clock });
  const session = ids.session();
  await store.createSession({
    tenant: LOCAL_TENANT,
    principal: LOCAL_PRINCIPAL,
    session,
    root: session,
    trace: ids.trace(),
    place: { cwd: directory, source: directory, directory },
    priority: 0,
    summary: newSummary("bench", "bench"),
  });
  const lease = await store.claim({ tenant: LOCAL_TENANT, session, owner: thisProcess(), ttl_ms: LEASE_MS });
  const redactor = createRedactor({
    known: [],
    vault: await openVault({ path: join(directory, "appends-vault.json") }),
  });
  const journal = await openJournal({ store, tenant: LOCAL_TENANT, session, lease, redactor, spans: ids });
  const took = await perSecond(async (n) => {
    await journal.append([
      { kind: "HealthChanged", data: { subsystem: "bench", status: "ok", reason: `number ${n} of the bench` } },
    ]);
  });
  await journal.close();
  await store.close();
  return took;
}

/** @returns synced writes in a second: what the disk can do */
export async function plainAppends(directory: string): Promise<number> {
  const file = openSync(join(directory, "appends.txt"), "a");
  try {
    return await perSecond(async () => {
      writeSync(file, LINE);
      fdatasyncSync(file);
    });
  } finally {
    closeSync(file);
  }
}

async function perSecond(append: (n: number) => Promise<void>): Promise<number> {
  const started = performance.now();
  for (let n = 0; n < APPENDS; n++) await append(n);
  return (APPENDS * 1_000) / (performance.now() - started);
}
