/** `belay budget`: what all sessions together may spend in a day, in a month and in all, and what they did spend. */
import type { Command } from "commander";
import { readMoney, readTokens } from "../amount.ts";
import { type CommandContext, type DefineCommand, examples } from "../command.ts";
import { readArgument } from "../money-options.ts";
import type { ClearBudgetOptions, SetBudgetOptions, ShowBudgetOptions } from "./budget-caps.ts";

const HELP = `
The caps hold for everything that uses this store, from the next call on, whichever process makes it. Days and months are
those of UTC. Under a cap of money a model without a price is refused. docs/budgets.md says more.
`;

export const defineBudget: DefineCommand = (parent: Command, context: CommandContext) => {
  const budget = parent
    .command("budget")
    .description("what all sessions may spend in a day, in a month and in all: show, set and clear");
  budget
    .command("show", { isDefault: true })
    .description("print the caps, what is spent and reserved under them, and the dearest sessions")
    .option("--json", "as JSON; money in nano-dollars")
    .addHelpText("after", examples("belay budget", "belay budget show --json"))
    .action((options: ShowBudgetOptions) =>
      context.does(async () => (await import("./budget-caps.ts")).showBudget(options, context.face)),
    );
  budget
    .command("set")
    .description("set caps; those that are not named stay as they are")
    .option("--daily <dollars>", "of each day", readArgument(readMoney))
    .option("--monthly <dollars>", "of each month", readArgument(readMoney))
    .option("--total <dollars>", "of all there ever was", readArgument(readMoney))
    .option("--daily-tokens <n>", "tokens of each day, such as 500k or 20M", readArgument(readTokens))
    .option("--monthly-tokens <n>", "tokens of each month", readArgument(readTokens))
    .option("--total-tokens <n>", "tokens in all", readArgument(readTokens))
    .addHelpText(
      "after",
      examples("belay budget set --daily 20 --monthly 300", "belay budget set --daily-tokens 20M") + HELP,
    )
    .action((options: SetBudgetOptions) =>
      context.does(async () => (await import("./budget-caps.ts")).setBudget(options, context.face)),
    );
  budget
    .command("clear")
    .description("take caps away; without an option all of them")
    .option("--daily", "that of each day")
    .option("--monthly", "that of each month")
    .option("--total", "that of all there ever was")
    .addHelpText("after", examples("belay budget clear --daily", "belay budget clear"))
    .action((options: ClearBudgetOptions) =>
      context.does(async () => (await import("./budget-caps.ts")).clearBudget(options, context.face)),
    );
};
