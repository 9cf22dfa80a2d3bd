/** `belay run`: a new session. */
import { type Command, Option } from "commander";
import { HarnessError } from "../../kernel/harness-error.ts";
import { readPatience } from "../amount.ts";
import { type CommandContext, type DefineCommand, examples } from "../command.ts";
import { exitCodesHelp } from "../exit-codes.ts";
import { readArgument } from "../money-options.ts";
import { addCommonOptions, filledText, type RunOptions, wholeNumber } from "../settings.ts";

const DEFERRED_MAX = 100_000;

interface WhichTask {
  readonly next?: true;
  readonly session?: string;
  readonly taskFile?: string;
  readonly queue?: string;
  readonly keepGoing?: true;
}

/** What only a new session can be told. */
const OF_A_START = ["setup", "base", "inPlace", "clone", "allowNetwork", "sandbox", "defer"];

interface DeferOptions {
  readonly defer?: true;
  readonly deferCount?: number;
  readonly deferDelay?: number;
}

export const defineRun: DefineCommand = (parent: Command, context: CommandContext) => {
  addTaskOptions(
    addCommonOptions(
      parent.command("run").description("start a session: a task, in a private copy of this repository"),
    ),
  )
    .argument("[task...]", "what to do; `-` or nothing reads stdin; @path brings a file's text")
    .optionsGroup("Where it works:")
    .option("-C, --cwd <directory>", "work on the repository of this directory", filledText)
    .option("--setup <command>", "run once in the new workspace, with network, before the agent", filledText)
    .option("--base <revision>", "start from this revision instead of the tree as it stands", filledText)
    .addOption(
      new Option("--in-place", "work in your own directory: no private copy, no automatic rollback").conflicts("clone"),
    )
    .option("--clone", "work in a private copy also where in place is the default (CI with --sandbox external)")
    .option("--allow-network", "commands may use the network (loud: they are no longer confined)")
    .addOption(
      new Option(
        "--sandbox <mode>",
        "bwrap confines each command (the default); external: a container or a virtual machine is around belay, and " +
          "that is the boundary; none: as --no-sandbox",
      ).choices(["bwrap", "external", "none"]),
    )
    .option("--no-sandbox", "run commands without a sandbox (loud: they can do whatever you can)")
    .optionsGroup("For later:")
    .option("--defer", "one answer, without tools, when there are enough such tasks for a batch at half the price")
    .option("--defer-count <n>", "with --defer: so many are enough (default: 100)", wholeNumber(DEFERRED_MAX))
    .option(
      "--defer-delay <time>",
      "with --defer: none waits longer than this (default: 15m)",
      readArgument(readPatience),
    )
    .addHelpText(
      "after",
      examples(
        'belay run "fix the failing test"',
        'belay run "make @src/parse.ts handle empty lines" --verify "npm test"',
        "belay run - < task.md",
        'belay run "port the parser" --phases explore,plan,implement,verify --review-every 4',
        'belay run --next "write the changelog"   # a fresh conversation in the same session',
        "belay run --task-file port-the-parser.yaml",
        "belay run --queue tasks.txt --keep-going",
        'belay run --defer "summarize @docs/ARCHITECTURE.md in ten lines"   # answered later, at half the price',
        'belay run "update the snapshots" --output json --max-turns 20',
        'belay run "port the parser" --budget 2.00 --turn-alert 0.50 --phase plan=10k',
        'belay run "port the parser" --fallback openai/gpt-5.5 --patience 1m   # takes over when the first cannot go on',
        'belay run "fix the build" --sandbox external --verify "npm test"   # in a job of CI',
      ) +
        "\ndocs/budgets.md says what caps and alerts do, docs/models.md what the settings may hold about models and prices.\n" +
        exitCodesHelp(),
    )
    .action((words: string[], options: RunOptions & DeferOptions & WhichTask) =>
      context.does(async () => {
        const request = { words, options, face: context.face, debug: context.debug() };
        requireTogether(words, options);
        if (options.queue !== undefined) {
          const { runQueue } = await import("../start-queue.ts");
          return runQueue({ ...request, options: { ...options, queue: options.queue } });
        }
        if (options.next === true || options.taskFile !== undefined) {
          const { runNext } = await import("../next-task.ts");
          return runNext(request);
        }
        if (options.defer === true) {
          const { deferTask } = await import("./batch-queue.ts");
          return deferTask({ words, options, face: context.face });
        }
        const { runTask } = await import("../start.ts");
        return runTask(request);
      }),
    );
};

/** Instead of the words of a new session. */
function addTaskOptions(command: Command): Command {
  return command
    .optionsGroup("Which task:")
    .addOption(
      new Option(
        "--next",
        "a fresh conversation in the last session of this directory, within its limits and budget; without a task the " +
          "next item of its list",
      ).conflicts(OF_A_START),
    )
    .addOption(new Option("--session <id>", "with --next: another session").argParser(filledText))
    .option("--task-file <file>", "a task file, which belay check finds nothing in (docs/narrow-scope.md)", filledText)
    .addOption(
      new Option(
        "--queue <path>",
        "tasks one after the other, each with a fresh conversation: a line each, a YAML list, or a directory; called " +
          "again it goes on behind those that are done",
      )
        .argParser(filledText)
        .conflicts(["next", "session", "taskFile", "defer"]),
    )
    .option("--keep-going", "with --queue: do not stop at a task that is not completed");
}

/** @throws HarnessError `usage` */
function requireTogether(words: readonly string[], { next, session, queue, keepGoing }: WhichTask): void {
  const wrong =
    session !== undefined && next !== true
      ? ["--session was said without --next.", "Go on with a session by `belay resume ID`."]
      : keepGoing === true && queue === undefined
        ? ["--keep-going was said without --queue.", "Leave it away."]
        : queue !== undefined && words.length > 0
          ? ["Both a task and --queue were said.", "Say one of them."]
          : null;
  if (wrong !== null) throw new HarnessError("usage", wrong[0] ?? "", wrong[1] ?? "");
}
