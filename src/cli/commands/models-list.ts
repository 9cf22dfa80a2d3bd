/** What `belay models` prints. */
import type { ChosenModel, ModelPolicy } from "../../kernel/model-policy.ts";
import { dollarsOf, nanoDollars } from "../../kernel/money.ts";
import { HarnessError } from "../../kernel/harness-error.ts";
import { LOCAL_TENANT } from "../../kernel/ids.ts";
import { NO_USAGE, type Usage } from "../../kernel/usage.ts";
import { type ModelHealth, readModelHealth } from "../../model/admission/health.ts";
import { forbiddenBy } from "../../model/allowed-models.ts";
import type { PriceTable } from "../../model/model.ts";
import { createPriceTable } from "../../model/prices.ts";
import { PROVIDER_IDS } from "../../model/provider-table.ts";
import type { Face } from "../face.ts";
import { configuredModels, namedModel } from "../model-settings.ts";
import { defaultModel, modelText, type ProviderStatus, providerStatus } from "../providers.ts";
import { readSettings, type Settings } from "../resolved-settings.ts";
import { withStore } from "../session-choice.ts";
import { formatCount, formatDuration } from "../view/format.ts";
import { safeLine } from "../view/safe-text.ts";
import { fittingTableLines, tableLines } from "../view/table.ts";

export interface ModelsOptions {
  readonly json?: true;
}

/** Where there is no terminal nothing is cut. */
const PIPE_COLUMNS = 400;
/** A price is asked for so many tokens, so that no tier for long prompts is met. */
const PROBE_TOKENS = 1_000;
const MILLION = 1_000_000;
/** Of the table of models: columns that a narrow terminal does without, in this order. */
const EXPENDABLE = [5, 4];

interface ModelRow {
  readonly provider: string;
  readonly model: string;
  /** `default`, `fallback 1`, `phase plan`, `alias fast` and the like. */
  readonly used_as: readonly string[];
  readonly allowed: boolean;
  /** Dollars per million tokens; null: unknown. */
  readonly price: {
    readonly input: number;
    readonly output: number;
    readonly cache_read: number;
    readonly cache_write_5m: number;
  } | null;
  /** Tokens; null: not known. */
  readonly context_window: number | null;
  /** One for each account that called it. */
  readonly health: readonly ModelHealth[];
}

export async function printModels(options: ModelsOptions, face: Face): Promise<number> {
  const { out, environment } = face;
  const settings = readSettings(environment.home);
  const choice = defaultModel(environment.providers, settings);
  const providers = PROVIDER_IDS.map((id) => providerStatus(id, face));
  const { healths, trouble } = await healthsOf(face);
  const models = await modelRows(choice, settings, healths);
  if (options.json === true) {
    const { aliases, allowed } = settings;
    out.json(JSON.stringify({ default: choice, models, aliases, allowed, providers }));
    return 0;
  }
  const columns = out.isTerminal ? out.columns() : PIPE_COLUMNS;
  for (const line of [...modelLines(models, columns), "", ...providerLines(providers, columns), ""]) out.line(line);
  for (const { patterns, from } of settings.allowed)
    out.line(safeLine(`Allowed by ${from}: ${patterns.join(", ") || "none"}`));
  if (trouble !== null) out.line(safeLine(`How they did lately is not known here: ${trouble}`));
  out.line(`Without --model: ${modelText(choice)}`);
  return 0;
}

/** What is configured is worth showing also where no store can be opened. */
async function healthsOf(
  face: Face,
): Promise<{ readonly healths: readonly ModelHealth[]; readonly trouble: string | null }> {
  try {
    return { healths: await withStore(face, (store) => readModelHealth(store, LOCAL_TENANT)), trouble: null };
  } catch (error) {
    if (error instanceof HarnessError) return { healths: [], trouble: error.happened };
    throw error;
  }
}

interface Use extends ChosenModel {
  readonly as: string;
}

async function modelRows(
  choice: ChosenModel,
  settings: Settings,
  healths: readonly ModelHealth[],
): Promise<readonly ModelRow[]> {
  const prices = createPriceTable({ overrides: settings.prices });
  const uses = [{ ...choice, as: "default" }, ...policyUses(configuredModels(settings)), ...aliasUses(settings)];
  const seen = healths.map(({ provider, model }) => ({ provider, model, as: "used lately" }));
  const names = [...new Set([...uses, ...seen].map(nameOf))];
  return Promise.all(
    names.flatMap((name) => {
      const all = [...uses, ...seen].filter((use) => nameOf(use) === name);
      const [first] = all;
      const health = healths.filter((one) => nameOf(one) === name);
      const configured = all.filter(({ as }) => as !== "used lately");
      const used_as = (configured.length > 0 ? configured : all.slice(0, 1)).map(({ as }) => as);
      return first === undefined ? [] : [rowOf(first, { used_as, health, settings, prices })];
    }),
  );
}

