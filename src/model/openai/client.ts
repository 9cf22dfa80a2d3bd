/**
 * The official SDK, imported on the first call, with everything off that belay does itself: retries, logging, credential
 * look-up, headers from the environment. Of the SDK remain the request's headers and the reading of server-sent events.
 */
import type { OpenAI } from "openai";
import type { StreamEvent } from "../answer-builder.ts";
import { bounded, type Fetch, NO_TIMEOUT_MS, withoutEnvironmentHeaders } from "../connection.ts";
import { parseJson } from "../json-view.ts";

const DEFAULT_BASE_URL = "https://api.openai.com/v1";

export interface Sdk {
  readonly client: OpenAI;
  events(response: Response): AsyncIterable<StreamEvent>;
}

export interface ClientSettings {
  readonly apiKey: string;
  readonly baseUrl: string | null;
  readonly organization: string | null;
  readonly project: string | null;
  readonly fetch: Fetch;
  /** Of one response. Absent: as an answer of one call needs. */
  readonly responseBytesMax?: number;
}

export async function openSdk(settings: ClientSettings): Promise<Sdk> {
  const [{ OpenAI }, streaming] = await Promise.all([import("openai"), import("openai/core/streaming")]);
  const client = new OpenAI({
    apiKey: settings.apiKey,
    // Given as null, none of these is looked for in the environment.
    adminAPIKey: null,
    organization: settings.organization,
    project: settings.project,
    webhookSecret: null,
    baseURL: settings.baseUrl ?? DEFAULT_BASE_URL,
    maxRetries: 0,
    timeout: NO_TIMEOUT_MS,
    logLevel: "off",
    // A redirect would carry the key to an address nobody configured.
    fetchOptions: { redirect: "manual" },
    fetch: async (url, init) => bounded(await settings.fetch(url, init), settings.responseBytesMax),
  });
  return {
    client: withoutEnvironmentHeaders(client, {}),
    // Not the SDK's typed stream: that one throws at the first `error`, and ends in silence where an answer is cut.
    events: (response) => withoutRest(streaming._iterSSEMessages(response, new AbortController())),
  };
}

/** The SDK hands out what a stream that ended left of its last event, too: what is no JSON then was cut. */
async function* withoutRest(events: AsyncIterable<StreamEvent>): AsyncIterable<StreamEvent> {
  let doubtful: StreamEvent | null = null;
  for await (const event of events) {
    if (doubtful !== null) yield doubtful;
    doubtful = parseJson(event.data) === null ? event : null;
    if (doubtful === null) yield event;
  }
}
