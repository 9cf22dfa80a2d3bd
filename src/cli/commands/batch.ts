/** `belay batch`: many independent jobs at half the price. */
import { type Command, Option } from "commander";
import { readMoney, readPatience } from "../amount.ts";
import { type CommandContext, type DefineCommand, examples } from "../command.ts";
import { exitCodesHelp } from "../exit-codes.ts";
import { readArgument } from "../money-options.ts";
import { filledText, wholeNumber } from "../settings.ts";
import type { PlanOptions } from "./batch-plan.ts";
import type { QueueOptions } from "./batch-queue.ts";
import type { BatchRunOptions, WatchOptions } from "./batch-run.ts";

const OUTPUT_TOKENS_MAX = 1_000_000;
const LISTED_DEFAULT = 20;
const LISTED_MAX = 10_000;
const POLL_MS_MAX = 3_600_000;

const HELP = `
A line of the file is a job: {"id"?, "prompt" | "messages", "system"?, "max_tokens"?, "model"?, "json"?}. A line of the results is
{"n", "id", "ok", "text" | "json" | "error", "usage", "cost_usd"}. Ctrl+C stops watching; the provider goes on, and so does
\`belay batch resume ID\`.
`;

export const defineBatch: DefineCommand = (parent: Command, context: CommandContext) => {
  const batch = parent.command("batch").description("answer many independent jobs in a batch, at half the price");
  watchOptions(
    jobOptions(batch.command("run").description("submit jobs, watch them, and write every result to a file")),
  )
    .option("--skip-bad", "leave out lines that are no jobs (without it nothing is started)")
    .option("--detach", "submit and leave; `belay batch resume` watches")
    .option("--resume <id>", "as `belay batch resume`", filledText)
    .addHelpText(
      "after",
      examples(
        "belay batch run jobs.jsonl --budget 20",
        "belay batch run --files 'src/**/*.ts' --prompt-file review.md --model claude-sonnet-5",
      ) +
        HELP +
        exitCodesHelp(),
    )
    .action((file: string | undefined, options: BatchRunOptions) =>
      context.does(async () => {
        const commands = await import("./batch-run.ts");
        if (options.resume !== undefined) return commands.resumeBatch(options.resume, options, context.face);
        return commands.runBatch({ ...options, file }, context.face);
      }),
    );
  watchOptions(batch.command("resume").description("go on watching a batch").argument("<id>", "the batch"))
    .addHelpText("after", examples("belay batch resume ses_01…", "belay batch resume ses_01… --budget 40"))
    .action((id: string, options: WatchOptions) =>
      context.does(async () => (await import("./batch-run.ts")).resumeBatch(id, options, context.face)),
    );
  jobOptions(batch.command("plan").description("say whether batch or live is right for jobs, and the money either way"))
    .option("--within <time>", "how long the answers can wait, such as 10m", readArgument(readPatience))
    .option("--tools", "the jobs need tools")
    .addHelpText("after", examples("belay batch plan jobs.jsonl", "belay batch plan jobs.jsonl --within 10m --json"))
    .action((file: string | undefined, options: PlanOptions) =>
      context.does(async () => (await import("./batch-plan.ts")).planBatch({ ...options, file }, context.face)),
    );
  defineLooks(batch, context);
  defineQueue(batch, context);
};

function defineLooks(batch: Command, context: CommandContext): void {
  batch
    .command("list", { isDefault: true })
    .alias("ls")
    .description("list batches, newest first")
    .option("-n, --limit <n>", "at most so many", wholeNumber(LISTED_MAX), LISTED_DEFAULT)
    .option("--json", "as JSON")
    .addHelpText("after", examples("belay batch list"))
    .action((options: { readonly limit: number; readonly json?: true }) =>
      context.does(async () => (await import("./batch-list.ts")).listBatches(options, context.face)),
    );
  batch
    .command("status")
    .description("show where a batch stands, part by part, as its journal says")
    .argument("<id>", "the batch")
    .option("--json", "as JSON")
    .addHelpText("after", examples("belay batch status ses_01…"))
    .action((id: string, options: { readonly json?: true }) =>
      context.does(async () => (await import("./batch-list.ts")).showBatch(id, options, context.face)),
    );
  batch
    .command("results")
    .description("print the results of a batch that are there, a line each; or the answer of one deferred job")
    .argument("<id>", "the batch, or the job that `belay run --defer` named")
    .option("--failed", "only those that failed")
    .addHelpText("after", examples("belay batch results ses_01… > results.jsonl", "belay batch results job_0…"))
    .action((id: string, options: { readonly failed?: true }) =>
      context.does(async () => (await import("./batch-results.ts")).printResults(id, options, context.face)),
    );
  batch
    .command("cancel")
    .description("cancel a batch at the provider; what is answered is kept and paid for")
    .argument("<id>", "the batch")
    .addHelpText("after", examples("belay batch cancel ses_01…"))
    .action((id: string) => context.does(async () => (await import("./batch-run.ts")).cancelBatch(id, context.face)));
}

function defineQueue(batch: Command, context: CommandContext): void {
  queueOptions(
    batch.command("flush").description("submit the deferred jobs as a batch, where enough wait for long enough"),
  )
    .option("--now", "whatever waits")
    .option("--json", "as JSON")
    .addHelpText("after", examples("belay batch flush", "belay batch flush --now"))
    .action((options: QueueOptions) =>
      context.does(async () => (await import("./batch-queue.ts")).flushDeferred(options, context.face)),
    );
  watchOptions(
    queueOptions(
      batch.command("watch").description("watch all batches and the queue of deferred jobs until all is answered"),
    ),
  )
    .addHelpText("after", examples("belay batch watch"))
    .action((options: QueueOptions) =>
      context.does(async () => (await import("./batch-queue.ts")).watchAll(options, context.face)),
    );
}

function jobOptions(command: Command): Command {
  return command
    .argument("[jobs]", "a file with one job a line; - reads standard input")
    .option("--files <glob>", "a job for each file of this directory that matches", filledText)
    .option(
      "--prompt-file <file>",
      "with --files: the prompt, with {{file}} for the text and {{path}} for its path",
      filledText,
    )
    .option("--system-file <file>", "a system prompt that all jobs share which name none", filledText)
    .option("-m, --model <name>", "of jobs that name none (see belay models)", filledText)
    .option(
      "--max-tokens <n>",
      "of an answer, where a job says nothing (default: 2048)",
      wholeNumber(OUTPUT_TOKENS_MAX),
    )
    .option("--answer-tokens <n>", "what an answer is likely to have, for the estimate", wholeNumber(OUTPUT_TOKENS_MAX))
    .option("--json", "as JSON");
}

function watchOptions(command: Command): Command {
  const own = command
    .option("--budget <dollars>", "what the batch may cost, at most (default: 5.00)", readArgument(readMoney))
    .addOption(
      new Option("--poll-ms <n>", "the longest wait between two looks").argParser(wholeNumber(POLL_MS_MAX)).hideHelp(),
    );
  return own.options.some(({ long }) => long === "--json") ? own : own.option("--json", "as JSON");
}

function queueOptions(command: Command): Command {
  return command
    .option("--defer-count <n>", "so many jobs are enough (default: 100)", wholeNumber(OUTPUT_TOKENS_MAX))
    .option("--defer-delay <time>", "none waits longer than this (default: 15m)", readArgument(readPatience));
}
