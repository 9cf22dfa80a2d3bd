/** `belay errors`: the handling table; `belay errors classify`: sorts a provider's answers into it. */
import type { Command } from "commander";
import { ERROR_TABLE, isRetryable, type ErrorKind, type ErrorRow } from "../../kernel/error-kind.ts";
import { EXIT_TABLE } from "../../kernel/outcome.ts";
import { type CommandContext, type DefineCommand, examples } from "../command.ts";
import type { Face } from "../face.ts";

interface ErrorsOptions {
  readonly json?: true;
}

export const defineErrors: DefineCommand = (parent: Command, context: CommandContext) => {
  const errors = parent.command("errors").description("print how every kind of error is handled");
  errors
    .option("--json", "as JSON")
    .addHelpText("after", examples("belay errors", "belay errors classify < answers.jsonl"))
    .action((options: ErrorsOptions) => context.does(() => printErrors(options, context.face)));
  errors
    .command("classify")
    .description("read provider answers as JSON Lines from stdin, and say of each what kind it is")
    .addHelpText(
      "after",
      examples(`echo '{"provider":"anthropic","http":529,"body":{"type":"error"}}' | belay errors classify`) +
        '\nA line is {"provider", "http", "headers"?, "body" | "event"}; its answer is {"kind", "handling", "retryable", "after_ms"?}.\n',
    )
    .action(() => context.does(async () => (await import("./errors-classify.ts")).classifyLines(context.face)));
};

async function printErrors(options: ErrorsOptions, { out }: Face): Promise<number> {
  // the table has a row for every kind and no other member
  const rows = Object.entries(ERROR_TABLE) as [ErrorKind, ErrorRow][];
  if (options.json === true) {
    out.line(
      JSON.stringify({
        errors: rows.map(([kind, row]) => ({ kind, retryable: isRetryable(kind), ...row })),
        exit_codes: EXIT_TABLE,
      }),
    );
    return 0;
  }
  const { tableLines } = await import("../view/table.ts");
  const { words } = await import("../view/notice.ts");
  const columns = out.isTerminal ? Math.max(out.columns(), 60) : 200;
  const errorRows = rows.map(([kind, row]) => [
    kind,
    words(row.handling),
    row.subsystem,
    `${row.meaning} ${row.remedy}`,
  ]);
  for (const line of tableLines(
    ["KIND", "HANDLING", "SUBSYSTEM", "WHAT IT MEANS, AND WHAT IS DONE"],
    errorRows,
    columns,
  ))
    out.line(line);
  out.line("");
  const exitRows = Object.entries(EXIT_TABLE).map(([name, row]) => [
    `${row.code}`,
    name,
    words(row.retry),
    row.meaning,
  ]);
  for (const line of tableLines(["EXIT", "NAME", "RETRY HELPS", "WHAT IT MEANS"], exitRows, columns)) out.line(line);
  return 0;
}
