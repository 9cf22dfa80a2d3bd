/**
 * Anthropic's Messages API behind the model port: one HTTP exchange per call, no state between calls but the SDK itself. The
 * guarantees are the port's (M1 to M3).
 */
import { accountOf } from "../account.ts";
import { type Fetch, credentialFault, nonEmpty, urlPassword } from "../connection.ts";
import { modelOver, type Timing } from "../exchange.ts";
import type { LoadBlob } from "../load-blob.ts";
import type { Model } from "../model.ts";
import { anthropicRate } from "../rate-state.ts";
import { buildAnswer } from "./answer.ts";
import { openSdk, type Sdk } from "./client.ts";
import { anthropicParams } from "./request.ts";

const PROVIDER = "anthropic";

export interface AnthropicOptions extends Timing {
  /** Exactly one of the two is used; the key, where both are given. Without either every call fails as `auth`. */
  readonly apiKey?: string | undefined;
  readonly authToken?: string | undefined;
  /** Absent: the provider's own address. */
  readonly baseUrl?: string | undefined;
  /** Absent: the global one. */
  readonly fetch?: Fetch | undefined;
  /** Absent: images are sent as a note that one is missing. */
  readonly loadBlob?: LoadBlob | undefined;
}

export function createAnthropicModel(options: AnthropicOptions): Model {
  const apiKey = nonEmpty(options.apiKey);
  const authToken = nonEmpty(options.authToken);
  let opened: Promise<Sdk> | null = null;
  const sdk = (): Promise<Sdk> =>
    (opened ??= openSdk({
      apiKey,
      authToken,
      baseUrl: nonEmpty(options.baseUrl),
      // Looked up at the call, so that a global fetch replaced later is the one used.
      fetch: options.fetch ?? ((url, init) => fetch(url, init)),
    }));

  return modelOver(
    {
      provider: PROVIDER,
      account: accountOf({ provider: PROVIDER, baseUrl: nonEmpty(options.baseUrl), key: apiKey ?? authToken }),
      secrets: [apiKey, authToken, urlPassword(options.baseUrl)].filter((secret) => secret !== null),
      unready: credentialFault(PROVIDER, apiKey ?? authToken),
      prepare: async (request) => {
        const { client } = await sdk();
        const body = await anthropicParams(request, options.loadBlob);
        // Not `messages.create`: that one prints warnings about models to the console.
        return (signal) => client.post("/v1/messages", { body, stream: true, signal }).asResponse();
      },
      events: async function* (response) {
        yield* (await sdk()).Stream.rawEvents(response);
      },
      answer: (request, hears) => buildAnswer({ provider: PROVIDER, model: request.model }, hears),
      requestId: (headers) => headers["request-id"] ?? null,
      rate: anthropicRate,
    },
    options,
  );
}
