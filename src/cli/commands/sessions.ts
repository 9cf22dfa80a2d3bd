/** `belay sessions`: what is in the journal. */
import type { Command } from "commander";
import { type CommandContext, type DefineCommand, examples, ID_HELP } from "../command.ts";
import { wholeNumber } from "../settings.ts";
import { cancelSession } from "./cancel.ts";
import type { PruneOptions } from "./sessions-prune.ts";
import type { ExportOptions } from "./sessions-export.ts";
import type { ForkOptions } from "./sessions-fork.ts";
import type { ImportOptions } from "./sessions-import.ts";
import type { ListOptions } from "./sessions-list.ts";
import type { ShowOptions } from "./sessions-show.ts";

const LISTED_DEFAULT = 20;
const LISTED_MAX = 10_000;
const PRUNED_DAYS_DEFAULT = 30;
const DAYS_MAX = 36_500;

export const defineSessions: DefineCommand = (parent: Command, context: CommandContext) => {
  const sessions = parent
    .command("sessions")
    .description("list, show, fork, export, import, cancel, remove and clean up sessions");
  defineList(sessions, context);
  defineShow(sessions, context);
  defineFork(sessions, context);
  defineExport(sessions, context);
  defineImport(sessions, context);
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
With --output the whole session is written into one file: its journal, the texts it names, and its files with their
checkpoints. \`belay sessions import\` goes on with it elsewhere. Secrets stay here; whoever has the file can read the rest.

Without it a line is {"hash", "blob", "event"}. The hash is the SHA-256 of the event's canonical JSON (keys sorted, no white space), and
the next event names it as prev_hash. A large event has a blob: then the hash is that of the event without "data" and with
"blob", which is "sha256:" and the SHA-256 of the whole.
`;

function defineFork(sessions: Command, context: CommandContext): void {
  sessions
    .command("fork")
    .description("make another session from a session's first events, with the files it had there")
    .argument("[id]", ID_HELP)
    .option("--at <seq>", "up to this event; without it the last", wholeNumber(Number.MAX_SAFE_INTEGER))
    .option("--json", "as JSON")
    .addHelpText("after", examples("belay sessions fork", "belay sessions fork ses_01… --at 42") + FORK_HELP)
    .action((id: string | undefined, options: ForkOptions) =>
      context.does(async () => (await import("./sessions-fork.ts")).forkOne(id, options, context.face)),
    );
}

const FORK_HELP = `
The fork has a workspace and a journal of its own and inherits what was spent. Nothing of the session changes, and nothing that
runs there comes along. \`belay resume\` goes on with the fork.
`;

function defineExport(sessions: Command, context: CommandContext): void {
  sessions
    .command("export")
    .description("print a session's journal as JSON Lines, or write the session into a file that can be imported")
    .argument("[id]", ID_HELP)
    .option("-o, --output <file>", "the whole session into this file; - for standard output")
    .addHelpText(
      "after",
      examples(
        "belay sessions export > session.jsonl",
        "belay sessions export ses_01… -o session.belay",
        "belay sessions export ses_01… -o - | ssh laptop belay sessions import -",
      ) + EXPORT_HELP,
    )
    .action((id: string | undefined, options: ExportOptions) =>
      context.does(async () => (await import("./sessions-export.ts")).exportOne(id, options, context.face)),
    );
}

function defineImport(sessions: Command, context: CommandContext): void {
  sessions
    .command("import")
    .description("take a session in from a file, to go on with it here")
    .argument("<file>", "what `belay sessions export -o` wrote; - for standard input")
    .option("--cwd <dir>", "the repository to go on in; without it the current directory")
    .option("--as-new", "under a new id, as a fork")
    .option("--json", "as JSON")
    .addHelpText(
      "after",
      examples("belay sessions import session.belay", "belay sessions import session.belay --as-new"),
    )
    .action((file: string, options: ImportOptions) =>
      context.does(async () => (await import("./sessions-import.ts")).importOne(file, options, context.face)),
    );
}

function defineList(sessions: Command, context: CommandContext): void {
  sessions
    .command("list", { isDefault: true })
    .alias("ls")
    .description("list sessions, newest first")
    .option("--here", "only those of this directory")
    .option("-a, --all", "sub-agents, too")
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
    .option("--labels", "what came in from outside, and which acts it stood against")
    .option("--versions", "the hashes of prompts, tools, skills and rules that it ran with")
    .option("--review", "what a person looks at before it goes on: files, gate, cost, last steps, what is next")
    .option("--json", "the folded state as JSON")
    .addHelpText(
      "after",
      examples("belay sessions show", "belay sessions show ses_01… --full", "belay sessions show --labels --json"),
    )
    .action((id: string | undefined, options: ShowOptions) =>
      context.does(async () => (await import("./sessions-show.ts")).showSession(id, options, context.face)),
    );
}
