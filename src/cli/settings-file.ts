/**
 * The settings files: plain JSON, never executed. The machine's own, which restricts, and the user's, which has defaults. Nothing
 * is read from a repository.
 *
 * F1: what is not understood is an error that names the file, the place and what may stand there: a limit with a typing error in
 *     its name would be no limit.
 * F2: a file that is there and cannot be read is an error, never an absent file.
 */
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { HarnessError } from "../kernel/harness-error.ts";
import { FALLBACK_REASONS } from "../kernel/model-policy.ts";
import { modelChoice } from "../model/provider-table.ts";
import { NAME_PATTERN, NAME_WRONG, type Read, readAmount, readMoney, readPatience } from "./amount.ts";

/** Only root can write there. */
const MANAGED_FILE = "/etc/belay/settings.json";
/** Below belay's home. */
const USER_FILE = "settings.json";
const FILE_BYTES_MAX = 256 * 1024;
/** Models in one list. */
const MODELS_MAX = 20;
/** Dollars per million tokens: the dearest model costs a thousandth of it. */
const PRICE_MAX = 100_000;
/** Problems of one file that are named at once. */
const PROBLEMS_MAX = 5;

const name = z.string().regex(NAME_PATTERN, NAME_WRONG);
/** An alias of either file, or a model: looked at when both files are known. */
const modelName = z.string().trim().min(1, "It must not be empty.").max(200);
const byName = <T extends z.ZodType>(value: T): z.ZodRecord<typeof name, T> => z.record(name, value);

/** Text that one of the readers understands. */
function text<T>(read: (text: string) => Read<T>): z.ZodPipe<z.ZodString, z.ZodTransform<T, string>> {
  return z.string().transform((said, context) => {
    const found = read(said);
    if ("value" in found) return found.value;
    context.issues.push({ code: "custom", message: found.wrong, input: said });
    return z.NEVER;
  });
}

const knownModel = modelName.refine(
  (said) => modelChoice(said) !== null,
  "It must be provider/model, of a provider that belay has.",
);
const pattern = z.string().regex(/^\*$|^[^\s/]+\/\S+$/, "It must be provider/model, where * stands for any text.");
const price = z.number().nonnegative().max(PRICE_MAX);

const SECTIONS = {
  model: z.strictObject({
    primary: modelName.optional(),
    fallback: z.array(modelName).max(MODELS_MAX).optional(),
    fallback_on: z.array(z.enum(FALLBACK_REASONS)).optional(),
    patience: text(readPatience).optional(),
    phases: byName(modelName).optional(),
    skills: byName(modelName).optional(),
    sub_agents: byName(modelName).optional(),
  }),
  aliases: byName(knownModel),
  models: z.strictObject({ allowed: z.array(pattern).optional() }),
  budget: z.strictObject({
    session: text(readMoney).optional(),
    alert_at: z.number().positive().max(1).nullable().optional(),
    turn_alert: text(readMoney).nullable().optional(),
    phases: byName(text(readAmount)).optional(),
    groups: byName(text(readMoney)).optional(),
  }),
  prices: z.record(
    knownModel.refine((said) => said.includes("/"), "It must be provider/model."),
    z.strictObject({
      input: price,
      output: price,
      cache_read: price.optional(),
      cache_write_5m: price.optional(),
      cache_write_1h: price.optional(),
    }),
  ),
};

const fileSchema = z.strictObject(SECTIONS).partial();

export type SettingsFile = z.infer<typeof fileSchema>;

export interface FoundFile {
  readonly path: string;
  /** Empty where there is no file. */
  readonly settings: SettingsFile;
}

export interface SettingsFiles {
  readonly managed: FoundFile;
  readonly user: FoundFile;
}

/**
 * @param home belay's own directory
 * @param managed for tests, which are not root: nothing of the user's environment leads here
 * @throws HarnessError `config_invalid`
 */
export function readSettingsFiles(home: string, managed: string = MANAGED_FILE): SettingsFiles {
  const files = { managed: readFile(managed), user: readFile(userSettingsPath(home)) };
  const aliases = { ...files.managed.settings.aliases, ...files.user.settings.aliases };
  for (const file of [files.managed, files.user]) requireModels(file, aliases);
  return files;
}

export function userSettingsPath(home: string): string {
  return join(home, USER_FILE);
}

