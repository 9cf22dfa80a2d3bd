/**
 * What both settings files come to: the user's defaults over the machine's, and what the machine restricts.
 *
 * R1: the command line goes before the user's file, and that before the machine's, but for what restricts.
 * R2: the machine's list of models, its caps and its prices hold whatever else is said.
 */
import type { Cap } from "../kernel/budget.ts";
import { NO_CAP } from "../kernel/budget.ts";
import type { AllowedModels } from "../model/allowed-models.ts";
import type { ModelPrice } from "../model/prices.ts";
import { modelChoice } from "../model/provider-table.ts";
import {
  type FoundFile,
  readSettingsFiles,
  type SettingsFile,
  type SettingsFiles,
  userSettingsPath,
} from "./settings-file.ts";
import { mergedWork, type WorkSettings } from "./work-sections.ts";

export interface Settings {
  readonly model: NonNullable<SettingsFile["model"]>;
  /** A name, and the model it stands for. */
  readonly aliases: Readonly<Record<string, string>>;
  /** R2: each list has to have a model. */
  readonly allowed: readonly AllowedModels[];
  readonly budget: Pick<NonNullable<SettingsFile["budget"]>, "alert_at" | "turn_alert">;
  /** The user's. */
  readonly caps: readonly Cap[];
  /** R2: the machine's, and the file they stand in. */
  readonly ceiling: { readonly caps: readonly Cap[]; readonly from: string };
  /** By `provider/model`. */
  readonly prices: Readonly<Record<string, ModelPrice>>;
  /** How sessions work, as far as it was said. */
  readonly work: WorkSettings;
  /** Where a person may write settings. */
  readonly user_path: string;
}

/** @param managed for tests: see `readSettingsFiles` @throws HarnessError `config_invalid` */
export function readSettings(home: string, managed?: string): Settings {
  return settingsOf(readSettingsFiles(home, managed));
}

/** As where there is no file. */
export function noSettings(home: string): Settings {
  const path = userSettingsPath(home);
  return settingsOf({ managed: { path: "", settings: {} }, user: { path, settings: {} } });
}

function settingsOf({ managed, user }: SettingsFiles): Settings {
  const [theirs, own] = [managed.settings, user.settings];
  return {
    model: mergedModel(theirs.model, own.model),
    aliases: { ...theirs.aliases, ...own.aliases },
    allowed: [managed, user].flatMap(allowedBy),
    budget: { ...alerts(theirs.budget), ...alerts(own.budget) },
    caps: capsOf(own.budget),
    ceiling: { caps: capsOf(theirs.budget), from: managed.path },
    prices: { ...pricesOf(own), ...pricesOf(theirs) },
    work: mergedWork(theirs, own),
    user_path: user.path,
  };
}

function mergedModel(theirs: SettingsFile["model"] = {}, own: SettingsFile["model"] = {}): Settings["model"] {
  const { phases, skills, sub_agents } = own;
  return {
    ...theirs,
    ...own,
    phases: { ...theirs.phases, ...phases },
    skills: { ...theirs.skills, ...skills },
    sub_agents: { ...theirs.sub_agents, ...sub_agents },
  };
}

function allowedBy({ path, settings }: FoundFile): readonly AllowedModels[] {
  const patterns = settings.models?.allowed;
  return patterns === undefined ? [] : [{ patterns, from: path }];
}

function alerts({ alert_at, turn_alert }: SettingsFile["budget"] = {}): Settings["budget"] {
  return { ...(alert_at === undefined ? {} : { alert_at }), ...(turn_alert === undefined ? {} : { turn_alert }) };
}

/** Said aloud, so a call without a price is refused under them. */
function capsOf({ session, phases = {}, groups = {} }: SettingsFile["budget"] = {}): readonly Cap[] {
  return [
    ...(session === undefined ? [] : [{ ...NO_CAP, scope: "session", cost: session, strict: true }]),
    ...Object.entries(phases).map(([name, amount]) => ({
      ...NO_CAP,
      ...amount,
      scope: `phase:${name}`,
      strict: amount.cost !== null,
    })),
    ...Object.entries(groups).map(([name, cost]) => ({ ...NO_CAP, scope: `group:${name}`, cost, strict: true })),
  ];
}

function pricesOf({ prices = {} }: SettingsFile): Settings["prices"] {
  const named = Object.entries(prices).map(([said, price]) => {
    const choice = modelChoice(said);
    return [choice === null ? said : `${choice.provider}/${choice.model}`, price] as const;
  });
  // What is absent has no key: JSON knows no undefined.
  return Object.fromEntries(named) as Settings["prices"];
}
