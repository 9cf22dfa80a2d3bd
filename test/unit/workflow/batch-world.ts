/** A batch of a few jobs on a real store, with a provider in memory. */
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Host } from "../../../src/engine/host.ts";
import { type Budget, DEFAULT_BUDGET, NO_CAP } from "../../../src/kernel/budget.ts";
import { LOCAL_TENANT, type SessionId } from "../../../src/kernel/ids.ts";
import { nanoDollars, type NanoDollars } from "../../../src/kernel/money.ts";
import type { BatchModels } from "../../../src/model/batch/batch.ts";
import type { SessionState } from "../../../src/kernel/state.ts";
import { loadSession } from "../../../src/store/journal.ts";
import { scriptedModel } from "../../../src/testing/scripted-model.ts";
import { createBatch } from "../../../src/workflow/batch/create.ts";
import { type BatchReport, driveBatch, type DriveRequest } from "../../../src/workflow/batch/drive.ts";
import { batchFiles } from "../../../src/workflow/batch/files.ts";
import { makeJobsFile } from "../../../src/workflow/batch/source.ts";
import { testHost } from "../../support/host.ts";

export interface BatchWorld {
  readonly host: Host;
  readonly home: string;
  readonly session: SessionId;
  drive(batches: BatchModels, more?: Partial<DriveRequest>): Promise<BatchReport>;
  state(): Promise<SessionState>;
  /** The file of results, parsed; also what is not acknowledged. */
  results(): readonly Result[];
  readonly files: ReturnType<typeof batchFiles>;
}

export interface Result {
  readonly n: number;
  readonly id: string;
  readonly ok: boolean;
  readonly text?: string;
  readonly json?: unknown;
  readonly model?: string;
  readonly error?: { readonly kind: string; readonly message: string };
  readonly cost_usd: number | null;
}

export async function* linesFor(texts: readonly string[]): AsyncGenerator<{ number: number; text: string }> {
  for (const [at, text] of texts.entries()) yield await Promise.resolve({ number: at + 1, text });
}

export const DEFAULTS = {
  model: "claude-sonnet-4-5",
  system: "",
  max_tokens: 100,
  modelOf: (name: string): string | null => (name.startsWith("claude-") ? name : null),
};

/** What names of one provider's models begin with. */
const FAMILY_CHARS = 4;

export async function batchWorld(
  jobs: readonly string[],
  options: {
    readonly cap?: NanoDollars;
    readonly rounds?: number;
    /** Of the jobs that name no model. */
    readonly of?: { readonly provider: string; readonly model: string };
  } = {},
): Promise<BatchWorld> {
  const home = mkdtempSync(join(tmpdir(), "belay-batch-"));
  const host = await testHost({ home, model: scriptedModel([]) });
  const session = host.ids.session();
  const files = batchFiles(join(home, "sessions", session));
  const of = options.of ?? { provider: "anthropic", model: DEFAULTS.model };
  const source = await makeJobsFile(files, linesFor(jobs), {
    ...DEFAULTS,
    model: of.model,
    modelOf: (name) => (name.startsWith(of.model.slice(0, FAMILY_CHARS)) ? name : null),
  });
  const made = {
    session,
    place: { cwd: home, sessions: join(home, "sessions") },
    title: "jobs.jsonl",
    ...of,
    max_tokens: 100,
    budget: budgetOf(options.cap ?? nanoDollars(5_000_000_000)),
    rounds: options.rounds ?? 3,
  };
  await createBatch(host, made, () => Promise.resolve(source));
  return {
    host,
    home,
    session,
    files,
    drive: (batches, more = {}) =>
      driveBatch(host, batches, {
        session,
        until: "ended",
        signal: new AbortController().signal,
        pace: { first_ms: 1, last_ms: 2 },
        ...more,
      }),
    state: async () => (await loadSession(host.store, LOCAL_TENANT, session)).state,
    results: () =>
      readFileSync(files.results, "utf8")
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => JSON.parse(line) as Result), // written by the batch under test
  };
}

export function budgetOf(cost: NanoDollars): Budget {
  return { ...DEFAULT_BUDGET, caps: [{ ...NO_CAP, scope: "session", cost }] };
}

export function prompts(count: number): readonly string[] {
  return Array.from({ length: count }, (_, at) => JSON.stringify({ id: `job-${at}`, prompt: `say ${at}` }));
}
