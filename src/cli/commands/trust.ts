/** `belay trust`: which directories' own settings may loosen anything, and with what in them. */
import type { Command } from "commander";
import { type CommandContext, type DefineCommand, examples } from "../command.ts";
import type { TrustOptions } from "./trust-directory.ts";

export const defineTrust: DefineCommand = (parent: Command, context: CommandContext) => {
  parent
    .command("trust")
    .description("let the settings of a directory's own files count, exactly as they are now")
    .argument("[directory]", "the directory, or one in its repository (default: this one)")
    .option("-y, --yes", "do not ask")
    .option("--list", "list the directories that are trusted, and whether they changed")
    .option("--revoke", "trust it no longer")
    .option("--json", "as JSON; without --yes nothing is changed")
    .addHelpText(
      "after",
      examples("belay trust", "belay trust ../other --yes", "belay trust --list", "belay trust --revoke") +
        "\nUntil a directory is trusted, its deny and ask rules count and nothing else of its settings does; what is new in them\nafterwards waits to be trusted again. docs/settings.md says what counts.\n",
    )
    .action((directory: string | undefined, options: TrustOptions) =>
      context.does(async () => (await import("./trust-directory.ts")).trustCommand(directory, options, context.face)),
    );
};
