/** `belay resume`: goes on with a session, after a crash, a cancel, a limit, or with more to do. */
import type { Command } from "commander";
import { type CommandContext, type DefineCommand, examples } from "../command.ts";
import { HarnessError } from "../../kernel/harness-error.ts";
import { exitCodesHelp } from "../exit-codes.ts";
import { addCommonOptions, filledText, type ResumeOptions } from "../settings.ts";

export const defineResume: DefineCommand = (parent: Command, context: CommandContext) => {
  addCommonOptions(parent.command("resume").description("go on with a session, from exactly where it stopped"))
    .argument("[id]", "the session; without it the last one of this directory")
    .optionsGroup("Which session, and what more:")
    .option("--last", "the last session of this directory")
    .option("-M, --message <text>", "say something more first; @path brings a file's text", filledText)
    .option("--approve", "the work was reviewed, and goes on; a --message with it is the remark")
    .option("--repin", "from now on with the prompts and tools of this version of belay")
    .addHelpText(
      "after",
      examples(
        "belay resume",
        'belay resume --last --message "also update the changelog"',
        "belay resume ses_01… --max-turns 200",
        "belay resume ses_01… --approve   # after a review; or --message says what to do otherwise",
        "belay resume ses_01… --budget 10   # goes on where the cap was reached",
      ) + exitCodesHelp(),
    )
    .action((id: string | undefined, options: ResumeOptions) =>
      context.does(async () => {
        if (options.last === true && id !== undefined)
          throw new HarnessError("usage", `Both --last and session ${id} were named.`, "Name one of them.");
        const { resumeTask } = await import("../start.ts");
        return resumeTask({ id, options, face: context.face, debug: context.debug() });
      }),
    );
};
