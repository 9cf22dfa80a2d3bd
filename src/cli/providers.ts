/** Which provider and model a run speaks to, and whether that is possible here. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { systemClock } from "../host/system-clock.ts";
import { HarnessError } from "../kernel/harness-error.ts";
import { LOCAL_TENANT } from "../kernel/ids.ts";
import { findPackage, packageMissing, type PackagePlaces } from "../model/ai-sdk/packages.ts";
import { type AllowedModels, forbiddenBy, requireAllowed } from "../model/allowed-models.ts";
import type { Models } from "../model/model.ts";
import {
  isProviderId,
  missingVariables,
  modelChoice,
  type ModelChoice,
  PROVIDER_IDS,
  type ProviderId,
  type ProviderRow,
  PROVIDERS,
  type ProviderVariables,
} from "../model/provider-table.ts";
import { createModels, noSuchProvider, requireAddresses, requireVariables } from "../model/providers.ts";
import type { Store } from "../store/port.ts";
import type { Face } from "./face.ts";
import { namedModel } from "./model-settings.ts";
import type { Settings } from "./resolved-settings.ts";

/** Below belay's home: packages of providers, put there by `npm install --prefix`. */
const PACKAGES_DIRECTORY = "providers";

/**
 * The settings' own; else the first provider of the table that has a model of its own which is allowed, and whose key is here;
 * without any, the table's first.
 */
export function defaultModel(variables: ProviderVariables, settings: Settings): ModelChoice {
  const { primary } = settings.model;
  const named = primary === undefined ? null : namedModel(primary, settings);
  if (named !== null) return named;
  const choices = PROVIDER_IDS.flatMap((provider) => {
    const { model }: ProviderRow = PROVIDERS[provider];
    return model === null || forbiddenBy(settings.allowed, { provider, model }) !== null ? [] : [{ provider, model }];
  });
  const here = choices.find(({ provider }) => missingVariables(provider, variables).length === 0);
  return here ?? choices[0] ?? { provider: "anthropic", model: PROVIDERS.anthropic.model };
}

/** @throws HarnessError `config_invalid` where the name leads to no provider, `model_not_allowed` */
export function chosenModel(name: string | undefined, variables: ProviderVariables, settings: Settings): ModelChoice {
  const choice = name === undefined ? defaultModel(variables, settings) : namedModel(name, settings);
  if (choice !== null) {
    requireAllowed(settings.allowed, choice);
    return choice;
  }
  throw new HarnessError(
    "config_invalid",
    `The model "${name ?? ""}" names no provider.`,
    nearMiss(name ?? "") ?? `Say provider/model. ${needsText()}`,
  );
}

/** What was probably meant; null where nothing is near. */
function nearMiss(said: string): string | null {
  const name = said.trim().toLowerCase();
  const slash = name.indexOf("/");
  const head = slash === -1 ? name : name.slice(0, slash);
  const rest = slash === -1 ? "" : said.trim().slice(slash + 1);
  const id = PROVIDER_IDS.find((one) => one === head) ?? PROVIDER_IDS.find((one) => isOneSlipFrom(head, one));
  if (id !== undefined) {
    const { model }: ProviderRow = PROVIDERS[id];
    if (rest !== "") return `Did you mean ${id}/${rest}?`;
    return `Name a model of ${id} too: ${id}/${model ?? "MODEL"}.`;
  }
  return modelChoice(name) === null ? null : `Did you mean ${name}?`;
}

/** One letter is wrong, missing, too much, or two beside each other are swapped. */
function isOneSlipFrom(text: string, word: string): boolean {
  let same = 0;
  while (same < word.length && text[same] === word[same]) same += 1;
  const [a, b] = [text.slice(same), word.slice(same)];
  const swapped = a.length > 1 && `${a[1] ?? ""}${a[0] ?? ""}${a.slice(2)}` === b;
  return swapped || a.slice(1) === b.slice(1) || a.slice(1) === b || a === b.slice(1);
}

