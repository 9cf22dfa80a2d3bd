/** `belay permissions`: what the rules of a session come to. */
import { type Command, InvalidArgumentError } from "commander";
import { type CommandContext, type DefineCommand, examples } from "../command.ts";
import type { AuditOptions } from "./permissions-audit.ts";
import type { DiffOptions } from "./permissions-diff.ts";
import type { ExplainOptions } from "./permissions-explain.ts";
import type { ListOptions } from "./permissions-list.ts";

/** Of journals that an audit looks back on. */
const DAYS_DEFAULT = 30;
const DAYS_MAX = 3_650;

export const definePermissions: DefineCommand = (parent: Command, context: CommandContext) => {
  const permissions = parent
    .command("permissions")
    .description("what the agent may do by the permission rules, and why");
  defineExplain(permissions, context);
  defineList(permissions, context);
  defineAudit(permissions, context);
  defineDiff(permissions, context);
};

const EXPLAIN_HELP = `
A rule is \`Tool\` or \`Tool(what)\`: Bash(npm run *), Read(./.env), Edit(src/**), WebFetch(domain:example.com), mcp__server__tool.
Nothing is run. With --jsonl each line of standard input is {"tool", "input" | "command", "allow"?, "ask"?, "deny"?, "mode"?, "cwd"?},
and its answer is one line {"decision", "rule"?, "reason", "parts"}; a line that cannot be read gets {"error"} and makes the
exit code 2. docs/permissions.md says more.
`;

function defineExplain(permissions: Command, context: CommandContext): void {
  permissions
    .command("explain")
    .description("say whether a command may run, which rule decides, and how the command was read")
    .argument("[command]", "a bash command; without --tool")
    .option("--tool <name>", "another tool than Bash, as rules name it")
    .option("--input <json>", "the tool's input")
    .option("--allow <rule>", "a rule; may be said again", collected)
    .option("--ask <rule>", "a rule; may be said again", collected)
    .option("--deny <rule>", "a rule; may be said again", collected)
    .option("--mode <mode>", "default, acceptEdits, plan, dontAsk or bypassPermissions")
    .option("--cwd <dir>", "where the command would run; without it the current directory")
    .option("--jsonl", "judge every line of standard input")
    .option("--json", "as JSON")
    .addHelpText(
      "after",
      examples(
        `belay permissions explain "git log | head" --allow "Bash(git log *)"`,
        `belay permissions explain --tool Read --input '{"file_path":".env"}' --deny "Read(./.env)"`,
        "belay permissions explain --jsonl < examples.jsonl",
      ) + EXPLAIN_HELP,
    )
    .action((command: string | undefined, options: ExplainOptions) =>
      context.does(async () => (await import("./permissions-explain.ts")).explain(command, options, context.face)),
    );
}

function defineList(permissions: Command, context: CommandContext): void {
  permissions
    .command("list")
    .description("show every rule of this directory: where it is written, and whether it counts")
    .option("--json", "as JSON")
    .addHelpText("after", examples("belay permissions list", "belay permissions list --json"))
    .action((options: ListOptions) =>
      context.does(async () => (await import("./permissions-list.ts")).list(options, context.face)),
    );
}

const AUDIT_HELP = `
Nothing is changed: each finding prints the edit that would settle it. The exit code is 1 where something was found, so that a
weekly job can fail; docs/permission-audit.md has one, and says what each kind of finding means.
`;

function defineAudit(permissions: Command, context: CommandContext): void {
  permissions
    .command("audit")
    .description("find rules that are too broad, shadowed, dangerous or never used, and what is denied again and again")
    .option("--days <n>", "look at the sessions of so many days", daysOf, DAYS_DEFAULT)
    .option("--all-projects", "look at the sessions of all projects, not of this one alone")
    .option("--since <when>", "also name what was let through more since then: 2026-11-01, 7d, or a commit")
    .option("--ignore <kind>", "a kind of finding to leave out, such as never_used; may be said again", collected)
    .option("--json", "as JSON")
    .addHelpText(
      "after",
      examples(
        "belay permissions audit",
        "belay permissions audit --since origin/main --json",
        "belay permissions audit --days 90 --all-projects --ignore never_used",
      ) + AUDIT_HELP,
    )
    .action((options: AuditOptions) =>
      context.does(async () => (await import("./permissions-audit.ts")).audit(options, context.face)),
    );
}

function daysOf(text: string): number {
  const days = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (days >= 1 && days <= DAYS_MAX) return days;
  throw new InvalidArgumentError(`It must be a number of days from 1 to ${DAYS_MAX}.`);
}

function defineDiff(permissions: Command, context: CommandContext): void {
  permissions
    .command("diff")
    .description("show what became of the rules since a day or a commit; without --since since the last session here")
    .option("--since <when>", "2026-11-01, 12h, 7d or 4w; or a commit: then the project's own files are compared")
    .option("--json", "as JSON")
    .addHelpText("after", examples("belay permissions diff --since 4w", "belay permissions diff --since origin/main"))
    .action((options: DiffOptions) =>
      context.does(async () => (await import("./permissions-diff.ts")).diff(options, context.face)),
    );
}

function collected(rule: string, before: readonly string[] = []): readonly string[] {
  return [...before, rule];
}
