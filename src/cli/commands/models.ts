/** `belay models`: the providers, which of them can be used here, and what the others lack. */
import type { Command } from "commander";
import { type CommandContext, type DefineCommand, examples } from "../command.ts";
import type { Face } from "../face.ts";
import type { ProviderStatus } from "../providers.ts";

/** Where there is no terminal nothing is cut. */
const PIPE_COLUMNS = 400;

interface ModelsOptions {
  readonly json?: true;
}

export const defineModels: DefineCommand = (parent: Command, context: CommandContext) => {
  parent
    .command("models")
    .description("list the providers of models: which can be used here, and what the others lack")
    .option("--json", "as JSON")
    .addHelpText(
      "after",
      examples("belay models", 'belay run --model openai/gpt-5.5 "fix the failing test"') +
        "\nA model is named provider/model; claude-…, gpt-…, o3 and gemini-… name their providers themselves.\n",
    )
    .action((options: ModelsOptions) => context.does(() => printModels(options, context.face)));
};

async function printModels(options: ModelsOptions, face: Face): Promise<number> {
  const { defaultModel, modelText, providerStatus } = await import("../providers.ts");
  const { PROVIDER_IDS } = await import("../../model/provider-table.ts");
  const { out, environment } = face;
  const rows = PROVIDER_IDS.map((id) => providerStatus(id, face));
  const choice = defaultModel(environment.providers);
  if (options.json === true) {
    out.line(JSON.stringify({ default: choice, providers: rows }));
    return 0;
  }
  const { tableLines } = await import("../view/table.ts");
  const columns = out.isTerminal ? out.columns() : PIPE_COLUMNS;
  const cells = rows.map((row) => [row.provider, row.usable ? "yes" : "no", row.model ?? "-", noteOf(row)]);
  const lines = tableLines(["PROVIDER", "USABLE", "MODEL", "WHAT IT IS, AND WHAT IS MISSING"], cells, PIPE_COLUMNS);
  const fits = lines.every((line) => line.length <= columns);
  for (const line of fits ? lines : rows.flatMap(narrowLines)) out.line(line);
  out.line("");
  out.line(`Without --model: ${modelText(choice)}`);
  return 0;
}

/** What is missing is what the list is for: where a table would cut it off, each has a line of its own, which may wrap. */
function narrowLines(row: ProviderStatus): readonly string[] {
  const model = row.model === null ? "" : ` (${row.model})`;
  return [`${row.provider}${model}: ${row.usable ? "usable" : "not usable"}`, `  ${noteOf(row)}`];
}

function noteOf(row: ProviderStatus): string {
  const todo = [
    ...row.missing.map((group) => `set ${group.join(" or ")}`),
    ...(row.wrong === null ? [] : [row.wrong.replace(/\.$/, "")]),
    ...(row.package.installed || row.package.optional ? [] : [`install ${row.package.name}`]),
  ];
  return todo.length === 0 ? row.title : `${row.title}: ${todo.join(", ")}`;
}
