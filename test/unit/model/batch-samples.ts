/** An emulator that takes batches, and the two adapters before it. */
import { randomBytes } from "node:crypto";
import { createIds } from "../../../src/kernel/ids.ts";
import type { Clock } from "../../../src/kernel/clock.ts";
import type { BatchFault, BatchModel, BatchReceipt, BatchResult, BatchStatus } from "../../../src/model/batch/batch.ts";
import { createBatchModels } from "../../../src/model/batch/batch-models.ts";
import type { ModelRequest } from "../../../src/model/model.ts";
import { type Emulator, startEmulator } from "../../../src/testing/emulator/emulator.ts";
import type { ScenarioInput } from "../../../src/testing/emulator/scenario.ts";
import { type ManualClock, manualClock } from "../../../src/testing/manual-clock.ts";
import { request, text, user } from "./samples.ts";

export const SIGNAL: AbortSignal = new AbortController().signal;
export const MODELS = { anthropic: "claude-sonnet-4-5", openai: "gpt-5" } as const;
export type Provider = keyof typeof MODELS;

export interface Place {
  readonly emulator: Emulator;
  readonly clock: ManualClock;
  readonly model: BatchModel;
}

/** Starts an emulator and opens a provider's batches on it; both have the same clock, which stands still. */
export async function withBatches(
  provider: Provider,
  scenario: ScenarioInput,
  use: (place: Place) => Promise<void>,
): Promise<void> {
  const clock = manualClock();
  const emulator = await startEmulator({ scenario, clock });
  try {
    await use({ emulator, clock, model: await batchesOf(provider, emulator.url, clock) });
  } finally {
    await emulator.close();
  }
}

export async function batchesOf(provider: Provider, url: string, clock: Clock): Promise<BatchModel> {
  const ids = createIds(() => 1_750_000_000_000, randomBytes);
  const model = await createBatchModels({
    clock,
    toolCallId: () => ids.toolCall(),
    variables: {
      ANTHROPIC_API_KEY: "sk-ant-secret-key",
      ANTHROPIC_BASE_URL: url,
      OPENAI_API_KEY: "sk-openai-secret-key",
      OPENAI_BASE_URL: `${url}/v1`,
    },
  }).of(provider);
  if (model === null) throw new TypeError(`${provider} has batches`);
  return model;
}

export interface Job {
  readonly marker?: string;
  readonly count: number;
  readonly request?: (index: number) => Partial<ModelRequest>;
}

export function asking(provider: Provider, words: string, changes: Partial<ModelRequest> = {}): ModelRequest {
  return request({ model: MODELS[provider], messages: [user(text(words))], ...changes });
}

export async function* linesOf(model: BatchModel, { marker = "m1", count, request: of }: Job): AsyncIterable<string> {
  // The sample adapters have no other names.
  const provider = model.provider as Provider;
  for (let index = 0; index < count; index++) {
    yield await model.line({
      custom_id: `${marker}-${index}`,
      request: { ...asking(provider, `job ${index}`), ...of?.(index) },
    });
  }
}

export async function submitted(model: BatchModel, job: Job): Promise<BatchReceipt | BatchFault> {
  const { marker = "m1", count } = job;
  return model.submit({ marker, count, lines: linesOf(model, job) }, SIGNAL);
}

/** @returns the id; fails where it was not taken */
export async function taken(model: BatchModel, job: Job): Promise<string> {
  const receipt = await submitted(model, job);
  if (!receipt.ok) throw new TypeError(`not taken: ${receipt.message}`);
  return receipt.id;
}

/** Polls until it ended. */
export async function ended(model: BatchModel, id: string): Promise<BatchStatus> {
  for (;;) {
    const status = await model.poll(id, SIGNAL);
    if (!status.ok) throw new TypeError(`not polled: ${status.message}`);
    if (status.state === "ended" || status.state === "failed") return status;
  }
}

export async function resultsOf(model: BatchModel, id: string): Promise<readonly (BatchResult | BatchFault)[]> {
  const results: (BatchResult | BatchFault)[] = [];
  for await (const result of model.results(id, SIGNAL)) results.push(result);
  return results;
}

/** What became of each, by custom id: `text`, the kind of a failure, or `expired` and `canceled`. */
export function fates(results: readonly (BatchResult | BatchFault)[]): { readonly [custom_id: string]: string } {
  return Object.fromEntries(
    results.map((result) => {
      if (!result.ok) return ["fault", result.kind];
      const { answer, custom_id } = result;
      if (typeof answer === "string") return [custom_id, answer];
      return [custom_id, answer.ok ? "answered" : answer.kind];
    }),
  );
}
