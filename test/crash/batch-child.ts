/**
 * Drives a batch to its end, for tests that kill it on the way: makes it where it is not there yet. A line for each event that is
 * durable; the last one says how it ended and how much memory that took.
 */
import { createReadStream } from "node:fs";
import { join } from "node:path";
import { DEFAULT_BUDGET, NO_CAP } from "../../src/kernel/budget.ts";
import { LOCAL_TENANT, parseSessionId } from "../../src/kernel/ids.ts";
import { nanoDollars } from "../../src/kernel/money.ts";
import { createBatchModels } from "../../src/model/batch/batch-models.ts";
import { loadSession } from "../../src/store/journal.ts";
import { createBatch } from "../../src/workflow/batch/create.ts";
import { driveBatch } from "../../src/workflow/batch/drive.ts";
import { batchFiles, linesOf } from "../../src/workflow/batch/files.ts";
import { makeJobsFile } from "../../src/workflow/batch/source.ts";
import { systemClock, testHost } from "../support/host.ts";
import { scriptedModel } from "../../src/testing/scripted-model.ts";

export interface BatchChild {
  readonly home: string;
  readonly url: string;
  readonly session: string;
  /** The user's file of jobs. */
  readonly jobs: string;
  /** Requests of a part: fewer than a provider takes, so that there are several. */
  readonly part: number;
}

/** A process that was killed sends nothing any more: what it had sent has arrived after this. Milliseconds. */
const LOST_GRACE_MS = 2_000;
const MODEL = { provider: "anthropic", model: "claude-sonnet-4-5" };

const { home, url, session: named, jobs, part } = JSON.parse(process.argv[2] ?? "") as BatchChild; // the test's own words
const host = await testHost({ home, model: scriptedModel([]) });
const session = parseSessionId(named);
const sessions = join(home, "sessions");
const files = batchFiles(join(sessions, session));

const isThere = async (): Promise<boolean> =>
  (await host.store.getSession(LOCAL_TENANT, session)) !== null &&
  (await loadSession(host.store, LOCAL_TENANT, session)).state.jobs !== null;

if (!(await isThere())) {
  const defaults = { model: MODEL.model, system: "", max_tokens: 200, modelOf: () => null };
  const cap = { ...NO_CAP, scope: "session", cost: nanoDollars(500_000_000_000) };
  const batch = { session, place: { cwd: home, sessions }, title: "killed", ...MODEL, max_tokens: 200, rounds: 3 };
  await createBatch(host, { ...batch, budget: { ...DEFAULT_BUDGET, caps: [cap] } }, () =>
    makeJobsFile(files, linesOf(createReadStream(jobs)), defaults),
  );
}

const models = createBatchModels({
  variables: { ANTHROPIC_API_KEY: "sk-ant-test-key-0123456789", ANTHROPIC_BASE_URL: url },
  toolCallId: () => host.ids.toolCall(),
  clock: systemClock,
  lostGraceMs: LOST_GRACE_MS,
});
const report = await driveBatch(
  host,
  {
    of: async (provider) => {
      const model = await models.of(provider);
      return model && { ...model, limits: { ...model.limits, requests: part } };
    },
  },
  {
    session,
    until: "ended",
    signal: new AbortController().signal,
    pace: { first_ms: 20, last_ms: 200 },
    onEvents: (events) => {
      for (const { seq, kind } of events) process.stdout.write(`${seq} ${kind}\n`);
    },
  },
);
// Kilobytes, as the system counts it.
const { maxRSS: peak_kb } = process.resourceUsage();
process.stdout.write(
  `done ${JSON.stringify({ outcome: report.outcome, error: report.error?.message ?? null, peak_kb })}\n`,
);
await host.store.close();
