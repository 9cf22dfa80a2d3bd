/** What every adapter needs of the connection before an SDK gets it: credentials as they were meant, and bounded bodies. */
import { HarnessError, invariant } from "../kernel/harness-error.ts";
import { asRecord, type JsonRecord } from "./json-view.ts";

/** What is read of one response. Bytes. */
const RESPONSE_BYTES_MAX = 64 * 1024 * 1024;
/** What is read of an error's body; the rest is left out. Bytes. */
const ERROR_BODY_BYTES_MAX = 256 * 1024;
/** Longer timers fire at once: an SDK's own limit that never comes, because the limits are belay's. Milliseconds. */
export const NO_TIMEOUT_MS: number = 2 ** 31 - 1;

export type Fetch = (url: string | URL | Request, init?: RequestInit) => Promise<Response>;

/** White space around a value is a slip of copying. */
export function nonEmpty(text: string | undefined): string | null {
  const trimmed = text?.trim() ?? "";
  return trimmed === "" ? null : trimmed;
}

/** Said before anything is sent: what no header can carry would fail as something else. */
export function credentialFault(provider: string, credential: string | null): string | null {
  if (credential === null) return `No API key and no token is set for ${provider}.`;
  return /^[\x21-\x7e]+$/.test(credential) ? null : "The API key or token holds characters that no key has.";
}

/** An address may hold a password, and fetch quotes addresses that it refuses. */
export function urlPassword(baseUrl: string | undefined): string | null {
  return /^[a-z]+:\/\/[^/@]*:([^/@]+)@/i.exec(baseUrl ?? "")?.[1] ?? null;
}

/** The same response with its body cut at the limit: an error's silently, an answer's with an error. */
export function bounded(response: Response, answerBytesMax: number = RESPONSE_BYTES_MAX): Response {
  if (response.body === null) return response;
  const { status, statusText, headers, ok } = response;
  const limit = ok ? answerBytesMax : ERROR_BODY_BYTES_MAX;
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

/**
 * Both official SDKs read `…_CUSTOM_HEADERS` from the environment and have no switch for that. Below the faces nothing reads
 * the environment: what stands there may hold a secret that no message of ours would know to leave out.
 */
export function withoutEnvironmentHeaders<Client extends object>(client: Client, own: JsonRecord): Client {
  const options = asRecord(Reflect.get(client, "_options"));
  invariant(options !== null, "the SDK keeps its options in _options");
  Reflect.set(options, "defaultHeaders", own);
  return client;
}
