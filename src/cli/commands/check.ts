/** `belay check`: whether task files say enough to be run. */
import type { Command } from "commander";
import { type CommandContext, type DefineCommand, examples } from "../command.ts";
import type { CheckOptions } from "./check-files.ts";

const HELP = `
A task file is YAML: kind, objective, inputs, success_criteria (commands), limits; and constraints, phases, review_every, model,
allowed_tools. Refused is what names no criterion, no bound or no input, what is vague, and criteria that always succeed.
The exit code is 0 where nothing was found, and 2 where something was. docs/narrow-scope.md says more.
`;

export const defineCheck: DefineCommand = (parent: Command, context: CommandContext) => {
  parent
    .command("check")
    .description("say what stands against task files, before anything is paid for")
    .argument("[file...]", "task files")
    .option("--schema", "print the JSON Schema of a task file")
    .option("--json", "as JSON")
    .addHelpText(
      "after",
      examples(
        "belay check tasks/*.yaml",
        "belay check port-the-parser.yaml && belay run --task-file port-the-parser.yaml",
        "belay check --schema > task.schema.json",
      ) + HELP,
    )
    .action((files: string[], options: CheckOptions) =>
      context.does(async () => (await import("./check-files.ts")).checkFiles(files, options, context.face)),
    );
};
