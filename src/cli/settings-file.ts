/**
 * belay's own settings files: plain JSON, never executed. The machine's, which restricts, the user's, which has defaults, and a
 * project's, which may speak about permissions alone.
 *
 * F1: what is not understood is an error that names the file, the place and what may stand there: a limit with a typing error in
 *     its name would be no limit.
 * F2: a file that is there and cannot be read is an error, never an absent file.
 */
import { join } from "node:path";
import * as z from "zod";
import { readPlainFile } from "../extension/plain-file.ts";
import { HarnessError } from "../kernel/harness-error.ts";
import { FALLBACK_REASONS } from "../kernel/model-policy.ts";
import { modelChoice } from "../model/provider-table.ts";
import { NAME_PATTERN, NAME_WRONG, readAmount, readMoney, readPatience } from "./amount.ts";
import { phaseDefinition, WORK_SECTIONS } from "./work-sections.ts";
import { PERMISSION_SECTIONS, type PermissionSections, projectSchema, text } from "./permission-sections.ts";

/** Only root can write there. */
export const MANAGED_FILE = "/etc/belay/settings.json";
/** Below belay's home. */
const USER_FILE = "settings.json";
export const FILE_BYTES_MAX = 256 * 1024;
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
  ...WORK_SECTIONS,
  ...PERMISSION_SECTIONS,
};

const userSchema = z.strictObject(SECTIONS).partial();
/** Only the machine may say that nobody else's rules count. */
const managedSchema = z.strictObject({ ...SECTIONS, allowManagedPermissionRulesOnly: z.boolean() }).partial();

export type SettingsFile = z.infer<typeof managedSchema>;

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
  const files = {
    managed: readFile(managed, parseManagedSettings),
    user: readFile(userSettingsPath(home), parseUserSettings),
  };
  const aliases = { ...files.managed.settings.aliases, ...files.user.settings.aliases };
  for (const file of [files.managed, files.user]) requireModels(file, aliases);
  return files;
}

export function userSettingsPath(home: string): string {
  return join(home, USER_FILE);
}

/** F2. */
function readFile(path: string, parse: (path: string, said: string) => SettingsFile): FoundFile {
  const found = readPlainFile(path, FILE_BYTES_MAX);
  if (found.found === "nothing") return { path, settings: {} };
  if (found.found === "refused") throw invalidSettings(path, [found.why]);
  return { path, settings: parse(path, found.text) };
}

/** @throws HarnessError `config_invalid` */
export function parseManagedSettings(path: string, said: string): SettingsFile {
  return parsedBy(managedSchema, path, said);
}

/** @throws HarnessError `config_invalid` */
export function parseUserSettings(path: string, said: string): SettingsFile {
  return parsedBy(userSchema, path, said);
}

/** belay's file of a project. @throws HarnessError `config_invalid` */
export function parseProjectSettings(path: string, said: string): PermissionSections {
  return parsedBy(projectSchema, path, said);
}

type Schema<T> = z.ZodType<T> & { readonly shape: object };

function parsedBy<T>(schema: Schema<T>, path: string, said: string): T {
  const parsed = schema.safeParse(parsedJson(path, said));
  if (parsed.success) return parsed.data;
  const known = Object.keys(schema.shape);
  throw invalidSettings(
    path,
    parsed.error.issues.flatMap((issue) => issueTexts(issue, said, known)),
  );
}

/** @throws HarnessError `config_invalid`, which repeats nothing of the text: a link may have led to a secret. */
export function parsedJson(path: string, said: string): unknown {
  try {
    return JSON.parse(said);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    const [, line, column] = /line (\d+) column (\d+)/.exec(error.message) ?? [];
    throw invalidSettings(path, [`it is no JSON${line === undefined ? "" : `: line ${line}, column ${column}`}`]);
  }
}

export function invalidSettings(path: string, problems: readonly string[]): HarnessError {
  const more = problems.length - PROBLEMS_MAX;
  const named = problems.slice(0, PROBLEMS_MAX).join("; ");
  return new HarnessError(
    "config_invalid",
    `The settings in ${path} cannot be used: ${named.replace(/\.$/, "")}${more > 0 ? `; and ${more} more` : ""}.`,
    "Correct the file: docs/settings.md says what may stand there.",
  );
}

/** `line 3, budget.session: It must be …` */
function issueTexts(issue: z.core.$ZodIssue, said: string, known: readonly string[]): readonly string[] {
  if (issue.code === "unrecognized_keys") {
    const allowed = keysAt(issue.path, known);
    return issue.keys.map(
      (key) => `${placeOf([...issue.path, key], said)} is not known; known are ${allowed.join(", ")}`,
    );
  }
  if (issue.code === "invalid_union") {
    // Of the shapes that a value may have, the one that it fits except for something inside it.
    const inner = issue.errors.flat().filter((one) => one.path.length > 0 || one.code === "unrecognized_keys");
    if (inner.length > 0)
      return inner.flatMap((one) => issueTexts({ ...one, path: [...issue.path, ...one.path] }, said, known));
  }
  const place = issue.path.length === 0 ? "the whole" : placeOf(issue.path, said);
  if (issue.code === "invalid_key") return [`${place}: ${issue.issues[0]?.message ?? issue.message}`];
  return [`${place}: ${issue.message.replace(/\.$/, "").replace(/^Invalid input: /, "")}`];
}

/** What a section knows; the only objects below a section that are strict are prices and grants. */
function keysAt([section, ...deeper]: readonly PropertyKey[], known: readonly string[]): readonly string[] {
  if (section === undefined) return known;
  if (section === "prices" && deeper.length > 0) return Object.keys(SECTIONS.prices.valueType.shape);
  if (section === "grants") return Object.keys(SECTIONS.grants.element.in.shape);
  if (section === "phases") return Object.keys(phaseDefinition.shape);
  const strict = [
    ...(["model", "models", "budget", "context", "agents", "memory"] as const),
    ...(["permissions", "sandbox", "flow"] as const),
  ] as const;
  const found = strict.find((name) => name === section);
  return found === undefined ? [] : Object.keys(SECTIONS[found].shape);
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
  throw invalidSettings(
    path,
    wrong.map(([place, one]) => `${place} is "${one}", which is neither provider/model nor one of the aliases`),
  );
}
