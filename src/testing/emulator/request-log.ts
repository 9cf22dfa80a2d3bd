/** What the emulator was asked: tests assert on it. Bounded; keys are masked before anything is kept. */

/** Requests that are kept; the oldest goes first. */
const REQUESTS_MAX = 5_000;
/** Of the bodies that are kept, all together. The last request is kept however large it is. Bytes. */
const BODY_BYTES_MAX = 256 * 1024 * 1024;
const SECRET_HEADERS: ReadonlySet<string> = new Set(["x-api-key", "authorization", "proxy-authorization", "cookie"]);

export interface RecordedRequest {
  readonly method: string;
  readonly path: string;
  /** Lower-case names; of credentials only the last four characters. */
  readonly headers: { readonly [name: string]: string };
  /** Parsed JSON; the text where it was none; null without a body. */
  readonly body: unknown;
  /** Milliseconds since the emulator's start. */
  readonly at: number;
}

export interface RequestLog {
  readonly requests: readonly RecordedRequest[];
  /** @param bytes of the body as it came. */
  add(request: RecordedRequest, bytes: number): void;
}

export function createRequestLog(): RequestLog {
  const requests: RecordedRequest[] = [];
  const sizes: number[] = [];
  let kept = 0;
  return {
    requests,
    add: (request, bytes) => {
      requests.push({ ...request, headers: masked(request.headers) });
      sizes.push(bytes);
      kept += bytes;
      while (requests.length > REQUESTS_MAX || (kept > BODY_BYTES_MAX && requests.length > 1)) {
        requests.shift();
        kept -= sizes.shift() ?? 0;
      }
    },
  };
}

function masked(headers: RecordedRequest["headers"]): RecordedRequest["headers"] {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, SECRET_HEADERS.has(name) ? `***${value.slice(-4)}` : value]),
  );
}
