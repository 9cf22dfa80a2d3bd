/** A session's row as the SQL back-ends keep it, and as the port has it. */
import type { PrincipalId, SessionId, TenantId, TraceId } from "../kernel/ids.ts";
import { canonicalJson } from "../kernel/json.ts";
import type { NewSession, Owner, SessionRow, SessionSummary } from "./port.ts";
import { corrupt } from "./refusal.ts";

/** The columns. Times are milliseconds since the epoch; what has an inside is JSON text. */
export interface SessionColumns {
  readonly tenant: string;
  readonly session: string;
  readonly principal: string;
  readonly root: string;
  readonly trace: string;
  readonly cwd: string;
  readonly source: string;
  readonly directory: string;
  readonly priority: number;
  readonly created_at: number;
  readonly updated_at: number;
  readonly epoch: number;
  readonly owner: string | null;
  readonly lease_until: number;
  readonly last_seq: number;
  readonly run_at: number | null;
  /** A number where the database has no truth values. */
  readonly cancel_requested: number | boolean;
  readonly summary: string;
}

/** What a new row holds besides its times and its flag, which each database writes in its own way. */
export function newSessionColumns(
  session: NewSession,
): Omit<SessionColumns, "created_at" | "updated_at" | "cancel_requested"> & { readonly owner_token: null } {
  const { place, summary, tenant, principal, root, trace, priority } = session;
  return {
    tenant,
    session: session.session,
    principal,
    root,
    trace,
    cwd: place.cwd,
    source: place.source,
    directory: place.directory,
    priority,
    epoch: 0,
    owner_token: null,
    owner: null,
    lease_until: 0,
    last_seq: 0,
    run_at: null,
    summary: canonicalJson(summary),
  };
}

/** @throws HarnessError `store_corrupt` */
export function sessionRow(row: SessionColumns): SessionRow {
  const { cwd, source, directory } = row;
  return {
    // The casts put the brands back on that `createSession` was given.
    tenant: row.tenant as TenantId,
    session: row.session as SessionId,
    principal: row.principal as PrincipalId,
    root: row.root as SessionId,
    trace: row.trace as TraceId,
    place: { cwd, source, directory },
    summary: parsed<SessionSummary>(row.summary, row.session),
    priority: row.priority,
    created_at: row.created_at,
    updated_at: row.updated_at,
    epoch: row.epoch,
    owner: row.owner === null ? null : parsed<Owner>(row.owner, row.session),
    lease_until: row.lease_until,
    last_seq: row.last_seq,
    run_at: row.run_at,
    cancel_requested: Boolean(row.cancel_requested),
  };
}

function parsed<T>(text: string, session: string): T {
  try {
    return JSON.parse(text) as T; // written by this store from a value of this type
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw corrupt(`The row of session ${session} is damaged.`, error);
  }
}
