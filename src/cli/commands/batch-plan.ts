/** `belay batch plan`: batch or live, and the money either way. Nothing is started. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { dollarsOf, formatMoney, type NanoDollars } from "../../kernel/money.ts";
import {
  adviceFor,
  type Advice,
  BATCH_CACHE_HITS,
  type Estimate,
  estimateOf,
  OUTPUT_SHARE,
  worstCaseOfAll,
} from "../../workflow/batch/estimate.ts";
import { batchFiles } from "../../workflow/batch/files.ts";
import { BYTES_PER_TOKEN } from "../../workflow/batch/money.ts";
import { jobsIn } from "../../workflow/batch/source.ts";
import { type BatchParts, withBatches } from "../batch-host.ts";
import type { Face } from "../face.ts";
import { formatCount, formatShare, plural } from "../view/format.ts";
import { safeLine } from "../view/safe-text.ts";
import { tableLines } from "../view/table.ts";
import { type JobOptions, sourceOf } from "./batch-run.ts";

export interface PlanOptions extends JobOptions {
  readonly within?: number;
  readonly tools?: true;
}

/** Providers that have batches. Said here so that a plan needs no key. */
const WITH_BATCHES: readonly string[] = ["anthropic", "openai"];
const PIPE_COLUMNS = 400;

export async function planBatch(options: PlanOptions, face: Face): Promise<number> {
  return withBatches(face, async (parts) => {
    const directory = await mkdtemp(join(tmpdir(), "belay-plan-"));
    try {
      return await planned(parts, options, directory);
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  });
}

async function planned(parts: BatchParts, options: PlanOptions, directory: string): Promise<number> {
  const { face, host } = parts;
  const files = batchFiles(directory);
  const { title, source, provider } = await sourceOf(parts, options, files);
  const estimate = await estimateOf(host.prices, provider, source.models, options.answerTokens ?? null);
  const worst = await worstCaseOfAll(host.prices, provider, jobsIn(files));
  const advice = adviceFor(estimate, {
    provider,
    batches: WITH_BATCHES.includes(provider),
    tools: options.tools === true,
    within_ms: options.within ?? null,
  });
  const factors = factorsOf(options);
  if (options.json === true) {
    face.out.json(JSON.stringify(asJson(estimate, worst.cost, advice, { bad: source.bad, factors })));
    return 0;
  }
  const { out } = face;
  const models = source.models.map(({ model }) => model).join(", ");
  out.line(`${safeLine(title)}: ${plural(estimate.jobs, "job")} for ${safeLine(provider)} (${safeLine(models)}).`);
  if (source.bad > 0)
    out.line(
      `${plural(source.bad, "line")} ${source.bad === 1 ? "is" : "are"} no job: line ${source.problems[0]?.line ?? 0}, ${safeLine(source.problems[0]?.problem ?? "")}.`,
    );
  out.line(
    `About ${formatCount(estimate.input_tokens)} tokens in (${formatCount(estimate.shared_tokens)} shared), ${formatCount(estimate.output_tokens)} out.`,
  );
  out.line("");
  const rows = [
    ["live", formatMoney(estimate.live), "at once"],
    ["live + cache", formatMoney(estimate.live_cached), "at once, one after the other"],
    ["batch", formatMoney(estimate.batch), "usually within an hour, at most a day"],
    ["batch + cache", formatMoney(estimate.batch_cached), "the same"],
    ["batch at most", formatMoney(worst.cost), "what is reserved against the cap"],
  ];
  for (const line of tableLines(["HOW", "COST", "WHEN"], rows, PIPE_COLUMNS)) out.line(line);
  out.line("");
  out.line(`${advice.choice === "batch" ? "Batch" : "Live"}: ${advice.reasons.join("; ")}.${savesText(advice)}`);
  for (const factor of factors) out.line(`  ${factor}`);
  return 0;
}

function savesText({ saves }: Advice): string {
  if (saves === null) return " What it saves is not known: there is no price.";
  return saves >= 0 ? ` It saves ${formatMoney(saves)}.` : ` A batch would save ${formatMoney(-saves as NanoDollars)}.`; // the negative of a whole amount
}

/** On what the numbers rest. */
function factorsOf({ answerTokens }: PlanOptions): readonly string[] {
  const answer =
    answerTokens === undefined
      ? `an answer is taken to use ${formatShare(OUTPUT_SHARE)} of its max_tokens (--answer-tokens says better)`
      : `an answer is taken to have ${answerTokens} tokens`;
  return [
    `a token is taken to be ${BYTES_PER_TOKEN} bytes; at most: one byte, and all of max_tokens`,
    answer,
    `a batch is taken to find a shared prompt in the cache ${formatShare(BATCH_CACHE_HITS)} of the time`,
  ];
}

function asJson(
  estimate: Estimate,
  worst: NanoDollars | null,
  { choice, reasons, saves }: Advice,
  more: { readonly bad: number; readonly factors: readonly string[] },
): Record<string, unknown> {
  const usd = (cost: NanoDollars | null): number | null => (cost === null ? null : dollarsOf(cost));
  const { jobs, input_tokens, output_tokens, shared_tokens, live, live_cached, batch, batch_cached } = estimate;
  return {
    choice,
    reasons,
    saves_usd: usd(saves),
    jobs,
    bad_lines: more.bad,
    input_tokens,
    output_tokens,
    shared_tokens,
    cost_usd: {
      live: usd(live),
      live_cached: usd(live_cached),
      batch: usd(batch),
      batch_cached: usd(batch_cached),
      batch_at_most: usd(worst),
    },
    rests_on: more.factors,
  };
}
