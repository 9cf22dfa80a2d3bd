/**
 * From the name of a provider to its model: opened on its first use, with what the environment says. Nothing of a provider
 * that is not used is loaded.
 *
 * N1: keys and addresses come in as data; no file is read for them.
 * N2: a provider whose package belay does not ship is loaded from belay's own places alone (`ai-sdk/packages.ts`).
 * N3: a model that is not allowed is never sent to, whoever asked for it.
 */
import type { LanguageModelV4 } from "@ai-sdk/provider";
import { HarnessError } from "../kernel/harness-error.ts";
import { type AiSdkWire, createAiSdkModel, type LanguageModelFactory } from "./ai-sdk/adapter.ts";
import { loadPackage, packageMissing, type PackagePlaces } from "./ai-sdk/packages.ts";
import { type AllowedModels, forbiddenBy } from "./allowed-models.ts";
import { createAnthropicModel } from "./anthropic/adapter.ts";
import { type Fetch, urlPassword } from "./connection.ts";
import type { Timing } from "./exchange.ts";
import { asRecord, type JsonRecord } from "./json-view.ts";
import type { LoadBlob } from "./load-blob.ts";
import type { Model, Models } from "./model.ts";
import { modelFailure } from "./model-failure.ts";
import { createOpenAIModel } from "./openai/adapter.ts";
import {
  isProviderId,
  missingVariables,
  PROVIDER_IDS,
  type ProviderId,
  PROVIDERS,
  type ProviderVariables,
  variablesOf,
} from "./provider-table.ts";

export interface ModelsSettings extends Timing {
  /** As the table names them. */
  readonly variables: ProviderVariables;
  readonly packages: PackagePlaces;
  /** Absent: images are sent as a note that one is missing. */
  readonly loadBlob?: LoadBlob | undefined;
  /** Absent: the global one. */
  readonly fetch?: Fetch | undefined;
  /** Each list has to have a model, or nothing is sent to it. Absent: all are allowed. */
  readonly allowed?: readonly AllowedModels[] | undefined;
}

const OPENROUTER_URL = "https://openrouter.ai/api/v1";
const OLLAMA_URL = "http://127.0.0.1:11434";

export function createModels(settings: ModelsSettings): Models {
  const opened = new Map<ProviderId, Promise<Model>>();
  return {
    of: (name) => {
      if (!isProviderId(name)) return Promise.reject(noSuchProvider(name));
      const found = opened.get(name) ?? open(name, settings);
      opened.set(name, found);
      // What was missing may be there at the next try.
      found.catch(() => opened.delete(name));
      return found;
    },
  };
}

async function open(id: ProviderId, settings: ModelsSettings): Promise<Model> {
  requireVariables(id, settings.variables);
  return guarded(await OPEN[id](settings), settings.allowed ?? []);
}

/** N3. */
function guarded(model: Model, allowed: readonly AllowedModels[]): Model {
  if (allowed.length === 0) return model;
  return {
    provider: model.provider,
    account: model.account,
    call: (request, options) => {
      const list = forbiddenBy(allowed, { provider: model.provider, model: request.model });
      if (list === null) return model.call(request, options);
      const message = `${model.provider}/${request.model} is not allowed by ${list.from}: ${list.patterns.join(", ")}`;
      return Promise.resolve(modelFailure({ kind: "model_not_allowed", message, sent: false }, []));
    },
  };
}

export function noSuchProvider(name: string): HarnessError {
  return new HarnessError(
    "config_invalid",
    `There is no provider named "${name}".`,
    `The providers are ${PROVIDER_IDS.join(", ")}; \`belay models\` says what each needs.`,
  );
}

/** @throws HarnessError `auth`: what is not set; nothing is opened to find that out */
export function requireVariables(id: ProviderId, variables: ProviderVariables): void {
  const [missing] = missingVariables(id, variables);
  if (missing !== undefined) throw notSet(id, missing);
  requireAddresses(id, variables);
}

/** @throws HarnessError `config_invalid`: which address is none */
export function requireAddresses(id: ProviderId, variables: ProviderVariables): void {
  for (const name of PROVIDERS[id].addresses) requireAddress(name, variables[name]);
  if (id === "ollama") requireAddress("OLLAMA_HOST", ollamaAddress(variables["OLLAMA_HOST"]));
}

function notSet(id: ProviderId, names: readonly string[]): HarnessError {
  return new HarnessError(
    "auth",
    `The provider ${id} has no ${names.join(" and no ")}.`,
    `Set ${names.join(" or ")} in the environment; it is read from nowhere else.`,
  );
}

