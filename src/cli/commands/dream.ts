/** `belay dream`: tidies memories up between sessions. */
import { type Command, Option } from "commander";
import { readMoney } from "../amount.ts";
import { type CommandContext, type DefineCommand, examples } from "../command.ts";
import { readArgument } from "../money-options.ts";
import type { DreamOptions } from "./dream-run.ts";

const HELP = `
Duplicates become one, what was contradicted stands behind what took its place, what nobody used for long is dropped, what was learned in
several sessions counts more. What would change how sessions behave is only proposed. belay does this by itself, now and then, when a
run has ended; only one dream is at work at a time, and Ctrl+C stops it between two steps.

With --model a model is shown what is alike when all that is done, in small groups: what says the same in other words becomes one, by the
words of one of them; what it takes for a contradiction is only told. It can do nothing else, has no tools, and costs at most --budget,
also with --dry-run. Without it, or when it fails, the rest stands.
`;

export const defineDream: DefineCommand = (parent: Command, context: CommandContext) => {
  parent
    .command("dream")
    .description("tidy memories up: merge, drop, promote, propose; prints what changed")
    .option("--dry-run", "only say what would change")
    .option("--apply-proposals", "you have read the proposals: do them, but for those that strangers had a part in")
    .option("--all-projects", "of every project of this store")
    .option("--model [name]", "then ask a model about what is alike (default: that of `belay run`)")
    .addOption(
      new Option("--budget <dollars>", "with --model: what it may cost, at most (default: 0.10)").argParser(
        readArgument(readMoney),
      ),
    )
    .option("--json", "as JSON")
    .addHelpText(
      "after",
      examples(
        "belay dream --dry-run",
        "belay dream",
        "belay dream --apply-proposals",
        "belay dream --model claude-haiku-4-5 --budget 0.05",
      ) + HELP,
    )
    .action((options: DreamOptions) =>
      context.does(async () => (await import("./dream-run.ts")).runDream(options, context.face)),
    );
};
