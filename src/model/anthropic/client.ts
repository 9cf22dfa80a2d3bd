/**
 * The official SDK, imported on the first call (it takes 135 ms), with everything off that belay does itself: retries,
 * logging, telemetry, credential look-up, headers from the environment. Of the SDK remain the request's headers and the
 * reading of server-sent events.
 */
import type { Anthropic, ClientOptions } from "@anthropic-ai/sdk";
import type { Stream } from "@anthropic-ai/sdk/streaming";
import { bounded, type Fetch, NO_TIMEOUT_MS, withoutEnvironmentHeaders } from "../connection.ts";

const DEFAULT_BASE_URL = "https://api.anthropic.com";

export interface Sdk {
  readonly client: Anthropic;
  readonly Stream: typeof Stream;
}

export interface ClientSettings {
  readonly apiKey: string | null;
  readonly authToken: string | null;
  readonly baseUrl: string | null;
  readonly fetch: Fetch;
  /** Of one response. Absent: as an answer of one call needs. */
  readonly responseBytesMax?: number;
}

export async function loadSdk(): Promise<{ readonly Anthropic: typeof Anthropic; readonly Stream: typeof Stream }> {
  const [sdk, streaming] = await Promise.all([import("@anthropic-ai/sdk"), import("@anthropic-ai/sdk/streaming")]);
  return { Anthropic: sdk.Anthropic, Stream: streaming.Stream };
}

export async function openSdk(settings: ClientSettings): Promise<Sdk> {
  const { Anthropic, Stream } = await loadSdk();
  const { apiKey, authToken, baseUrl } = settings;
  const own = apiKey !== null ? { "x-api-key": apiKey } : {};
  const options: ClientOptions = {
    // One credential only: with any given, the SDK looks for no other.
    ...(apiKey !== null ? { apiKey } : { authToken }),
    // The SDK sends a key as a bearer token; proxies of before 2026-10 read this header. The API takes both.
    defaultHeaders: own,
    webhookKey: null,
    baseURL: baseUrl ?? DEFAULT_BASE_URL,
    maxRetries: 0,
    timeout: NO_TIMEOUT_MS,
    logLevel: "off",
    openTelemetry: false,
    // A redirect would carry the key to an address nobody configured.
    fetchOptions: { redirect: "manual" },
    fetch: async (url, init) => bounded(await settings.fetch(url, init), settings.responseBytesMax),
  };
  return { client: withoutEnvironmentHeaders(new Anthropic(options), own), Stream };
}
