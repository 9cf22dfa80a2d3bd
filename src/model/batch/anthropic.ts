/**
 * Anthropic's Message Batches behind the batch port. A batch has no name of ours: what was submitted is recognised by the custom
 * ids of its results, which can be read once it ended.
 */
import { accountOf } from "../account.ts";
import { openSdk, type Sdk } from "../anthropic/client.ts";
import { credentialFault, type Fetch, nonEmpty, urlPassword } from "../connection.ts";
import { at, countAt, parseJson, textAt } from "../json-view.ts";
import type { LoadBlob } from "../load-blob.ts";
import type { ModelCallOptions } from "../model.ts";
import { requestLine, resultOf } from "./anthropic-lines.ts";
import type {
  BatchFault,
  BatchFound,
  BatchLimits,
  BatchModel,
  BatchReceipt,
  BatchResult,
  BatchStatus,
  BatchSubmission,
  LostSubmission,
} from "./batch.ts";
import { type Asking, createExchanges, type Exchanges } from "./exchange.ts";
import { bodyLines, bodyOf } from "./jsonl.ts";
import { LISTED_MAX, type LostTiming, PAGE_BATCHES, searchedSince, UNDECIDED, verdict } from "./lost.ts";
import { gone, notEnded, readResults, RESULTS_BYTES_MAX, unreadable } from "./results.ts";

const PROVIDER = "anthropic";
const MEGABYTE = 1_000_000;
const LIMITS: BatchLimits = { requests: 100_000, bytes: 256 * MEGABYTE, results_ms: 29 * 24 * 3_600_000 };
const STATES = { in_progress: "in_progress", canceling: "canceling", ended: "ended" } as const;
const BODY = { before: '{"requests":[', between: ",", after: "]}" };

export interface AnthropicBatchOptions extends LostTiming {
  /** Exactly one of the two is used; the key, where both are given. */
  readonly apiKey?: string | undefined;
  readonly authToken?: string | undefined;
  readonly baseUrl?: string | undefined;
  readonly fetch?: Fetch | undefined;
  readonly loadBlob?: LoadBlob | undefined;
  readonly toolCallId: ModelCallOptions["toolCallId"];
}

export function createAnthropicBatches(options: AnthropicBatchOptions): BatchModel {
  const apiKey = nonEmpty(options.apiKey);
  const authToken = nonEmpty(options.authToken);
  const baseUrl = nonEmpty(options.baseUrl);
  const secrets = [apiKey, authToken, urlPassword(options.baseUrl)].filter((secret) => secret !== null);
  let opened: Promise<Sdk> | null = null;
  const client = async (): Promise<Sdk["client"]> => {
    const fetched: Fetch = options.fetch ?? ((url, init) => fetch(url, init));
    opened ??= openSdk({ apiKey, authToken, baseUrl, fetch: fetched, responseBytesMax: RESULTS_BYTES_MAX });
    return (await opened).client;
  };
  const exchanges = createExchanges(
    { provider: PROVIDER, secrets, unready: credentialFault(PROVIDER, apiKey ?? authToken) },
    options,
  );
  const { ask, stream, fault } = exchanges;
  const parts: Parts = { client, exchanges, options, secrets };
  const statusOf = (batch: unknown, sent: boolean): BatchStatus | BatchFault =>
    readStatus(batch) ?? fault(unreadable(), sent);

  return {
    provider: PROVIDER,
    account: accountOf({ provider: PROVIDER, baseUrl, key: apiKey ?? authToken }),
    limits: LIMITS,
    line: (request) => requestLine(request, options.loadBlob),
    submit: (submission, signal) => ask("submit", signal, (call) => submit(parts, submission, call)),
    find: (lost, signal) => ask("ask", signal, (call) => find(parts, lost, call)),
    poll: (id, signal) =>
      ask("ask", signal, async (call) =>
        statusOf(await (await client()).messages.batches.retrieve(id, {}, { signal: call.signal }), false),
      ),
    results: (id, signal) => stream(signal, (call) => results(parts, id, call)),
    cancel: (id, signal) =>
      ask("ask", signal, async (call) => {
        const sdk = await client();
        call.sending();
        return statusOf(await sdk.messages.batches.cancel(id, {}, { signal: call.signal }), true);
      }),
  };
}

