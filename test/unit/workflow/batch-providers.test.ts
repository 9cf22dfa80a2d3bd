/** The whole of a batch with both providers' own adapters, over HTTP: OpenAI takes jobs of one model only, and so does a part. */
import { describe, expect, it, onTestFinished } from "vitest";
import { replaySession } from "../../../src/engine/replay/replay.ts";
import type { BatchModels } from "../../../src/model/batch/batch.ts";
import { createBatchModels } from "../../../src/model/batch/batch-models.ts";
import { type Emulator, startEmulator } from "../../../src/testing/emulator/emulator.ts";
import type { ScenarioInput } from "../../../src/testing/emulator/scenario.ts";
import { systemClock } from "../../support/host.ts";
import { type BatchWorld, batchWorld } from "./batch-world.ts";

interface Provider {
  readonly provider: "anthropic" | "openai";
  readonly models: readonly [string, string];
}

const PROVIDERS: readonly Provider[] = [
  { provider: "anthropic", models: ["claude-sonnet-4-5", "claude-haiku-4-5"] },
  { provider: "openai", models: ["gpt-5-mini", "gpt-5-nano"] },
];
const JOBS = 8;
/** A submission without a receipt is looked for at once: nothing is on its way. Milliseconds. */
const LOST_GRACE_MS = 0;

interface Opened {
  readonly emulator: Emulator;
  readonly batches: BatchModels;
  readonly world: BatchWorld;
}

/** Jobs of two models, in turn. */
async function opened({ provider, models }: Provider, scenario: ScenarioInput["batches"]): Promise<Opened> {
  const emulator = await startEmulator({ scenario: { batches: scenario } });
  onTestFinished(() => emulator.close());
  const jobs = Array.from({ length: JOBS }, (_, n) =>
    JSON.stringify({ id: `job-${n}`, prompt: `say ${n}`, model: models[n % 2] }),
  );
  const world = await batchWorld(jobs, { of: { provider, model: models[0] } });
  const batches = createBatchModels({
    variables: {
      ANTHROPIC_API_KEY: "test-key",
      ANTHROPIC_BASE_URL: emulator.url,
      OPENAI_API_KEY: "test-key",
      OPENAI_BASE_URL: `${emulator.url}/v1`,
    },
    toolCallId: () => world.host.ids.toolCall(),
    clock: systemClock,
    lostGraceMs: LOST_GRACE_MS,
  });
  return { emulator, batches, world };
}

describe.each(PROVIDERS)("a batch at $provider", (provider) => {
  it("is handed in by model, and every job has one answer of its own model", async () => {
    const { emulator, batches, world } = await opened(provider, { polls: 2 });
    const report = await world.drive(batches);
    expect(report).toMatchObject({ ended: true, outcome: "completed", exit_code: 0, error: null });
    expect(emulator.batches()).toMatchObject({ batches: 2, requests: JOBS, custom_ids_repeated: [], paid_twice: [] });
    expect(new Set(world.results().map(({ id, ok, model }) => `${id} ${ok} ${model}`))).toEqual(
      new Set(Array.from({ length: JOBS }, (_, n) => `job-${n} true ${provider.models[n % 2]}`)),
    );
    expect(report.state.cost).toBeGreaterThan(0);
    expect(await replaySession(world.host, { session: world.session })).toMatchObject({ verdict: "equal" });
  });

  it("hands in again what failed for now, by model too", async () => {
    // The third job of the first model, and the third of the second.
    const errored = ["-1-1-2", "-2-1-6"].map((custom_id) => ({ custom_id, error: "overloaded" as const }));
    const { emulator, batches, world } = await opened(provider, { errored });
    expect(await world.drive(batches)).toMatchObject({ outcome: "completed" });
    expect(emulator.batches()).toMatchObject({
      batches: 4,
      requests: JOBS + 2,
      custom_ids_repeated: [],
      paid_twice: [],
    });
    expect(world.results().length).toBe(JOBS);
  });

  it("adopts a batch whose receipt was lost, and hands nothing in twice", async () => {
    const { emulator, batches, world } = await opened(provider, { faults: [{ at: "create", lost: true }] });
    expect(await world.drive(batches)).toMatchObject({ outcome: "completed" });
    expect(emulator.batches()).toMatchObject({ batches: 2, requests: JOBS, custom_ids_repeated: [], paid_twice: [] });
  });

  it("hands in again what is known not to have arrived", async () => {
    const { emulator, batches, world } = await opened(provider, { faults: [{ at: "create", unsent: true }] });
    expect(await world.drive(batches)).toMatchObject({ outcome: "completed" });
    expect(emulator.batches()).toMatchObject({ batches: 2, requests: JOBS, custom_ids_repeated: [], paid_twice: [] });
    expect(world.results().length).toBe(JOBS);
  });

  it("that nobody wants any more is canceled there", async () => {
    const { batches, world } = await opened(provider, { delay_ms: 600_000 });
    await world.drive(batches, { until: "idle" });
    expect(await world.drive(batches, { cancel: true })).toMatchObject({ ended: true, outcome: "canceled" });
    expect(world.results().map(({ error }) => error?.kind)).toEqual(Array(JOBS).fill("canceled"));
  });
});
