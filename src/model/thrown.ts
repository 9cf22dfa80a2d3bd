/** From what an SDK, a connection or a body that is no stream says to the fault of a call. Our own defects are thrown on. */
import type { Clock } from "../kernel/clock.ts";
import { HarnessError, InvariantError } from "../kernel/harness-error.ts";
import { type AnswerFault, errorText } from "./answer-builder.ts";
import { classifyProviderError } from "./classify.ts";
import { classifyException, reachedNobody } from "./exception.ts";
import { asRecord, at, countAt, parseJson, textAt } from "./json-view.ts";
import { type HeaderMap, headerMap } from "./rate-state.ts";

/** How deep a chain of causes is quoted. */
const CAUSES_QUOTED_MAX = 5;

export interface CallFault extends AnswerFault {
  readonly http?: number;
  readonly request_id?: string | null;
  /** Of the response that refused, where the error carries them. */
  readonly headers?: HeaderMap;
  /** False: the connection failed before anything was written to it. */
  readonly sent?: boolean;
}

interface Thrown {
  readonly wire: { readonly provider: string; requestId(headers: HeaderMap): string | null };
  /** Whether a response had begun. */
  readonly answered: boolean;
  readonly now: number;
}

export function thrownFault(error: unknown, { wire, answered, now }: Thrown): CallFault {
  if (error instanceof InvariantError) throw error;
  if (error instanceof HarnessError) return { kind: error.kind, message: error.happened, after_ms: null };
  const http = countAt(error, "status");
  if (http !== null) {
    // An APIError of an SDK: the body is the parsed JSON, or, where it was none, the text is in the message.
    const thrown = at(error, "headers");
    const headers = thrown instanceof Headers ? headerMap(thrown) : {};
    const message = textAt(error, "message") ?? "";
    const body = asRecord(at(error, "error")) ?? message.replace(/^\d{3} /, "");
    const { kind, after_ms } = classifyProviderError({ provider: wire.provider, http, headers, body, now });
    const request_id = wire.requestId(headers) ?? textAt(body, "request_id");
    return { kind, after_ms, message: errorText(body) ?? message, http, request_id, headers };
  }
  const kind = classifyException(error);
  // Once the answer had begun, a lost connection is a cut stream.
  const cut = answered && kind === "network";
  return {
    kind: cut ? "stream_cut" : kind,
    after_ms: null,
    message: describe(error),
    sent: answered || !reachedNobody(error),
  };
}

/** A 200 that is no stream: an error in the body, a proxy's page, or nothing. */
export async function bodyFault(provider: string, response: Response, clock: Clock): Promise<AnswerFault> {
  const text = await response.text();
  const body = parseJson(text) ?? text;
  const { kind, after_ms } = classifyProviderError({
    provider,
    http: response.status,
    headers: headerMap(response.headers),
    body,
    now: clock.now(),
  });
  const message = errorText(body) ?? text;
  return { kind, after_ms, message: message.trim() === "" ? "The provider answered with an empty body." : message };
}

/** The message with those of its causes: `fetch failed` alone says nothing. */
export function describe(error: unknown): string {
  const lines: string[] = [];
  for (
    let current: unknown = error, depth = 0;
    current instanceof Error && depth < CAUSES_QUOTED_MAX;
    current = current.cause, depth++
  ) {
    const words = current.message.replace(/\.$/, "");
    // Some say their cause's words themselves.
    if (words !== "" && !lines.some((line) => line.includes(words))) lines.push(words);
  }
  return lines.length === 0 ? String(error) : lines.join(": ");
}
