/**
 * From the name of a provider to its batches: opened on the first use, with what the environment says, as `createModels` does for
 * live calls. Nothing of a provider that is not used is loaded.
 */
import { type AllowedModels, requireAllowed } from "../allowed-models.ts";
import type { Fetch } from "../connection.ts";
import type { LoadBlob } from "../load-blob.ts";
import type { ModelCallOptions } from "../model.ts";
import { isProviderId, type ProviderVariables } from "../provider-table.ts";
import { noSuchProvider, requireVariables } from "../providers.ts";
import type { BatchModel, BatchModels } from "./batch.ts";
import type { LostTiming } from "./lost.ts";

export interface BatchModelsSettings extends LostTiming {
  /** As the table of providers names them. */
  readonly variables: ProviderVariables;
  /** Lists of models, of which each must hold a model that is asked. Absent: every model may be. */
  readonly allowed?: readonly AllowedModels[] | undefined;
  /** Mints an id for each tool call of a result: ours, not the provider's. */
  readonly toolCallId: ModelCallOptions["toolCallId"];
  /** Absent: images are sent as a note that one is missing. */
  readonly loadBlob?: LoadBlob | undefined;
  /** Absent: the global one. */
  readonly fetch?: Fetch | undefined;
}

export function createBatchModels(settings: BatchModelsSettings): BatchModels {
  const opened = new Map<string, Promise<BatchModel>>();
  return {
    of: (name) => {
      if (!isProviderId(name)) return Promise.reject(noSuchProvider(name));
      if (!Object.hasOwn(OPEN, name)) return Promise.resolve(null);
      const id = name as keyof typeof OPEN; // it is one of its own keys
      const found = opened.get(id) ?? open(id, settings);
      opened.set(id, found);
      // What was missing may be there at the next try.
      found.catch(() => opened.delete(id));
      return found;
    },
  };
}

/** @throws HarnessError `auth` or `config_invalid`, as for live calls */
async function open(id: keyof typeof OPEN, settings: BatchModelsSettings): Promise<BatchModel> {
  requireVariables(id, settings.variables);
  const model = await OPEN[id](settings);
  return {
    ...model,
    // Nothing is submitted that did not come through here.
    line: async (asked) => {
      requireAllowed(settings.allowed ?? [], { provider: id, model: asked.request.model });
      return model.line(asked);
    },
  };
}

const OPEN = {
  anthropic: async ({ variables: v, ...rest }: BatchModelsSettings): Promise<BatchModel> => {
    const { createAnthropicBatches } = await import("./anthropic.ts");
    return createAnthropicBatches({
      ...rest,
      apiKey: v["ANTHROPIC_API_KEY"],
      authToken: v["ANTHROPIC_AUTH_TOKEN"],
      baseUrl: v["ANTHROPIC_BASE_URL"],
    });
  },
  openai: async ({ variables: v, ...rest }: BatchModelsSettings): Promise<BatchModel> => {
    const { createOpenAIBatches } = await import("./openai.ts");
    return createOpenAIBatches({
      ...rest,
      apiKey: v["OPENAI_API_KEY"],
      baseUrl: v["OPENAI_BASE_URL"],
      organization: v["OPENAI_ORG_ID"],
      project: v["OPENAI_PROJECT_ID"],
    });
  },
};
