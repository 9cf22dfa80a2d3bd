/** `belay models`: what is configured, what it costs, how it did lately; and the providers, with what they lack. */
import type { Command } from "commander";
import { type CommandContext, type DefineCommand, examples } from "../command.ts";
import type { ModelsOptions } from "./models-list.ts";

export const defineModels: DefineCommand = (parent: Command, context: CommandContext) => {
  parent
    .command("models")
    .description("list the models that are configured with prices and health, and the providers with what they lack")
    .option("--json", "as JSON; prices in dollars per million tokens")
    .addHelpText(
      "after",
      examples(
        "belay models",
        'belay run --model openai/gpt-5.5 "fix the failing test"',
        'belay run --model fast --fallback openai/gpt-5.5 "fix the failing test"   # fast: an alias of the settings',
      ) +
        "\nA model is named provider/model; claude-…, gpt-…, o3 and gemini-… name their providers themselves.\ndocs/models.md says what the settings may hold.\n",
    )
    .action((options: ModelsOptions) =>
      context.does(async () => (await import("./models-list.ts")).printModels(options, context.face)),
    );
};
