/**
 * The fetch that belay's own AI SDK providers speak through. It bounds what is read, follows no redirect (one would carry
 * the key to an address nobody configured), counts every byte as a sign of life, comments of a router that waits
 * included, and reads an answer of 200 that is no stream: to the SDK that is a stream without events.
 */
import { bounded, type Fetch } from "../connection.ts";

/** What is kept of the end of a body. Bytes. */
const TAIL_BYTES = 32;

/** What one call hears from its connection. */
export interface Watch {
  readonly alive: () => void;
  /** The body came to its end. `tail` are its last characters. */
  readonly ended: (tail: string) => void;
  /** What an event of no known kind is kept from; null where all are handed on. */
  readonly filter: (() => TransformStream<Uint8Array, Uint8Array>) | null;
  /** A response of success whose body is no stream. @returns what to throw in its place */
  readonly notAStream: (response: Response) => Promise<Error>;
}

export function watchedFetch(fetch: Fetch, watch: Watch): Fetch {
  return async (url, init) => {
    const response = bounded(await fetch(url, { ...init, redirect: "manual" }));
    if (!response.ok) return response;
    if (!mayBeStream(response.headers)) throw await watch.notAStream(response);
    return heard(response, watch);
  };
}

function mayBeStream(headers: Headers): boolean {
  // Some servers leave the header out or name something of their own: only what is surely none is read as none.
  return !/^\s*(application\/json|text\/html)\b/i.test(headers.get("content-type") ?? "");
}

function heard(response: Response, watch: Watch): Response {
  if (response.body === null) return response;
  const { status, statusText, headers } = response;
  let tail = new Uint8Array();
  const body = response.body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform: (chunk, controller) => {
        watch.alive();
        tail = Uint8Array.from([...tail, ...chunk.subarray(-TAIL_BYTES)]).subarray(-TAIL_BYTES);
        controller.enqueue(chunk);
      },
      flush: () => {
        watch.ended(new TextDecoder().decode(tail));
      },
    }),
  );
  return new Response(watch.filter === null ? body : body.pipeThrough(watch.filter()), { status, statusText, headers });
}
