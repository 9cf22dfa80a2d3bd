/** One request to the emulator, as everything that may answer it gets it. */
import type { ServerResponse } from "node:http";
import type { CacheBlock } from "./cache/prompt.ts";
import type { ApiError, Dialect } from "./dialect.ts";
import type { Made, RecordedRequest } from "./request-log.ts";
import { sendJson } from "./respond.ts";
import { tokensOf } from "./tokens.ts";

export interface Asking {
  readonly dialect: Dialect;
  readonly headers: RecordedRequest["headers"];
  readonly requestId: string;
  /** How many requests there were before it, itself among them. */
  readonly count: number;
  readonly body: unknown;
  readonly response: ServerResponse;
  readonly note: (made: Made) => void;
}

export function refused({ response, dialect, requestId }: Asking, error: ApiError): void {
  sendJson(response, error.status, dialect.errorBody(error, requestId));
}

export function promptTokens(blocks: readonly CacheBlock[]): number {
  return blocks.reduce((sum, { text, hidden }) => sum + (hidden ? 0 : tokensOf(text)), 0);
}