function requireAddress(name: string, value: string | undefined): void {
  if (value === undefined) return;
  const url = URL.parse(value);
  // Said without the value, which holds a password.
  if (url !== null && `${url.username}${url.password}` !== "") {
    throw new HarnessError(
      "config_invalid",
      `${name} holds a user name or a password, which no request may carry in its address.`,
      "Leave it out of the address; a key is set in the provider's own variable.",
    );
  }
  if (/^https?:$/.test(url?.protocol ?? "")) return;
  throw new HarnessError(
    "config_invalid",
    `${name} is "${value.replace(/\S*@/, "…@")}", which is no address of a server.`,
    "Set it to one that begins with https:// or http://, or unset it.",
  );
}

type Open = (settings: ModelsSettings) => Model | Promise<Model>;

const OPEN: { readonly [Id in ProviderId]: Open } = {
  anthropic: ({ variables: v, ...rest }) =>
    createAnthropicModel({
      ...shared(rest),
      apiKey: v["ANTHROPIC_API_KEY"],
      authToken: v["ANTHROPIC_AUTH_TOKEN"],
      baseUrl: v["ANTHROPIC_BASE_URL"],
    }),
  openai: ({ variables: v, ...rest }) =>
    createOpenAIModel({
      ...shared(rest),
      apiKey: v["OPENAI_API_KEY"],
      baseUrl: v["OPENAI_BASE_URL"],
      organization: v["OPENAI_ORG_ID"],
      project: v["OPENAI_PROJECT_ID"],
    }),
  google: (settings) => {
    const { variables: v } = settings;
    const open: LanguageModelFactory = async (id, fetch) => {
      const { createGoogle } = await import("@ai-sdk/google");
      const apiKey = v["GOOGLE_GENERATIVE_AI_API_KEY"] ?? v["GEMINI_API_KEY"] ?? "";
      const baseURL = v["GOOGLE_GENERATIVE_AI_BASE_URL"];
      return createGoogle({ apiKey, fetch, ...(baseURL === undefined ? {} : { baseURL }) })(id);
    };
    return overAiSdk("google", settings, open, "gemini");
  },
  "openai-compatible": (settings) => {
    const { variables: v } = settings;
    return overChat("openai-compatible", settings, {
      baseURL: v["OPENAI_COMPATIBLE_BASE_URL"] ?? "",
      apiKey: v["OPENAI_COMPATIBLE_API_KEY"],
    });
  },
  openrouter: async (settings) => {
    const { OPENROUTER_API_KEY: apiKey, OPENROUTER_BASE_URL: baseURL } = settings.variables;
    const made = await installed("openrouter", settings);
    if (made === null) return overChat("openrouter", settings, { baseURL: baseURL ?? OPENROUTER_URL, apiKey });
    return overAiSdk("openrouter", settings, (id, fetch) => made("createOpenRouter", { apiKey, baseURL, fetch }, id));
  },
  ollama: async (settings) => {
    const { OLLAMA_HOST: host, OLLAMA_API_KEY: apiKey } = settings.variables;
    const address = ollamaAddress(host);
    const made = await installed("ollama", settings);
    if (made === null) return overChat("ollama", settings, { baseURL: `${address}/v1`, apiKey });
    const headers = apiKey === undefined ? {} : { Authorization: `Bearer ${apiKey}` };
    return overAiSdk("ollama", settings, (id, fetch) =>
      made("createOllama", { baseURL: `${address}/api`, headers, fetch }, id),
    );
  },
  azure: async (settings) => {
    const { variables: v } = settings;
    const made = await needed("azure", settings);
    return overAiSdk("azure", settings, (id, fetch) =>
      made(
        "createAzure",
        {
          ...{ resourceName: v["AZURE_RESOURCE_NAME"], baseURL: v["AZURE_BASE_URL"] },
          ...{ apiKey: v["AZURE_API_KEY"], apiVersion: v["AZURE_API_VERSION"], fetch },
        },
        id,
      ),
    );
  },
  bedrock: async (settings) => {
    const { variables: v } = settings;
    const made = await needed("bedrock", settings);
    return overAiSdk("bedrock", settings, (id, fetch) =>
      made(
        "createAmazonBedrock",
        {
          ...{ region: v["AWS_REGION"] ?? v["AWS_DEFAULT_REGION"], apiKey: v["AWS_BEARER_TOKEN_BEDROCK"] },
          ...{ accessKeyId: v["AWS_ACCESS_KEY_ID"], secretAccessKey: v["AWS_SECRET_ACCESS_KEY"] },
          ...{ sessionToken: v["AWS_SESSION_TOKEN"], baseURL: v["AWS_BEDROCK_BASE_URL"], fetch },
        },
        id,
      ),
    );
  },
  vertex: async (settings) => {
    const { variables: v } = settings;
    const made = await needed("vertex", settings);
    const keyFilename = v["GOOGLE_APPLICATION_CREDENTIALS"];
    const open: LanguageModelFactory = (id, fetch) =>
      made(
        "createGoogleVertex",
        {
          ...{ apiKey: v["GOOGLE_VERTEX_API_KEY"], baseURL: v["GOOGLE_VERTEX_BASE_URL"], fetch },
          ...{ project: v["GOOGLE_VERTEX_PROJECT"], location: v["GOOGLE_VERTEX_LOCATION"] },
          ...(keyFilename === undefined ? {} : { googleAuthOptions: { keyFilename } }),
        },
        id,
      );
    return overAiSdk("vertex", settings, open, "gemini");
  },
};

