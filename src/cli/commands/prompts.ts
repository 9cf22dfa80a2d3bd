/** `belay prompts`: which texts shape behaviour, what became of them, and what was accepted. */
import type { Command } from "commander";
import { type CommandContext, type DefineCommand, examples } from "../command.ts";
import type { DiffOptions } from "./prompts-diff.ts";
import type { ListOptions } from "./prompts-list.ts";
import type { CheckOptions } from "./prompts-lock.ts";
import type { PinOptions } from "./prompts-pin.ts";
import type { ShowOptions } from "./prompts-show.ts";

export const definePrompts: DefineCommand = (parent: Command, context: CommandContext) => {
  const prompts = parent
    .command("prompts")
    .description("the system prompt, the tools and the project's own prompts: versions, differences, what is locked")
    .addHelpText("after", examples("belay prompts", "belay prompts show system", "belay prompts check") + HELP);
  defineList(prompts, context);
  defineShow(prompts, context);
  defineDiff(prompts, context);
  defineLock(prompts, context);
  defineCheck(prompts, context);
  definePin(prompts, context);
};

const HELP = `
\`belay prompts lock\` accepts what is there, and \`check\` fails in CI where something changed. docs/prompts.md says more.
`;

const NAME_HELP =
  "such as `work`, `bash`, `AGENTS.md`, `skill .claude/skills/x/SKILL.md`, or the first 8 digits of its hash";

function defineList(prompts: Command, context: CommandContext): void {
  prompts
    .command("list", { isDefault: true })
    .alias("ls")
    .description("every prompt of this directory, with its size, its hash, and whether it is what was locked")
    .option("--json", "as JSON")
    .addHelpText("after", examples("belay prompts list", "belay prompts list --json"))
    .action((options: ListOptions) =>
      context.does(async () => (await import("./prompts-list.ts")).listPrompts(options, context.face)),
    );
}

function defineShow(prompts: Command, context: CommandContext): void {
  prompts
    .command("show")
    .description("print a prompt as the model is sent it; `system` is the whole system prompt")
    .argument("<name>", NAME_HELP)
    .option("--session <id>", "as this session is held to it")
    .option("--json", "as JSON")
    .addHelpText("after", examples("belay prompts show system", "belay prompts show bash --session ses_01…"))
    .action((name: string, options: ShowOptions) =>
      context.does(async () => (await import("./prompts-show.ts")).showPrompt(name, options, context.face)),
    );
}

function defineDiff(prompts: Command, context: CommandContext): void {
  prompts
    .command("diff")
    .description("show what became of a prompt; without a name of every one that is not as locked")
    .argument("[name]", NAME_HELP)
    .option("--session <id>", "compare this session's text, not the present one")
    .option("--against <what>", "`locked`, `present`, or a session; without it `locked`, or `present` for a session's")
    .option("--json", "as JSON")
    .addHelpText(
      "after",
      examples(
        "belay prompts diff",
        "belay prompts diff system --session ses_01…",
        "belay prompts diff bash --session ses_01… --against ses_02…",
      ),
    )
    .action((name: string | undefined, options: DiffOptions) =>
      context.does(async () => (await import("./prompts-diff.ts")).diffPrompts(name, options, context.face)),
    );
}

function defineLock(prompts: Command, context: CommandContext): void {
  prompts
    .command("lock")
    .description("accept the prompts as they are: writes belay.prompts.lock at the top of the repository")
    .option("--json", "as JSON")
    .addHelpText("after", examples("belay prompts lock"))
    .action((options: CheckOptions) =>
      context.does(async () => (await import("./prompts-lock.ts")).lockPrompts(options, context.face)),
    );
}

const CHECK_HELP = `
Exit codes: 0 all is as locked, 3 something changed, 2 there is no lock file or it cannot be used. On GitHub Actions each change
is an annotation. docs/prompts.md has a recipe.
`;

function defineCheck(prompts: Command, context: CommandContext): void {
  prompts
    .command("check")
    .description("compare the prompts with belay.prompts.lock, for CI")
    .option("--json", "as JSON")
    .addHelpText("after", examples("belay prompts check", "belay prompts check --json") + CHECK_HELP)
    .action((options: CheckOptions) =>
      context.does(async () => (await import("./prompts-lock.ts")).checkPrompts(options, context.face)),
    );
}

const PIN_HELP = `
A session keeps the system prompt and the tools it began with, also under a later version of belay. This holds it to others from
its next run on, as \`belay resume --repin\` does. Both are changed together, since a provider caches them together: the first
request after it reads everything anew.
`;

function definePin(prompts: Command, context: CommandContext): void {
  prompts
    .command("pin")
    .description("hold a session to this version's prompt and tools, or to another session's")
    .argument("<session>", "the session")
    .option("--from <id>", "take the texts of this session")
    .option("--json", "as JSON")
    .addHelpText("after", examples("belay prompts pin ses_01…", "belay prompts pin ses_01… --from ses_02…") + PIN_HELP)
    .action((session: string, options: PinOptions) =>
      context.does(async () => (await import("./prompts-pin.ts")).pinSession(session, options, context.face)),
    );
}
