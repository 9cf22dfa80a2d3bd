/**
 * Making a batch: its file of jobs first, then the session-like row, then the journal's first events. One that was cut off in
 * between is completed by whoever tries again under the same id, and by nobody else.
 */
import { DEFAULT_WORK } from "../../kernel/work-policy.ts";
import { join } from "node:path";
import { BATCH_TITLE } from "../../kernel/batch-state.ts";
import type { Budget } from "../../kernel/budget.ts";
import { DEFAULT_CONFINEMENT, DEFAULT_FLOW, NO_RULES } from "../../kernel/permissions.ts";
import type { SessionConfig } from "../../kernel/config.ts";
import { HarnessError } from "../../kernel/harness-error.ts";
import { LOCAL_PRINCIPAL, LOCAL_TENANT, type SessionId } from "../../kernel/ids.ts";
import { DEFAULT_LIMITS } from "../../kernel/limits.ts";
import { NO_FALLBACK } from "../../kernel/model-policy.ts";
import type { Host } from "../../engine/host.ts";
import { claimSession, openForWriting, versionsOf } from "../../engine/session.ts";
import type { JobsFile } from "./source.ts";
import { newSummary } from "../../store/summary.ts";

/** The first time, and again what failed for now or expired. */
export const ROUNDS_DEFAULT = 3;

export interface NewBatch {
  readonly session: SessionId;
  /** Where the user is; `sessions` is the directory below which those of sessions are. */
  readonly place: { readonly cwd: string; readonly sessions: string };
  /** Where its jobs are from, for lists. */
  readonly title: string;
  readonly provider: string;
  readonly model: string;
  readonly max_tokens: number;
  readonly budget: Budget;
  readonly rounds: number;
}

export function batchDirectory(sessions: string, session: SessionId): string {
  return join(sessions, session);
}

/**
 * @param makeJobs called while nobody else can make the same batch
 * @returns whether this call made it: false where it was there already
 * @throws `lease_held` while another one makes it
 */
export async function createBatch(
  host: Host,
  batch: NewBatch,
  makeJobs: () => Promise<Pick<JobsFile, "jobs" | "sha256" | "bytes">>,
): Promise<boolean> {
  const { session } = batch;
  await createRow(host, batch);
  const lease = await claimSession(host, session);
  const row = await host.store.getSession(lease.tenant, session);
  const { journal } = await openForWriting(host, lease, row?.place ?? placeOf(batch));
  try {
    if (journal.state.jobs !== null) return false;
    const { provider, rounds } = batch;
    const { jobs, sha256, bytes } = await makeJobs();
    await journal.append([
      { kind: "SessionCreated", actor: "user", data: { title: titleOf(batch) } },
      { kind: "SessionConfigured", actor: "user", data: { config: configOf(host, batch) } },
      { kind: "BatchCreated", actor: "user", data: { provider, jobs, source: sha256, bytes, rounds } },
    ]);
    return true;
  } finally {
    await journal.close();
  }
}

async function createRow(host: Host, batch: NewBatch): Promise<void> {
  const { session, model } = batch;
  try {
    await host.store.createSession({
      tenant: LOCAL_TENANT,
      principal: LOCAL_PRINCIPAL,
      session,
      root: session,
      trace: host.ids.trace(),
      place: placeOf(batch),
      priority: 0,
      summary: newSummary(titleOf(batch), model),
    });
  } catch (error) {
    // An earlier try under this id was cut off, or another process is at it: the lease tells.
    if (!(error instanceof HarnessError) || error.kind !== "session_exists") throw error;
  }
}

function placeOf({ place, session }: NewBatch): {
  readonly cwd: string;
  readonly source: string;
  readonly directory: string;
} {
  return { cwd: place.cwd, source: place.cwd, directory: batchDirectory(place.sessions, session) };
}

function titleOf({ title }: NewBatch): string {
  return `${BATCH_TITLE}${title}`;
}

/** A batch uses no tools: what says how they are confined is never looked at. */
function configOf(host: Host, { provider, model, max_tokens, budget }: NewBatch): SessionConfig {
  const policy = { permissions: NO_RULES, flow: DEFAULT_FLOW, confinement: DEFAULT_CONFINEMENT };
  return {
    provider,
    model,
    max_tokens,
    thinking_tokens: null,
    models: NO_FALLBACK,
    budget,
    limits: DEFAULT_LIMITS,
    sandbox: { mode: "none", network: false },
    workspace: { mode: "in_place", base: null },
    approval: "ask",
    permission_mode: "default",
    ...policy,
    setup: null,
    verify: null,
    ...DEFAULT_WORK,
    versions: versionsOf(host, policy),
  };
}