interface Parts {
  readonly client: () => Promise<Sdk["client"]>;
  readonly exchanges: Exchanges;
  readonly options: AnthropicBatchOptions;
  readonly secrets: readonly string[];
}

async function submit(
  { client, exchanges }: Parts,
  { lines }: BatchSubmission,
  call: Asking,
): Promise<BatchReceipt | BatchFault> {
  const sdk = await client();
  call.sending();
  // Not `batches.create`: that one takes all requests at once, in memory.
  const batch: unknown = await sdk.post("/v1/messages/batches", {
    body: bodyOf(lines, BODY, call),
    headers: { "content-type": "application/json" },
    signal: call.signal,
  });
  const id = textAt(batch, "id");
  return id === null ? exchanges.fault(unreadable(), true) : { ok: true, id };
}

/** Newest first. One that has not ended, or whose results cannot be read, proves nothing. */
async function find(parts: Parts, lost: LostSubmission, call: Asking): Promise<BatchFound> {
  const sdk = await parts.client();
  let unproven = false;
  let listed = 0;
  for await (const batch of sdk.messages.batches.list({ limit: PAGE_BATCHES }, { signal: call.signal })) {
    call.alive();
    listed += 1;
    if (Date.parse(batch.created_at) < searchedSince(lost.at)) break;
    unproven ||= listed > LISTED_MAX;
    if (listed > LISTED_MAX) break;
    if (lost.known.includes(batch.id) || totalOf(batch) !== lost.count) continue;
    const first = isReadable(batch) ? await firstOf(await resultLines(parts, batch.id, call)) : null;
    if (first?.startsWith(lost.marker)) return { ok: true, state: "found", id: batch.id };
    unproven ||= first === null;
  }
  return unproven ? UNDECIDED : verdict(lost, parts.options);
}

async function* results(
  parts: Parts,
  id: string,
  call: Asking,
): AsyncGenerator<BatchResult | BatchFault, void, undefined> {
  const { options, secrets } = parts;
  const { fault } = parts.exchanges;
  const batch: unknown = await (await parts.client()).messages.batches.retrieve(id, {}, { signal: call.signal });
  const status = readStatus(batch);
  if (status === null) yield fault(unreadable(), false);
  else if (status.state !== "ended") yield fault(notEnded(id), false);
  else if (textAt(batch, "results_url") === null) yield fault(gone(id, "29 days"), false);
  else {
    const lines = await resultLines(parts, id, call);
    const read = (line: string): BatchResult | null => resultOf(line, { toolCallId: options.toolCallId, secrets });
    yield* readResults(lines, { expected: status.counts.total, read, fault });
  }
}

/** Every line of a batch that ended. The address is ours, not the one that the batch names: the key goes with it. */
async function resultLines({ client }: Parts, id: string, { signal, alive }: Asking): Promise<AsyncIterable<string>> {
  const path = `/v1/messages/batches/${encodeURIComponent(id)}/results`;
  const headers = { Accept: "application/binary" };
  const response = await (await client()).get(path, { signal, headers, __binaryResponse: true }).asResponse();
  return bodyLines(response, alive);
}

function readStatus(batch: unknown): BatchStatus | null {
  const id = textAt(batch, "id");
  const said = textAt(batch, "processing_status") ?? "";
  if (id === null || !Object.hasOwn(STATES, said)) return null;
  const state = STATES[said as keyof typeof STATES]; // it is one of its own keys
  const count = (name: string): number => countAt(batch, "request_counts", name) ?? 0;
  const expires = Date.parse(textAt(batch, "expires_at") ?? "");
  return {
    ok: true,
    id,
    state,
    counts: {
      total: totalOf(batch),
      done: count("succeeded"),
      failed: count("errored") + count("expired") + count("canceled"),
    },
    message: null,
    expires_at: Number.isNaN(expires) ? null : expires,
  };
}

function totalOf(batch: unknown): number {
  const names = ["processing", "succeeded", "errored", "canceled", "expired"];
  return names.reduce((sum, name) => sum + (countAt(batch, "request_counts", name) ?? 0), 0);
}

/** An archived batch has lost its results: what it was cannot be told any more. */
function isReadable(batch: unknown): boolean {
  return textAt(batch, "processing_status") === "ended" && typeof at(batch, "results_url") === "string";
}

async function firstOf(lines: AsyncIterable<string>): Promise<string | null> {
  for await (const line of lines) return textAt(parseJson(line), "custom_id");
  return null;
}
