/** What the emulator was asked: tests assert on it. Bounded; keys are masked before anything is kept. */
import type { Kept } from "./cache/kept.ts";
import type { DialectName } from "./dialect.ts";
import type { Refusal } from "./limits/limits.ts";

/** Requests that are kept; the oldest goes first. */
const REQUESTS_MAX = 5_000;
/** Of the bodies that are kept, all together. The last request is kept however large it is. Bytes. */
const BODY_BYTES_MAX = 256 * 1024 * 1024;
const SECRET_HEADERS: ReadonlySet<string> = new Set([
  "x-api-key",
  "api-key",
  "authorization",
  "proxy-authorization",
  "cookie",
]);

/** Of the prompt, in tokens; the four counts add up to `total`. */
export interface RecordedPrompt extends Kept {
  readonly total: number;
  readonly uncached: number;
  readonly read: number;
  readonly written_5m: number;
  readonly written_1h: number;
}

/** What was made of a request that a turn answered, or a fault met. */
export interface RecordedPlay {
  readonly conversation: string;
  /** From 0. */
  readonly step: number;
  /** The turn's name: `turns.0`. */
  readonly turn: string;
  /** The fault that it met; null: it was answered. */
  readonly fault: string | null;
  readonly prompt: RecordedPrompt;
}

export interface RecordedRequest {
  readonly method: string;
  readonly path: string;
  readonly dialect: DialectName;
  /** Lower-case names; of credentials only the last four characters. */
  readonly headers: { readonly [name: string]: string };
  /** Parsed JSON; the text where it was none; null without a body. */
  readonly body: unknown;
  /** Milliseconds since the emulator's start. */
  readonly at: number;
  /** Null for what was refused, or asks no model. */
  readonly play: RecordedPlay | null;
  /** The limit that it was refused for, or `outage`; null: none. */
  readonly refused: RecordedRefusal | null;
}

export type RecordedRefusal = Refusal["what"] | "outage";

/** What was made of a request, said after it was logged. */
export type Made = Partial<Pick<RecordedRequest, "play" | "refused">>;

export interface RequestLog {
  readonly requests: readonly RecordedRequest[];
  /** @param bytes of the body as it came. @returns how to say later what was made of it. */
  add(request: Omit<RecordedRequest, keyof Made>, bytes: number): (made: Made) => void;
}

export function createRequestLog(): RequestLog {
  const requests: RecordedRequest[] = [];
  const sizes: number[] = [];
  let kept = 0;
  return {
    requests,
    add: (request, bytes) => {
      const recorded: RecordedRequest = { ...request, headers: masked(request.headers), play: null, refused: null };
      requests.push(recorded);
      sizes.push(bytes);
      kept += bytes;
      while (requests.length > REQUESTS_MAX || (kept > BODY_BYTES_MAX && requests.length > 1)) {
        requests.shift();
        kept -= sizes.shift() ?? 0;
      }
      return (made) => {
        Object.assign(recorded, made);
      };
    },
  };
}

function masked(headers: RecordedRequest["headers"]): RecordedRequest["headers"] {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, SECRET_HEADERS.has(name) ? maskedKey(value) : value]),
  );
}

export function maskedKey(key: string): string {
  return `***${key.slice(-4)}`;
}
