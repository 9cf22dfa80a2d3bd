/** `belay memory`: what outlives sessions: looked at, changed, forgotten. */
import { type Command, Option } from "commander";
import { MEMORY_KINDS, MEMORY_SCOPES } from "../../kernel/memory.ts";
import { type CommandContext, type DefineCommand, examples } from "../command.ts";
import { wholeNumber } from "../settings.ts";
import type { EditOptions, ForgetOptions, ApproveOptions } from "./memory-change.ts";
import type { ListOptions, SearchOptions, ShowOptions } from "./memory-list.ts";
import type { ImportOptions, ViewOptions } from "./memory-transfer.ts";

const LISTED_DEFAULT = 50;
const LISTED_MAX = 20_000;

const HELP = `
A memory is a sentence that a later session is told: a fact (semantic), what works (procedural), what failed (anti_pattern). It
belongs to you (user), to you in this project, or to everybody who shares the store (team). docs/memory.md says more.
`;

export const defineMemory: DefineCommand = (parent: Command, context: CommandContext) => {
  const memory = parent
    .command("memory")
    .description("what sessions remember: list, search, edit, approve, forget, export and import")
    .addHelpText(
      "after",
      examples("belay memory", 'belay memory search "add a date picker"', "belay memory export > memories.jsonl") +
        HELP,
    );
  const { face } = context;
  viewed(
    memory.command("list", { isDefault: true }).description("list memories of this project and your own, newest first"),
  )
    .option("--state <state>", "active, proposed, superseded, pending or all", "standing")
    .option("--limit <n>", "how many", wholeNumber(LISTED_MAX), LISTED_DEFAULT)
    .option("--json", "as JSON")
    .addHelpText(
      "after",
      examples("belay memory", "belay memory list --kind anti_pattern", "belay memory list --state proposed"),
    )
    .action((options: ListOptions) =>
      context.does(async () => (await import("./memory-list.ts")).listMemories(options, face)),
    );
  memory
    .command("show")
    .description("print a memory whole, with where it was learned and what it took the place of")
    .argument("<id>", "the memory")
    .option("--json", "as JSON")
    .addHelpText("after", examples("belay memory show mem_01…"))
    .action((id: string, options: ShowOptions) =>
      context.does(async () => (await import("./memory-list.ts")).showMemory(id, options, face)),
    );
  viewed(memory.command("search").description("what a task would recall, with every factor of its score"))
    .argument("<words...>", "as you would say the task")
    .option("--limit <n>", "how many", wholeNumber(LISTED_MAX), 10)
    .option("--json", "as JSON")
    .addHelpText("after", examples('belay memory search "add a date picker"'))
    .action((words: string[], options: SearchOptions) =>
      context.does(async () => (await import("./memory-list.ts")).searchMemories(words, options, face)),
    );
  defineChanges(memory, context);
  defineTransfer(memory, context);
};

function defineChanges(memory: Command, context: CommandContext): void {
  const { face } = context;
  memory
    .command("edit")
    .description("change a memory; what a person writes is their own, and trusted")
    .argument("<id>", "the memory")
    .option("--text <text>", "what it says")
    .option("--resolves <text>", "the error that it is the answer to")
    .addOption(new Option("--kind <kind>", "what it is").choices(MEMORY_KINDS))
    .option("--confidence <share>", "from 0 to 1")
    .addHelpText("after", examples('belay memory edit mem_01… --text "The API is served under /v2"'))
    .action((id: string, options: EditOptions) =>
      context.does(async () => (await import("./memory-change.ts")).editMemory(id, options, face)),
    );
  memory
    .command("approve")
    .description("let proposed memories count: you have read them")
    .argument("<id...>", "the memories")
    .option("--json", "as JSON")
    .addHelpText("after", examples("belay memory list --state proposed", "belay memory approve mem_01…"))
    .action((ids: string[], options: ApproveOptions) =>
      context.does(async () => (await import("./memory-change.ts")).approveMemories(ids, options, face)),
    );
  viewed(memory.command("forget").description("forget for good: also sessions that had it see it no more"))
    .argument("[id...]", "the memories")
    .option("--query <words>", "those that hold all of these words")
    .option("-y, --yes", "without asking")
    .addHelpText("after", examples("belay memory forget mem_01…", 'belay memory forget --query "jquery" --yes'))
    .action((ids: string[], options: ForgetOptions) =>
      context.does(async () => (await import("./memory-change.ts")).forget(ids, options, face)),
    );
}

function defineTransfer(memory: Command, context: CommandContext): void {
  const { face } = context;
  viewed(memory.command("export").description("print memories as JSON Lines"))
    .addHelpText("after", examples("belay memory export > memories.jsonl", "belay memory export --scope user"))
    .action((options: ViewOptions) =>
      context.does(async () => (await import("./memory-transfer.ts")).exportMemories(options, face)),
    );
  memory
    .command("import")
    .description("read memories from JSON Lines; they are proposals until you approve them")
    .argument("<file>", "the file; - for standard input")
    .option("--trusted", "they count at once: you know who wrote them")
    .option("--json", "as JSON")
    .addHelpText("after", examples("belay memory import memories.jsonl", "belay memory import --trusted own.jsonl"))
    .action((file: string, options: ImportOptions) =>
      context.does(async () => (await import("./memory-transfer.ts")).importMemories(file, options, face)),
    );
}

function viewed(command: Command): Command {
  return command
    .addOption(new Option("--kind <kind>", "only these").choices(MEMORY_KINDS))
    .addOption(new Option("--scope <scope>", "only these").choices(MEMORY_SCOPES))
    .option("--all-projects", "of every project of this store");
}