/** As it can be said again: the provider only where the model's name does not mean it. */
export function modelText({ provider, model }: ModelChoice): string {
  return modelChoice(model)?.provider === provider ? model : `${provider}/${model}`;
}

function needsText(): string {
  return `The providers and what each needs: ${PROVIDER_IDS.map((id) => `${id} (${needText(id)})`).join(", ")}.`;
}

/** `AZURE_API_KEY and AZURE_RESOURCE_NAME or AZURE_BASE_URL` */
export function needText(id: ProviderId): string {
  const { needs }: ProviderRow = PROVIDERS[id];
  return needs.length === 0 ? "nothing" : needs.map((group) => group.join(" or ")).join(" and ");
}

/** Before anything is started: a session that cannot say a word is of no use to anybody. @throws HarnessError */
export function requireProvider(provider: string, face: Face): void {
  const { providers } = face.environment;
  if (!isProviderId(provider)) throw noSuchProvider(provider);
  const any = PROVIDER_IDS.some(
    (id) => (PROVIDERS[id] as ProviderRow).needs.length > 0 && missingVariables(id, providers).length === 0,
  ); // wider, so that empty ones are seen
  if (provider === "anthropic" && missingVariables(provider, providers).length > 0 && !any) {
    throw new HarnessError(
      "auth",
      "There is no key for the model.",
      "Set ANTHROPIC_API_KEY, OPENAI_API_KEY, GEMINI_API_KEY or that of another provider (`belay models` lists them) in the environment; it is read from nowhere else. `npm run demo` needs none.",
    );
  }
  requireVariables(provider, providers);
  const { name, shipped, fallback }: ProviderRow["package"] = PROVIDERS[provider].package;
  const packages = packagePlaces(face);
  if (!shipped && fallback === "none" && findPackage(name, packages) === null)
    throw packageMissing(provider, name, packages);
}

export function commandModels(face: Face, store: Store, allowed: readonly AllowedModels[]): Models {
  return createModels({
    allowed,
    variables: face.environment.providers,
    packages: packagePlaces(face),
    clock: systemClock,
    loadBlob: (hash) => store.getBlob(LOCAL_TENANT, hash),
  });
}

export function packagePlaces({ environment, cwd }: Face): PackagePlaces {
  return {
    own: join(environment.home, PACKAGES_DIRECTORY),
    belay: fileURLToPath(import.meta.url),
    never: [cwd],
  };
}

export interface ProviderStatus {
  readonly provider: ProviderId;
  readonly title: string;
  readonly usable: boolean;
  /** Groups of variables of which one is to be set. */
  readonly missing: readonly (readonly string[])[];
  /** An address that is set and is none; null where all are right. */
  readonly wrong: string | null;
  /** `optional`: without it the provider is spoken to as `openai-compatible`. */
  readonly package: { readonly name: string; readonly installed: boolean; readonly optional: boolean };
  /** Taken when only the provider is the default. */
  readonly model: string | null;
}

export function providerStatus(id: ProviderId, face: Face): ProviderStatus {
  const row: ProviderRow = PROVIDERS[id];
  const missing = missingVariables(id, face.environment.providers);
  const wrong = wrongAddress(id, face);
  const optional = row.package.fallback !== "none";
  const installed = row.package.shipped || findPackage(row.package.name, packagePlaces(face)) !== null;
  return {
    provider: id,
    title: row.title,
    usable: missing.length === 0 && wrong === null && (installed || optional),
    missing,
    wrong,
    package: { name: row.package.name, installed, optional },
    model: row.model,
  };
}

function wrongAddress(id: ProviderId, { environment }: Face): string | null {
  try {
    requireAddresses(id, environment.providers);
    return null;
  } catch (error) {
    if (error instanceof HarnessError) return error.happened;
    throw error;
  }
}
