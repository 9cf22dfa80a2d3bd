/** A session to write to: created, claimed, with a journal that redacts nothing unless told. */
import type { Draft } from "../../src/kernel/events/index.ts";
import {
  createIds,
  type Ids,
  LOCAL_PRINCIPAL,
  LOCAL_TENANT,
  type SessionId,
  type TraceId,
} from "../../src/kernel/ids.ts";
import { type Journal, openJournal } from "../../src/store/journal.ts";
import type { Lease, NewSession, Store } from "../../src/store/port.ts";
import { createRedactor, type KnownSecret, type Redactor } from "../../src/store/redaction.ts";
import { memoryVault } from "../../src/store/vault.ts";
import { testConfig } from "./config.ts";
import { newSummary } from "../../src/store/summary.ts";

export const SESSION = "ses_1" as SessionId;
export const LEASE_MS = 60_000;

function countingIds(): Ids {
  let count = 0;
  return createIds(
    () => 1,
    (n) => {
      count += 1;
      return Uint8Array.from({ length: n }, (_, i) => Math.floor(count / 32 ** i) % 32);
    },
  );
}

export function newSession(session: SessionId = SESSION): NewSession {
  return {
    tenant: LOCAL_TENANT,
    session,
    principal: LOCAL_PRINCIPAL,
    root: session,
    trace: "0123456789abcdef0123456789abcdef" as TraceId,
    place: { cwd: "/p", source: "/p", directory: "/d" },
    summary: newSummary("", ""),
    priority: 0,
  };
}

export function claim(store: Store, token: string, session: SessionId = SESSION): Promise<Lease> {
  const owner = { token, host: "h", pid: 1, start_time: null, boot_id: null };
  return store.claim({ tenant: LOCAL_TENANT, session, owner, ttl_ms: LEASE_MS });
}

export function redactorOf(...known: readonly KnownSecret[]): Redactor {
  return createRedactor({ known, vault: memoryVault(Buffer.alloc(32)) });
}

export async function journalOn(
  store: Store,
  options: { readonly token?: string; readonly redactor?: Redactor; readonly session?: SessionId } = {},
): Promise<Journal> {
  const session = options.session ?? SESSION;
  const lease = await claim(store, options.token ?? "token-1", session);
  const redactor = options.redactor ?? redactorOf();
  return openJournal({ store, tenant: LOCAL_TENANT, session, lease, redactor, spans: countingIds() });
}

/** The first events of a session. */
export function beginning(ids: Ids = countingIds()): readonly Draft[] {
  return [
    { kind: "SessionCreated", data: { title: "fix it" } },
    { kind: "SessionConfigured", data: { config: testConfig() } },
    { kind: "RunStarted", data: { run: ids.run(), number: 1, reason: "start", pid: 1 } },
  ];
}

export function said(text: string): Draft {
  return {
    kind: "UserMessageAdded",
    actor: "user",
    data: { parts: [{ type: "text", text, origin: { from: "user" } }] },
  };
}
