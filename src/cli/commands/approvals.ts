/** `belay approvals`, `belay approve` and `belay deny`: what runs asked when nobody was there, answered from anywhere. */
import type { Command } from "commander";
import { type CommandContext, type DefineCommand, examples } from "../command.ts";
import { HarnessError } from "../../kernel/harness-error.ts";
import { exitCodesHelp } from "../exit-codes.ts";
import { filledText } from "../settings.ts";
import type { ListApprovalsOptions } from "./approvals-list.ts";
import type { AnswerOptions } from "./approvals-answer.ts";

const CALL_HELP = "the call, the beginning of its id, or its session when only one call of it waits";

export const defineApprovals: DefineCommand = (parent: Command, context: CommandContext) => {
  parent
    .command("approvals")
    .description("list what waits for a person's yes, over all sessions")
    .option("--json", "as JSON, with the whole input of each call")
    .addHelpText("after", examples("belay approvals", "belay approvals --json"))
    .action((options: ListApprovalsOptions) =>
      context.does(async () => (await import("./approvals-list.ts")).listApprovals(options, context.face)),
    );
  defineApprove(parent, context);
  defineDeny(parent, context);
};

interface ApproveOptions extends AnswerOptions {
  readonly session?: true;
  readonly always?: true;
}

function defineApprove(parent: Command, context: CommandContext): void {
  parent
    .command("approve")
    .description("allow a call that waits, exactly as it is shown; then the run goes on")
    .argument("<id>", CALL_HELP)
    .option("--session", "also what its rule covers, as long as the session lasts")
    .option("--always", "also what its rule covers from now on: the rule is added to your settings")
    .option("--no-resume", "only answer; `belay resume` goes on later")
    .option("-y, --yes", "do not ask once more at a terminal")
    .addHelpText(
      "after",
      examples("belay approve call_01…", "belay approve ses_01… --session", "belay approve call_01… --no-resume") +
        exitCodesHelp(),
    )
    .action((id: string, options: ApproveOptions) =>
      context.does(async () => {
        if (options.session === true && options.always === true)
          throw new HarnessError("usage", "Both --session and --always were given.", "Give one of them.");
        const answer = options.always === true ? "always" : options.session === true ? "session" : "once";
        return answerFor(id, { answer, reason: null }, options, context);
      }),
    );
}

interface DenyOptions extends AnswerOptions {
  readonly reason?: string;
}

function defineDeny(parent: Command, context: CommandContext): void {
  parent
    .command("deny")
    .description("refuse a call that waits; then the run goes on and the model is told")
    .argument("<id>", CALL_HELP)
    .option("--reason <text>", "what to tell the model", filledText)
    .option("--no-resume", "only answer; `belay resume` goes on later")
    .addHelpText(
      "after",
      examples("belay deny call_01…", 'belay deny call_01… --reason "use the staging server"') + exitCodesHelp(),
    )
    .action((id: string, options: DenyOptions) =>
      context.does(() =>
        answerFor(id, { answer: "no", reason: options.reason ?? null }, { ...options, yes: true }, context),
      ),
    );
}

async function answerFor(
  id: string,
  said: { readonly answer: "once" | "session" | "always" | "no"; readonly reason: string | null },
  options: AnswerOptions,
  { face, debug }: CommandContext,
): Promise<number> {
  const { answerCall } = await import("./approvals-answer.ts");
  return answerCall({ id, ...said, options, face, debug: debug() });
}