type Shared = Pick<ModelsSettings, "clock" | "timeouts" | "loadBlob" | "fetch">;

function shared({ clock, timeouts, loadBlob, fetch }: Shared): Shared {
  return { clock, timeouts, loadBlob, fetch };
}

function overAiSdk(
  id: ProviderId,
  settings: ModelsSettings,
  model: LanguageModelFactory,
  wire?: AiSdkWire,
): Promise<Model> {
  const secrets = variablesOf(id).flatMap((name) => {
    const value = settings.variables[name];
    if (value === undefined) return [];
    return /KEY|TOKEN/.test(name) ? [value] : (urlPassword(value) ?? []);
  });
  return Promise.resolve(
    createAiSdkModel({ ...shared(settings), provider: id, model, secrets, wire, baseUrl: addressOf(id, settings) }),
  );
}

/** Ollama's is no address but a host: there is one account on each machine. */
function addressOf(id: ProviderId, { variables }: ModelsSettings): string | undefined {
  if (id === "ollama") return ollamaAddress(variables["OLLAMA_HOST"]);
  return PROVIDERS[id].addresses.map((name) => variables[name]).find((address) => address !== undefined);
}

function overChat(
  id: ProviderId,
  settings: ModelsSettings,
  { baseURL, apiKey }: { readonly baseURL: string; readonly apiKey: string | undefined },
): Promise<Model> {
  return overAiSdk(
    id,
    settings,
    async (model, fetch) => {
      const { createOpenAICompatible } = await import("@ai-sdk/openai-compatible");
      const key = apiKey === undefined ? {} : { apiKey };
      return createOpenAICompatible({ name: id, baseURL, fetch, includeUsage: true, ...key })(model);
    },
    "chat-completions",
  );
}

/** Makes a model with a function of a package: by its name, with its settings. */
type Made = (create: string, settings: JsonRecord, model: string) => LanguageModelV4;

/** @returns null where the package is not installed */
async function installed(id: ProviderId, { packages }: ModelsSettings): Promise<Made | null> {
  const { name } = PROVIDERS[id].package;
  const module = await loadPackage(name, packages);
  if (module === null) return null;
  return (create, settings, model) => {
    const open = module[create];
    if (typeof open !== "function") throw misfit(id, name, `has no ${create}`);
    const given = Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
    const provider: unknown = open(given);
    if (typeof provider !== "function") throw misfit(id, name, `makes no provider with ${create}`);
    const made: unknown = provider(model);
    if (asRecord(made) === null || !("doStream" in (made as object))) throw misfit(id, name, "makes no language model");
    return made as LanguageModelV4; // it streams; that it speaks this version is looked at before the first call
  };
}

async function needed(id: ProviderId, settings: ModelsSettings): Promise<Made> {
  const made = await installed(id, settings);
  if (made === null) throw packageMissing(id, PROVIDERS[id].package.name, settings.packages);
  return made;
}

function misfit(id: ProviderId, name: string, what: string): HarnessError {
  return new HarnessError(
    "config_invalid",
    `The package ${name} of the provider ${id} ${what}.`,
    "Install its newest version.",
  );
}

/** OLLAMA_HOST is what its server reads too: `0.0.0.0`, a host, a port or an address. */
export function ollamaAddress(host: string | undefined): string {
  const text = host?.trim() ?? "";
  if (text === "") return OLLAMA_URL;
  const url = URL.parse(
    /^https?:\/\//.test(text) ? text : `http://${text.startsWith(":") ? `127.0.0.1${text}` : text}`,
  );
  if (url === null) {
    throw new HarnessError("config_invalid", `OLLAMA_HOST is "${text}", which is no host.`, "Correct it, or unset it.");
  }
  if (url.hostname === "0.0.0.0") url.hostname = "127.0.0.1";
  // Without a port the server's own is meant; with https, the usual one.
  if (url.port === "" && url.protocol === "http:" && !/:80(\/|$)/.test(text)) url.port = "11434";
  return url.href.replace(/\/+$/, "");
}
