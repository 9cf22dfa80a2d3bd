/** `belay sessions`: what is in the journal. */
import type { Command } from "commander";
import { type CommandContext, type DefineCommand, examples, ID_HELP } from "../command.ts";
import { wholeNumber } from "../settings.ts";
import { cancelSession } from "./cancel.ts";
import type { PruneOptions } from "./sessions-prune.ts";
import type { ListOptions } from "./sessions-list.ts";
import type { ShowOptions } from "./sessions-show.ts";

const LISTED_DEFAULT = 20;
const LISTED_MAX = 10_000;
const PRUNED_DAYS_DEFAULT = 30;
const DAYS_MAX = 36_500;

export const defineSessions: DefineCommand = (parent: Command, context: CommandContext) => {
  const sessions = parent.command("sessions").description("list, show, export, cancel, remove and clean up sessions");
  defineList(sessions, context);
  defineShow(sessions, context);
  sessions
    .command("export")
    .description("print a session's journal as JSON Lines, one event a line")
    .argument("[id]", ID_HELP)
    .addHelpText("after", examples("belay sessions export > session.jsonl") + EXPORT_HELP)
    .action((id: string | undefined) =>
      context.does(async () => (await import("./sessions-export.ts")).exportSession(id, context.face)),
    );
  sessions
    .command("cancel")
    .description("stop a run from another terminal (as `belay cancel`)")
    .argument("[id]", ID_HELP)
    .addHelpText("after", examples("belay sessions cancel ses_01…"))
    .action((id: string | undefined) => context.does(() => cancelSession(id, context)));
  sessions
    .command("rm")
    .description("remove sessions with their journals, workspaces and secrets; your repository is left alone")
    .argument("<id...>", "the sessions")
    .addHelpText("after", examples("belay sessions rm ses_01…"))
    .action((ids: string[]) =>
      context.does(async () => (await import("./sessions-rm.ts")).removeSessions(ids, context.face)),
    );
  definePrune(sessions, context);
};

const EXPORT_HELP = `
A line is {"hash", "blob", "event"}. The hash is the SHA-256 of the event's canonical JSON (keys sorted, no white space), and
the next event names it as prev_hash. A large event has a blob: then the hash is that of the event without "data" and with
"blob", which is "sha256:" and the SHA-256 of the whole.
`;

function defineList(sessions: Command, context: CommandContext): void {
  sessions
    .command("list", { isDefault: true })
    .alias("ls")
    .description("list sessions, newest first")
    .option("--here", "only those of this directory")
    .option("-n, --limit <n>", "at most so many", wholeNumber(LISTED_MAX), LISTED_DEFAULT)
    .option("--json", "as JSON")
    .addHelpText("after", examples("belay sessions list", "belay sessions list --here --json"))
    .action((options: ListOptions) =>
      context.does(async () => (await import("./sessions-list.ts")).listSessions(options, context.face)),
    );
}

function definePrune(sessions: Command, context: CommandContext): void {
  sessions
    .command("prune")
    .description("remove the workspaces of old sessions; journals stay, and so does work that was not brought back")
    .option("--older-than <days>", "without an event for so many days", wholeNumber(DAYS_MAX), PRUNED_DAYS_DEFAULT)
    .option("--force", "also where work was not brought back: it is lost")
    .option("--dry-run", "only say what would be removed")
    .option("--json", "as JSON")
    .addHelpText("after", examples("belay sessions prune --dry-run", "belay sessions prune --older-than 7"))
    .action((options: PruneOptions) =>
      context.does(async () => (await import("./sessions-prune.ts")).pruneSessions(options, context.face)),
    );
}

function defineShow(sessions: Command, context: CommandContext): void {
  sessions
    .command("show")
    .description("tell a session from its journal")
    .argument("[id]", ID_HELP)
    .option("--full", "whole results of tools")
    .option("--json", "the folded state as JSON")
    .addHelpText("after", examples("belay sessions show", "belay sessions show ses_01… --full"))
    .action((id: string | undefined, options: ShowOptions) =>
      context.does(async () => (await import("./sessions-show.ts")).showSession(id, options, context.face)),
    );
}
