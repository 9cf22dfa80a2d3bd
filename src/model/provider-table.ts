/**
 * The providers that belay knows by name: what each reads from the environment, what it cannot do without, and how a model's
 * bare name leads to it. Data alone: how each is opened stands in `providers.ts`, so that a look at this loads nothing.
 */

export interface ProviderRow {
  /** For people. */
  readonly title: string;
  /** Variables: at least one of each group is needed. */
  readonly needs: readonly (readonly string[])[];
  /** Of those, such as say nothing without another one. Absent: none. */
  readonly halves?: { readonly [name: string]: string };
  /** Variables that are read where they are set. */
  readonly reads: readonly string[];
  /** Those of the variables that are addresses of a server. */
  readonly addresses: readonly string[];
  /** The package that speaks to it: part of belay where `shipped`; else, without it, `fallback` says what is done. */
  readonly package: {
    readonly name: string;
    readonly shipped: boolean;
    readonly fallback: "none" | "openai-compatible";
  };
  /** What a run without --model takes where this is the provider; null: a model has to be named. */
  readonly model: string | null;
  /** Names of models that mean this provider without saying so. */
  readonly names: RegExp | null;
}

const shipped = (name: string): ProviderRow["package"] => ({ name, shipped: true, fallback: "none" });
const installed = (name: string, fallback: ProviderRow["package"]["fallback"]): ProviderRow["package"] => ({
  name,
  shipped: false,
  fallback,
});

/** In the order in which a run without --model looks for a provider whose key is there. */
export const PROVIDERS = {
  anthropic: {
    title: "Anthropic",
    needs: [["ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"]],
    reads: ["ANTHROPIC_BASE_URL"],
    addresses: ["ANTHROPIC_BASE_URL"],
    package: shipped("@anthropic-ai/sdk"),
    model: "claude-sonnet-5",
    names: /^claude-/,
  },
  openai: {
    title: "OpenAI (Responses)",
    needs: [["OPENAI_API_KEY"]],
    reads: ["OPENAI_BASE_URL", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID"],
    addresses: ["OPENAI_BASE_URL"],
    package: shipped("openai"),
    model: "gpt-5.5",
    names: /^(gpt-|o\d|codex-)/,
  },
  google: {
    title: "Google Gemini",
    needs: [["GOOGLE_GENERATIVE_AI_API_KEY", "GEMINI_API_KEY"]],
    reads: ["GOOGLE_GENERATIVE_AI_BASE_URL"],
    addresses: ["GOOGLE_GENERATIVE_AI_BASE_URL"],
    package: shipped("@ai-sdk/google"),
    model: "gemini-3.5-flash",
    names: /^gemini-/,
  },
  openrouter: {
    title: "OpenRouter",
    needs: [["OPENROUTER_API_KEY"]],
    reads: ["OPENROUTER_BASE_URL"],
    addresses: ["OPENROUTER_BASE_URL"],
    package: installed("@openrouter/ai-sdk-provider", "openai-compatible"),
    model: null,
    names: null,
  },
  "openai-compatible": {
    title: "any server that speaks Chat Completions",
    needs: [["OPENAI_COMPATIBLE_BASE_URL"]],
    reads: ["OPENAI_COMPATIBLE_API_KEY"],
    addresses: ["OPENAI_COMPATIBLE_BASE_URL"],
    package: shipped("@ai-sdk/openai-compatible"),
    model: null,
    names: null,
  },
  ollama: {
    title: "Ollama, on this machine or another",
    needs: [],
    reads: ["OLLAMA_HOST", "OLLAMA_API_KEY"],
    addresses: [],
    package: installed("ollama-ai-provider-v2", "openai-compatible"),
    model: null,
    names: null,
  },
  azure: {
    title: "Azure OpenAI",
    needs: [["AZURE_API_KEY"], ["AZURE_RESOURCE_NAME", "AZURE_BASE_URL"]],
    reads: ["AZURE_API_VERSION"],
    addresses: ["AZURE_BASE_URL"],
    package: installed("@ai-sdk/azure", "none"),
    model: null,
    names: null,
  },
  bedrock: {
    title: "Amazon Bedrock",
    needs: [
      ["AWS_REGION", "AWS_DEFAULT_REGION"],
      ["AWS_BEARER_TOKEN_BEDROCK", "AWS_ACCESS_KEY_ID"],
    ],
    halves: { AWS_ACCESS_KEY_ID: "AWS_SECRET_ACCESS_KEY" },
    reads: ["AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_BEDROCK_BASE_URL"],
    addresses: ["AWS_BEDROCK_BASE_URL"],
    package: installed("@ai-sdk/amazon-bedrock", "none"),
    model: null,
    names: null,
  },
  vertex: {
    title: "Google Vertex AI",
    needs: [["GOOGLE_VERTEX_API_KEY", "GOOGLE_VERTEX_PROJECT"]],
    halves: { GOOGLE_VERTEX_PROJECT: "GOOGLE_VERTEX_LOCATION" },
    reads: ["GOOGLE_VERTEX_LOCATION", "GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_VERTEX_BASE_URL"],
    addresses: ["GOOGLE_VERTEX_BASE_URL"],
    package: installed("@ai-sdk/google-vertex", "none"),
    model: null,
    names: null,
  },
} as const satisfies { readonly [id: string]: ProviderRow };

export type ProviderId = keyof typeof PROVIDERS;

// The object literal above has these keys and no other.
export const PROVIDER_IDS: readonly ProviderId[] = Object.keys(PROVIDERS) as ProviderId[];

/** By name; what is not set or empty is not in it. */
export type ProviderVariables = { readonly [name: string]: string };

export function isProviderId(name: string): name is ProviderId {
  return Object.hasOwn(PROVIDERS, name);
}

/** Every variable that some provider reads. */
export function providerVariables(): readonly string[] {
  return PROVIDER_IDS.flatMap((id) => variablesOf(id));
}

export function variablesOf(id: ProviderId): readonly string[] {
  const row: ProviderRow = PROVIDERS[id];
  return [...row.needs.flat(), ...row.reads];
}

/** The groups of variables of which none is set; of a half that stands alone, the other one. */
export function missingVariables(id: ProviderId, variables: ProviderVariables): readonly (readonly string[])[] {
  const { needs, halves = {} }: ProviderRow = PROVIDERS[id];
  const isSet = (name: string): boolean => Object.hasOwn(variables, name);
  return needs.flatMap((group) => {
    const there = group.filter(isSet);
    if (there.length === 0) return [group];
    const lacking = there.map((name) => halves[name]).filter((other) => other === undefined || !isSet(other));
    const others = lacking.filter((other) => other !== undefined);
    return lacking.length === there.length && others.length === lacking.length ? [others] : [];
  });
}

export interface ModelChoice {
  readonly provider: ProviderId;
  readonly model: string;
}

/**
 * `provider/model`, where the model's own name may hold slashes, or a bare name that means a provider.
 * @returns null where the name leads to no provider
 */
export function modelChoice(said: string): ModelChoice | null {
  const name = said.trim();
  const slash = name.indexOf("/");
  const [provider, model] = [name.slice(0, slash), name.slice(slash + 1)];
  if (slash > 0) return isProviderId(provider) && model !== "" ? { provider, model } : null;
  const id = PROVIDER_IDS.find((one) => (PROVIDERS[one] as ProviderRow).names?.test(name)); // wider, so that null is seen
  return id === undefined ? null : { provider: id, model: name };
}
