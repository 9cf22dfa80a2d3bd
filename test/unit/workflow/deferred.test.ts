import { mkdtempSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { DEFAULT_BUDGET } from "../../../src/kernel/budget.ts";
import type { Host } from "../../../src/engine/host.ts";
import { LOCAL_PRINCIPAL, LOCAL_TENANT, type SessionId } from "../../../src/kernel/ids.ts";
import { loadSession } from "../../../src/store/journal.ts";
import { scriptedModel } from "../../../src/testing/scripted-model.ts";
import { batchDirectory } from "../../../src/workflow/batch/create.ts";
import {
  claims,
  defer,
  type DeferredJob,
  isDue,
  placeOf,
  queueIn,
  waitingIn,
} from "../../../src/workflow/batch/deferred.ts";
import { batchFiles } from "../../../src/workflow/batch/files.ts";
import { flushQueue } from "../../../src/workflow/batch/flush.ts";
import { jobsIn } from "../../../src/workflow/batch/source.ts";
import { testHost } from "../../support/host.ts";
import { newSummary } from "../../../src/store/summary.ts";

function job(at: number): DeferredJob {
  const model = { provider: "anthropic", model: "claude-sonnet-4-5", max_tokens: 100 };
  return { prompt: `say ${at}`, system: "", ...model, cwd: "/tmp", title: `say ${at}`, at: 1_700_000_000_000 + at };
}

interface World {
  readonly home: string;
  readonly host: Host;
  readonly queue: ReturnType<typeof queueIn>;
  flush(host?: Host): Promise<readonly SessionId[]>;
  /** Ids of the jobs of these batches. */
  jobsOf(sessions: readonly SessionId[]): Promise<readonly string[]>;
}

async function world(): Promise<World> {
  const home = mkdtempSync(join(tmpdir(), "belay-defer-"));
  const host = await testHost({ home, model: scriptedModel([]) });
  const queue = queueIn(home);
  const sessions = join(home, "sessions");
  return {
    home,
    host,
    queue,
    flush: (by = host) => flushQueue(by, { queue, rule: null, sessions, budget: DEFAULT_BUDGET }),
    jobsOf: async (made) => {
      const ids: string[] = [];
      for (const session of made) {
        const { state } = await loadSession(host.store, LOCAL_TENANT, session);
        expect(state.jobs?.jobs).toBeGreaterThan(0);
        for await (const placed of jobsIn(batchFiles(batchDirectory(sessions, session)))) ids.push(placed.job.id);
      }
      return ids.sort();
    },
  };
}

describe("the queue of deferred jobs", () => {
  it("is due by count or by the age of its oldest job, never when it is empty", () => {
    const rule = { count: 3, delay_ms: 1_000 };
    expect(isDue({ jobs: 0, since: null }, rule, 9_999)).toBe(false);
    expect(isDue({ jobs: 2, since: 0 }, rule, 999)).toBe(false);
    expect(isDue({ jobs: 2, since: 0 }, rule, 1_000)).toBe(true);
    expect(isDue({ jobs: 3, since: 0 }, rule, 0)).toBe(true);
  });

  it("becomes one batch, and each job can be found there", async () => {
    const { host, queue, flush, jobsOf } = await world();
    const ids = [await defer(queue, job(1)), await defer(queue, job(2))];
    expect(await waitingIn(queue)).toEqual({ jobs: 2, since: 1_700_000_000_001 });
    expect(await placeOf(queue, ids[0] ?? "")).toEqual({ state: "waiting" });
    const made = await flush();
    expect(made.length).toBe(1);
    expect(await jobsOf(made)).toEqual(ids);
    expect(await placeOf(queue, ids[1] ?? "")).toEqual({ state: "taken", session: made[0] });
    expect(await waitingIn(queue)).toEqual({ jobs: 0, since: null });
    expect(await flush()).toEqual([]);
    expect((await host.store.listSessions({ tenant: LOCAL_TENANT, limit: 10 })).length).toBe(1);
  });

  it("has each job in exactly one batch when several flush at the same moment", async () => {
    const { queue, flush, jobsOf } = await world();
    const ids: string[] = [];
    for (let at = 0; at < 40; at += 1) ids.push(await defer(queue, job(at)));
    const made = (await Promise.all([flush(), flush(), flush()])).flat();
    expect(await jobsOf(made)).toEqual(ids);
  });

  it("whose flush died after it took the jobs is completed by the next one, once", async () => {
    const { host, queue, flush, jobsOf } = await world();
    const ids = [await defer(queue, job(1)), await defer(queue, job(2))];
    // It takes the jobs, and is never heard of again: the owner that it names is a process that has ended.
    const dead = { ...host, owner: () => ({ ...host.owner(), pid: 2 ** 22 - 1, start_time: "1" }) };
    expect((await claims(dead, queue, true)).map(({ jobs }) => jobs)).toEqual([ids]);
    const made = (await Promise.all([flush(), flush()])).flat();
    expect(await jobsOf(made)).toEqual(ids);
    expect(await flush()).toEqual([]);
  });

  it("whose flush died between the row and the journal's first events is completed under the same id", async () => {
    const { host, queue, flush, jobsOf, home } = await world();
    const ids = [await defer(queue, job(1))];
    const dead = { ...host, owner: () => ({ ...host.owner(), pid: 2 ** 22 - 1, start_time: "1" }) };
    const [claim] = await claims(dead, queue, true);
    const session = claim?.session ?? host.ids.session();
    await host.store.createSession({
      tenant: LOCAL_TENANT,
      principal: LOCAL_PRINCIPAL,
      session,
      root: session,
      trace: host.ids.trace(),
      place: { cwd: home, source: home, directory: batchDirectory(join(home, "sessions"), session) },
      priority: 0,
      summary: newSummary("", ""),
    });
    const made = await flush();
    expect(made).toEqual([session]);
    expect(await jobsOf(made)).toEqual(ids);
    expect(readdirSync(join(home, "sessions"))).toEqual([session]);
  });
});