function policyUses({ fallback, phases, skills, sub_agents }: ModelPolicy): readonly Use[] {
  const named = (kind: string, models: ModelPolicy["phases"]): readonly Use[] =>
    Object.entries(models).map(([name, model]) => ({ ...model, as: `${kind} ${name}` }));
  return [
    ...fallback.map((model, i) => ({ ...model, as: `fallback ${i + 1}` })),
    ...named("phase", phases),
    ...named("skill", skills),
    ...named("sub-agent", sub_agents),
  ];
}

function aliasUses(settings: Settings): readonly Use[] {
  return Object.keys(settings.aliases).flatMap((alias) => {
    const model = namedModel(alias, settings);
    return model === null ? [] : [{ ...model, as: `alias ${alias}` }];
  });
}

interface RowParts {
  readonly used_as: readonly string[];
  readonly health: readonly ModelHealth[];
  readonly settings: Settings;
  readonly prices: PriceTable;
}

async function rowOf({ provider, model }: ChosenModel, parts: RowParts): Promise<ModelRow> {
  const { used_as, health, settings, prices } = parts;
  return {
    provider,
    model,
    used_as,
    allowed: forbiddenBy(settings.allowed, { provider, model }) === null,
    price: await priceOf({ provider, model }, prices),
    context_window: await prices.contextWindow(provider, model),
    health,
  };
}

async function priceOf({ provider, model }: ChosenModel, prices: PriceTable): Promise<ModelRow["price"]> {
  const perMillion = async (usage: Partial<Usage>): Promise<number | null> => {
    const found = await prices.costOf(provider, model, { ...NO_USAGE, ...usage });
    return found && dollarsOf(nanoDollars(found.cost * (MILLION / PROBE_TOKENS)));
  };
  const input = await perMillion({ input_tokens: PROBE_TOKENS });
  const output = await perMillion({ output_tokens: PROBE_TOKENS });
  const cache_read = await perMillion({ cache_read_tokens: PROBE_TOKENS });
  const cache_write_5m = await perMillion({ cache_write_5m_tokens: PROBE_TOKENS });
  if (input === null || output === null || cache_read === null || cache_write_5m === null) return null;
  return { input, output, cache_read, cache_write_5m };
}

function nameOf({ provider, model }: ChosenModel): string {
  return `${provider}/${model}`;
}

function modelLines(rows: readonly ModelRow[], columns: number): readonly string[] {
  const prices = rows.map((row) => [
    safeLine(nameOf(row)),
    ...priceCells(row.price),
    row.context_window === null ? "-" : formatCount(row.context_window),
    safeLine(`${row.used_as.join(", ")}${row.allowed ? "" : " (not allowed)"}`),
  ]);
  const head = ["MODEL", "IN", "OUT", "READ", "WRITE", "CONTEXT", "USED AS"];
  const healths = rows.flatMap(({ health }) => health.map((one) => healthCells(one, health.length > 1)));
  if (healths.length === 0) return fittingTableLines(head, prices, columns, EXPENDABLE);
  const second = ["MODEL", "BREAKER", "LATENCY", "RATE USED", "LAST ERROR"];
  return [...fittingTableLines(head, prices, columns, EXPENDABLE), "", ...tableLines(second, healths, columns)];
}

function priceCells(price: ModelRow["price"]): readonly string[] {
  if (price === null) return ["?", "?", "?", "?"];
  return [price.input, price.output, price.cache_read, price.cache_write_5m].map(dollarText);
}

/** `$3.00`, `$0.075`: no digit is lost, and cents are always there. */
function dollarText(dollars: number): string {
  const places = `${dollars}`.split(".")[1]?.length ?? 0;
  return `$${dollars.toFixed(Math.max(2, places))}`;
}

function healthCells(health: ModelHealth, several: boolean): readonly string[] {
  const { breaker, last_latency_ms, last_error, rate, account } = health;
  const used = Math.max(0, ...rate.map((one) => one.used_share));
  return [
    safeLine(`${nameOf(health)}${several ? ` (${account})` : ""}`),
    breaker === "half_open" ? "half open" : breaker,
    last_latency_ms === null ? "-" : formatDuration(last_latency_ms),
    rate.length === 0 ? "-" : `${Math.round(used * 100)} %`,
    last_error === null ? "-" : safeLine(`${last_error.kind}: ${last_error.message}`),
  ];
}

function providerLines(rows: readonly ProviderStatus[], columns: number): readonly string[] {
  const cells = rows.map((row) => [row.provider, row.usable ? "yes" : "no", row.model ?? "-", noteOf(row)]);
  const lines = tableLines(["PROVIDER", "USABLE", "MODEL", "WHAT IT IS, AND WHAT IS MISSING"], cells, PIPE_COLUMNS);
  return lines.every((line) => line.length <= columns) ? lines : rows.flatMap(narrowLines);
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
