/**
 * The contract of a model, on models of the AI SDK as the table of providers opens them: the real packages, over recorded
 * streams of Gemini's generateContent and of Chat Completions.
 */
import { join } from "node:path";
import { describe, it } from "vitest";
import { createModels, type ModelsSettings } from "../../src/model/providers.ts";
import type { Model } from "../../src/model/model.ts";
import { describeModel, readRecordings } from "../../src/testing/model-contract.ts";

const streams = (provider: string): string => join(import.meta.dirname, "model-streams", provider);
const NOWHERE = { own: "/nonexistent", belay: "/nonexistent/file.js", never: [] };

function opened(provider: string, settings: Omit<ModelsSettings, "packages">): Promise<Model> {
  return createModels({ ...settings, packages: NOWHERE }).of(provider);
}

describeModel(
  { describe, it },
  "google",
  {
    recordings: await readRecordings(streams("google")),
    make: ({ baseUrl, ...timing }) =>
      opened("google", {
        ...timing,
        variables: { GEMINI_API_KEY: "contract-key", GOOGLE_GENERATIVE_AI_BASE_URL: `${baseUrl}/v1beta` },
      }),
  },
  { skip: [] },
);

describeModel(
  { describe, it },
  "openai-compatible",
  {
    recordings: await readRecordings(streams("openai-compatible")),
    make: ({ baseUrl, ...timing }) =>
      opened("openai-compatible", {
        ...timing,
        variables: { OPENAI_COMPATIBLE_API_KEY: "contract-key", OPENAI_COMPATIBLE_BASE_URL: `${baseUrl}/v1` },
      }),
  },
  { skip: [] },
);