function readFile(path: string): FoundFile {
  const said = textOf(path);
  if (said === null) return { path, settings: {} };
  const parsed = fileSchema.safeParse(parsedJson(path, said));
  if (parsed.success) return { path, settings: parsed.data };
  const problems = parsed.error.issues.flatMap((issue) => issueTexts(issue, said));
  throw invalid(path, problems);
}

/** Null where there is no such file. F2. */
function textOf(path: string): string | null {
  try {
    const stat = statSync(path);
    if (!stat.isFile()) throw invalid(path, ["it is no file"]);
    if (stat.size > FILE_BYTES_MAX) throw invalid(path, [`it has more than ${FILE_BYTES_MAX} bytes`]);
    return readFileSync(path, "utf8").replace(/^\uFEFF/, "");
  } catch (error) {
    if (!(error instanceof Error) || !("code" in error)) throw error;
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return null;
    throw invalid(path, [`it cannot be read (${String(error.code)})`], error);
  }
}

function parsedJson(path: string, said: string): unknown {
  try {
    return JSON.parse(said);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw invalid(path, [`it is no JSON: ${error.message}`], error);
  }
}

function invalid(path: string, problems: readonly string[], cause?: unknown): HarnessError {
  const more = problems.length - PROBLEMS_MAX;
  const named = problems.slice(0, PROBLEMS_MAX).join("; ");
  return new HarnessError(
    "config_invalid",
    `The settings in ${path} cannot be used: ${named.replace(/\.$/, "")}${more > 0 ? `; and ${more} more` : ""}.`,
    "Correct the file: docs/models.md and docs/budgets.md say what may stand there.",
    ...(cause === undefined ? [] : [{ cause }]),
  );
}

/** `line 3, budget.session: It must be …` */
function issueTexts(issue: z.core.$ZodIssue, said: string): readonly string[] {
  if (issue.code === "unrecognized_keys") {
    const allowed = keysAt(issue.path);
    return issue.keys.map(
      (key) => `${placeOf([...issue.path, key], said)} is not known; known are ${allowed.join(", ")}`,
    );
  }
  const place = issue.path.length === 0 ? "the whole" : placeOf(issue.path, said);
  if (issue.code === "invalid_key") return [`${place}: ${issue.issues[0]?.message ?? issue.message}`];
  return [`${place}: ${issue.message.replace(/\.$/, "").replace(/^Invalid input: /, "")}`];
}

/** What a section knows; the only objects below a section that are strict are prices. */
function keysAt([section, ...deeper]: readonly PropertyKey[]): readonly string[] {
  if (section === undefined) return Object.keys(SECTIONS);
  if (section === "prices" && deeper.length > 0) return Object.keys(SECTIONS.prices.valueType.shape);
  return section === "model" || section === "models" || section === "budget"
    ? Object.keys(SECTIONS[section].shape)
    : [];
}

function placeOf(path: readonly PropertyKey[], said: string): string {
  const line = lineOf(path, said);
  const keys = path.map((key, i) => (typeof key === "number" ? `[${key}]` : `${i === 0 ? "" : "."}${String(key)}`));
  return `${line === null ? "" : `line ${line}, `}${keys.join("")}`;
}

/** Where a key stands: each key of the path is looked for behind the one before. Null where that finds nothing. */
function lineOf(path: readonly PropertyKey[], said: string): number | null {
  let at = 0;
  for (const key of path) {
    if (typeof key === "number") continue;
    const quoted = JSON.stringify(String(key)).replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
    const found = new RegExp(String.raw`${quoted}\s*:`).exec(said.slice(at));
    if (found === null) return null;
    at += found.index;
  }
  return said.slice(0, at).split("\n").length;
}

function requireModels({ path, settings: { model = {} } }: FoundFile, aliases: Readonly<Record<string, string>>): void {
  const { primary, fallback = [], phases = {}, skills = {}, sub_agents = {} } = model;
  const named: readonly (readonly [string, string])[] = [
    ...(primary === undefined ? [] : [["model.primary", primary] as const]),
    ...fallback.map((one, i) => [`model.fallback[${i}]`, one] as const),
    ...Object.entries({ phases, skills, sub_agents }).flatMap(([group, models]) =>
      Object.entries(models).map(([key, one]) => [`model.${group}.${key}`, one] as const),
    ),
  ];
  const wrong = named.filter(([, one]) => !Object.hasOwn(aliases, one) && modelChoice(one) === null);
  if (wrong.length === 0) return;
  throw invalid(
    path,
    wrong.map(([place, one]) => `${place} is "${one}", which is neither provider/model nor one of the aliases`),
  );
}
