/**
 * OpenAI's Responses API behind the model port: one HTTP exchange per call, no state between calls but the SDK itself and
 * whether the account gets summaries. The guarantees are the port's (M1 to M3).
 *
 * O1: where the account gets no summaries of reasoning (400, nothing spent), the same request is sent once more without
 *     asking for one: they are for whoever watches. No other refusal is answered here.
 */
import { accountOf } from "../account.ts";
import { type Fetch, credentialFault, nonEmpty, urlPassword } from "../connection.ts";
import { modelOver, type Timing } from "../exchange.ts";
import { countAt, textAt } from "../json-view.ts";
import type { LoadBlob } from "../load-blob.ts";
import type { Model } from "../model.ts";
import { openaiRate } from "../rate-state.ts";
import { buildAnswer } from "./answer.ts";
import { PROVIDER } from "./answer-items.ts";
import { openSdk, type Sdk } from "./client.ts";
import { openaiParams, withoutSummary } from "./request.ts";

export interface OpenAIOptions extends Timing {
  /** Absent: every call fails as `auth`. */
  readonly apiKey?: string | undefined;
  /** Absent: the provider's own address. */
  readonly baseUrl?: string | undefined;
  /** Absent: those that the key belongs to. */
  readonly organization?: string | undefined;
  readonly project?: string | undefined;
  /** Absent: the global one. */
  readonly fetch?: Fetch | undefined;
  /** Absent: images are sent as a note that one is missing. */
  readonly loadBlob?: LoadBlob | undefined;
}

export function createOpenAIModel(options: OpenAIOptions): Model {
  const apiKey = nonEmpty(options.apiKey);
  let opened: Promise<Sdk> | null = null;
  /** False once the account was told that it gets none. */
  let summaries = true;
  const sdk = (): Promise<Sdk> =>
    (opened ??= openSdk({
      apiKey: apiKey ?? "", // without one no call comes as far as this
      baseUrl: nonEmpty(options.baseUrl),
      organization: nonEmpty(options.organization),
      project: nonEmpty(options.project),
      // Looked up at the call, so that a global fetch replaced later is the one used.
      fetch: options.fetch ?? ((url, init) => fetch(url, init)),
    }));

  return modelOver(
    {
      provider: PROVIDER,
      account: accountOf({ provider: PROVIDER, baseUrl: nonEmpty(options.baseUrl), key: apiKey }),
      secrets: [apiKey, urlPassword(options.baseUrl)].filter((secret) => secret !== null),
      unready: credentialFault(PROVIDER, apiKey),
      prepare: async (request, callOptions) => {
        const { client } = await sdk();
        const body = await openaiParams(request, callOptions, options.loadBlob);
        const post = (sent: typeof body, signal: AbortSignal): Promise<Response> =>
          client.post("/responses", { body: sent, stream: true, signal }).asResponse();
        return async (signal) => {
          if (!summaries) return post(withoutSummary(body), signal);
          try {
            return await post(body, signal);
          } catch (error) {
            if (!isSummaryRefused(error)) throw error;
            summaries = false;
            return post(withoutSummary(body), signal);
          }
        };
      },
      events: async function* (response) {
        yield* (await sdk()).events(response);
      },
      answer: (request, hears) => buildAnswer({ model: request.model }, hears),
      requestId: (headers) => headers["x-request-id"] ?? headers["apim-request-id"] ?? null,
      rate: openaiRate,
    },
    options,
  );
}

/** O1. As it says: "Your organization must be verified to generate reasoning summaries." */
function isSummaryRefused(error: unknown): boolean {
  return countAt(error, "status") === 400 && textAt(error, "error", "param") === "reasoning.summary";
}
