import { appendFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { LedgerScope } from "../../../src/kernel/ledger-scopes.ts";
import { nanoDollars, NO_MONEY } from "../../../src/kernel/money.ts";
import type { ModelFailure } from "../../../src/model/model.ts";
import { batchWorld, budgetOf, prompts, type Result } from "./batch-world.ts";
import { fakeBatches, fault, promptOf, success } from "./fake-batches.ts";

function idsOf(results: readonly Result[]): readonly string[] {
  return results.map(({ id }) => id).sort((a, b) => Number(a.slice(4)) - Number(b.slice(4)));
}

const ALL_IDS = (count: number): readonly string[] => Array.from({ length: count }, (_, at) => `job-${at}`);

function failure(kind: ModelFailure["kind"]): ModelFailure {
  return {
    ok: false,
    aborted: false,
    kind,
    message: `scripted ${kind}`,
    http: null,
    request_id: null,
    retry_after_ms: null,
    sent: true,
    partial: "",
    usage: null,
    rate: null,
  };
}

describe("a batch", () => {
  it("is split at the provider's limit, and every job has one result", async () => {
    const world = await batchWorld(prompts(25));
    const batches = fakeBatches({ requests: 10 });
    const report = await world.drive(batches);
    expect(report).toMatchObject({ ended: true, outcome: "completed", exit_code: 0 });
    expect(batches.batches.map(({ requests }) => requests.length)).toEqual([10, 10, 5]);
    expect(idsOf(world.results())).toEqual(ALL_IDS(25));
    expect(world.results()[0]).toMatchObject({ n: 0, id: "job-0", ok: true, text: "SAY 0" });
  });

  it("is split at the provider's limit of bytes", async () => {
    const world = await batchWorld(prompts(6));
    const batches = fakeBatches({ bytes: 1_000 });
    await world.drive(batches);
    expect(batches.batches.length).toBeGreaterThan(1);
    for (const { requests } of batches.batches) {
      const bytes = requests.reduce((sum, one) => sum + JSON.stringify(one).length + 1, 0);
      expect(bytes).toBeLessThanOrEqual(1_000);
    }
    expect(idsOf(world.results())).toEqual(ALL_IDS(6));
  });

  it("hands in again what failed for now or expired, and reports what cannot be mended", async () => {
    const world = await batchWorld(prompts(6));
    const batches = fakeBatches({
      answer: (request, times) => {
        const prompt = promptOf(request);
        if (prompt === "say 1") return failure("invalid_request");
        if (prompt === "say 2") return times === 0 ? failure("overloaded") : success("late");
        if (prompt === "say 3") return "expired";
        return success(prompt);
      },
    });
    const report = await world.drive(batches);
    expect(report).toMatchObject({ ended: true, outcome: "failed", exit_code: 1 });
    const byId = new Map(world.results().map((result) => [result.id, result]));
    expect(byId.size).toBe(6);
    expect(world.results().length).toBe(6);
    expect(byId.get("job-1")?.error?.kind).toBe("invalid_request");
    expect(byId.get("job-2")).toMatchObject({ ok: true, text: "late" });
    expect(byId.get("job-3")?.error?.kind).toBe("expired");
    expect(batches.batches.map(({ requests }) => requests.length)).toEqual([6, 2, 1]);
  });

  it("adopts a submission whose receipt was lost, and sends nothing twice", async () => {
    const world = await batchWorld(prompts(5));
    const batches = fakeBatches({ onSubmit: (count) => (count === 0 ? fault("timeout", true) : null) });
    const report = await world.drive(batches);
    expect(report.ended).toBe(true);
    expect(batches.batches.length).toBe(1);
    expect(new Set(batches.submitted).size).toBe(batches.submitted.length);
    expect(idsOf(world.results())).toEqual(ALL_IDS(5));
  });

  it("submits again what is known not to have arrived, and gives back what was reserved", async () => {
    const world = await batchWorld(prompts(5));
    let tries = 0;
    const batches = fakeBatches({ onSubmit: () => (tries++ < 2 ? fault("network", false) : null) });
    await world.drive(batches);
    expect(batches.batches.length).toBe(1);
    const state = await world.state();
    const [position] = await world.host.store.positions(state.tenant, [scopeOf(state.session)]);
    expect(position).toMatchObject({ cost: state.cost, reserved_cost: 0, reserved_tokens: 0 });
  });

  it("goes on where a stream of results was cut, without a job twice", async () => {
    const world = await batchWorld(prompts(9));
    await world.drive(fakeBatches({ cutAfter: 4 }));
    expect(world.results().length).toBe(9);
    expect(idsOf(world.results())).toEqual(ALL_IDS(9));
  });

  it("cuts off what the journal does not know of before it adds anything", async () => {
    const world = await batchWorld(prompts(12));
    const batches = fakeBatches({ cutAfter: 5 });
    expect(await world.drive(batches, { until: "idle" })).toMatchObject({ ended: false });
    expect(world.results().length).toBe(5);
    appendFileSync(world.files.results, '{"n":11,"id":"job-11","ok":true,"te');
    const report = await world.drive(batches);
    expect(report.ended).toBe(true);
    expect(world.results().length).toBe(12);
    expect(idsOf(world.results())).toEqual(ALL_IDS(12));
  });

  it("left alone is gone on with by another run, which submits nothing anew", async () => {
    const world = await batchWorld(prompts(8));
    const batches = fakeBatches({ polls: 2 });
    const left = await world.drive(batches, { until: "idle" });
    expect(left).toMatchObject({ ended: false, exit_code: 0 });
    const stopped = new AbortController();
    stopped.abort();
    expect(await world.drive(batches, { signal: stopped.signal })).toMatchObject({ ended: false, exit_code: 130 });
    expect(await world.drive(batches)).toMatchObject({ ended: true, exit_code: 0 });
    expect(batches.submitted.length).toBe(8);
  });

  it("that nobody wants any more is canceled at the provider, and its jobs say so", async () => {
    const world = await batchWorld(prompts(4));
    const batches = fakeBatches({ polls: Infinity });
    const report = await world.drive(batches, {
      onEvents: (events) => {
        const submitted = events.find(({ kind }) => kind === "BatchPartSubmitted");
        if (submitted) void world.host.store.requestCancel(submitted.tenant, world.session);
      },
    });
    expect(report).toMatchObject({ ended: true, outcome: "canceled" });
    expect(world.results().map(({ error }) => error?.kind)).toEqual(["canceled", "canceled", "canceled", "canceled"]);
  });
});

describe("the money of a batch", () => {
  it("is never more than its cap: parts are made as small as the cap wants, one after the other", async () => {
    // The worst case of one of these jobs is about 1.1 thousandths of a dollar, and what it really costs a fifth of that.
    const world = await batchWorld(prompts(100), { cap: nanoDollars(40_000_000) });
    const batches = fakeBatches();
    const report = await world.drive(batches);
    expect(report).toMatchObject({ ended: true, outcome: "completed" });
    expect(batches.batches.length).toBeGreaterThan(1);
    expect(report.state.cost).toBeLessThanOrEqual(40_000_000);
  });

  it("used up ends the run with what was finished kept; a higher cap goes on", async () => {
    const world = await batchWorld(prompts(100), { cap: nanoDollars(12_000_000) });
    const batches = fakeBatches();
    const report = await world.drive(batches);
    expect(report).toMatchObject({ ended: false, outcome: "budget_exhausted", exit_code: 6 });
    expect(report.state.cost).toBeLessThanOrEqual(12_000_000);
    const more = await world.drive(batches, { budget: () => budgetOf(nanoDollars(1_000_000_000)) });
    expect(more).toMatchObject({ ended: true, exit_code: 0 });
    expect(batches.submitted.length).toBe(100);
    expect(idsOf(world.results())).toEqual(ALL_IDS(100));
  });

  it("is the same in the journal, in the ledger and in the file of results", async () => {
    const world = await batchWorld(prompts(10));
    const { state } = await world.drive(fakeBatches({ requests: 4 }));
    const [position] = await world.host.store.positions(state.tenant, [scopeOf(state.session)]);
    const inFile = world.results().reduce((sum, { cost_usd }) => sum + Math.round((cost_usd ?? 0) * 1e9), 0);
    expect(state.cost).toBeGreaterThan(0);
    expect([position?.cost, inFile]).toEqual([state.cost, state.cost]);
  });
});

function scopeOf(session: string): LedgerScope {
  return {
    scope: `session:${session}`,
    cost: null,
    tokens: null,
    strict: false,
    opening: { cost: NO_MONEY, tokens: 0 },
  };
}
