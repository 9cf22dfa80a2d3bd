/**
 * The official SDK, imported on the first call (it takes 135 ms), with everything off that belay does itself: retries,
 * logging, telemetry, credential look-up. Of the SDK remain the request's headers and the reading of server-sent events.
 *
 * The SDK reads `ANTHROPIC_CUSTOM_HEADERS` from the environment and has no switch for that: those headers are the user's.
 */
import type { Anthropic, ClientOptions } from "@anthropic-ai/sdk";
import type { Stream } from "@anthropic-ai/sdk/streaming";
import { HarnessError } from "../kernel/harness-error.ts";

/** What is read of one response. Bytes. */
const RESPONSE_BYTES_MAX = 64 * 1024 * 1024;
/** What is read of an error's body; the rest is left out. Bytes. */
const ERROR_BODY_BYTES_MAX = 256 * 1024;
/** Longer timers fire at once. Milliseconds. */
const TIMER_MS_MAX = 2 ** 31 - 1;
const DEFAULT_BASE_URL = "https://api.anthropic.com";

export type Fetch = (url: string | URL | Request, init?: RequestInit) => Promise<Response>;

export interface Sdk {
  readonly client: Anthropic;
  readonly Stream: typeof Stream;
}

export interface ClientSettings {
  readonly apiKey: string | null;
  readonly authToken: string | null;
  readonly baseUrl: string | null;
  readonly fetch: Fetch;
}

export async function loadSdk(): Promise<{ readonly Anthropic: typeof Anthropic; readonly Stream: typeof Stream }> {
  const [sdk, streaming] = await Promise.all([import("@anthropic-ai/sdk"), import("@anthropic-ai/sdk/streaming")]);
  return { Anthropic: sdk.Anthropic, Stream: streaming.Stream };
}

export async function openSdk(settings: ClientSettings): Promise<Sdk> {
  const { Anthropic, Stream } = await loadSdk();
  const { apiKey, authToken, baseUrl } = settings;
  const options: ClientOptions = {
    // One credential only: with any given, the SDK looks for no other.
    ...(apiKey !== null ? { apiKey } : { authToken }),
    // The SDK sends a key as a bearer token; proxies of before 2026-10 read this header. The API takes both.
    ...(apiKey !== null ? { defaultHeaders: { "x-api-key": apiKey } } : {}),
    webhookKey: null,
    baseURL: baseUrl ?? DEFAULT_BASE_URL,
    maxRetries: 0,
    timeout: TIMER_MS_MAX,
    logLevel: "off",
    openTelemetry: false,
    // A redirect would carry the key to an address nobody configured.
    fetchOptions: { redirect: "manual" },
    fetch: async (url, init) => bounded(await settings.fetch(url, init)),
  };
  return { client: new Anthropic(options), Stream };
}

/** The same response with its body cut at the limit: an error's silently, an answer's with an error. */
function bounded(response: Response): Response {
  if (response.body === null) return response;
  const { status, statusText, headers, ok } = response;
  const limit = ok ? RESPONSE_BYTES_MAX : ERROR_BODY_BYTES_MAX;
  let seen = 0;
  const body = response.body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform: (chunk, controller) => {
        const room = limit - seen;
        seen += chunk.byteLength;
        if (seen <= limit) return controller.enqueue(chunk);
        if (ok) return controller.error(tooLong(limit));
        controller.enqueue(chunk.subarray(0, room));
        controller.terminate();
      },
    }),
  );
  return new Response(body, { status, statusText, headers });
}

function tooLong(limit: number): HarnessError {
  return new HarnessError(
    "protocol",
    `The provider's answer has more than ${limit} bytes.`,
    "Check for a proxy in between.",
  );
}
