/**
 * OpenAI's batches of Responses behind the batch port: a file is uploaded, then a batch is made of it. The batch carries our
 * marker, so that it is found again whatever state it is in; a file without a batch is no submission.
 */
import { accountOf } from "../account.ts";
import { credentialFault, type Fetch, nonEmpty, urlPassword } from "../connection.ts";
import { asRecord, at, countAt, textAt } from "../json-view.ts";
import type { LoadBlob } from "../load-blob.ts";
import type { ModelCallOptions } from "../model.ts";
import { PROVIDER } from "../openai/answer-items.ts";
import { openSdk, type Sdk } from "../openai/client.ts";
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
import { ENDPOINT, requestLine, resultOf } from "./openai-lines.ts";
import { gone, notEnded, readResults, RESULTS_BYTES_MAX, unreadable } from "./results.ts";

const MEGABYTE = 1_000_000;
/** As the provider allows it at most, counted from the making of a file. Seconds. */
const OUTPUT_KEPT_S = 30 * 24 * 3_600;
const LIMITS: BatchLimits = { requests: 50_000, bytes: 200 * MEGABYTE, results_ms: OUTPUT_KEPT_S * 1_000 };
const STATES = {
  validating: "in_progress",
  in_progress: "in_progress",
  finalizing: "in_progress",
  cancelling: "canceling",
  completed: "ended",
  expired: "ended",
  cancelled: "ended",
  failed: "failed",
} as const;
const FILE = { before: "", between: "\n", after: "\n" };
/** Of the faults of a file that was refused, in the message. */
const FAULTS_QUOTED_MAX = 5;

export interface OpenAIBatchOptions extends LostTiming {
  readonly apiKey?: string | undefined;
  readonly baseUrl?: string | undefined;
  readonly organization?: string | undefined;
  readonly project?: string | undefined;
  readonly fetch?: Fetch | undefined;
  readonly loadBlob?: LoadBlob | undefined;
  readonly toolCallId: ModelCallOptions["toolCallId"];
}

export function createOpenAIBatches(options: OpenAIBatchOptions): BatchModel {
  const apiKey = nonEmpty(options.apiKey);
  const baseUrl = nonEmpty(options.baseUrl);
  const secrets = [apiKey, urlPassword(options.baseUrl)].filter((secret) => secret !== null);
  let opened: Promise<Sdk> | null = null;
  const client = async (): Promise<Sdk["client"]> => {
    opened ??= openSdk({
      apiKey: apiKey ?? "", // without one nothing comes as far as this
      baseUrl,
      organization: nonEmpty(options.organization),
      project: nonEmpty(options.project),
      fetch: options.fetch ?? ((url, init) => fetch(url, init)),
      responseBytesMax: RESULTS_BYTES_MAX,
    });
    return (await opened).client;
  };
  const exchanges = createExchanges(
    { provider: PROVIDER, secrets, unready: credentialFault(PROVIDER, apiKey) },
    options,
  );
  const { ask, stream, fault } = exchanges;
  const parts: Parts = { client, exchanges, options, secrets };
  const statusOf = (batch: unknown, sent: boolean): BatchStatus | BatchFault =>
    readStatus(batch) ?? fault(unreadable(), sent);

  return {
    provider: PROVIDER,
    account: accountOf({ provider: PROVIDER, baseUrl, key: apiKey }),
    limits: LIMITS,
    line: (request) => requestLine(request, options.loadBlob),
    submit: (submission, signal) => ask("submit", signal, (call) => submit(parts, submission, call)),
    find: (lost, signal) => ask("ask", signal, (call) => find(parts, lost, call)),
    poll: (id, signal) =>
      ask("ask", signal, async (call) =>
        statusOf(await (await client()).batches.retrieve(id, { signal: call.signal }), false),
      ),
    results: (id, signal) => stream(signal, (call) => results(parts, id, call)),
    cancel: (id, signal) =>
      ask("ask", signal, async (call) => {
        const sdk = await client();
        call.sending();
        return statusOf(await sdk.batches.cancel(id, { signal: call.signal }), true);
      }),
  };
}

interface Parts {
  readonly client: () => Promise<Sdk["client"]>;
  readonly exchanges: Exchanges;
  readonly options: OpenAIBatchOptions;
  readonly secrets: readonly string[];
}

async function submit(
  { client, exchanges }: Parts,
  { marker, lines }: BatchSubmission,
  call: Asking,
): Promise<BatchReceipt | BatchFault> {
  const [sdk, { toStreamingFile }] = await Promise.all([client(), import("openai")]);
  const file = toStreamingFile(bodyOf(lines, FILE, call), `${marker}.jsonl`, { type: "application/jsonl" });
  const uploaded: unknown = await sdk.files.create({ file, purpose: "batch" }, { signal: call.signal });
  const input_file_id = textAt(uploaded, "id");
  if (input_file_id === null) return exchanges.fault(unreadable(), false);
  call.sending();
  const batch: unknown = await sdk.batches.create(
    {
      input_file_id,
      endpoint: ENDPOINT,
      completion_window: "24h",
      metadata: { marker },
      output_expires_after: { anchor: "created_at", seconds: OUTPUT_KEPT_S },
    },
    { signal: call.signal },
  );
  const id = textAt(batch, "id");
  return id === null ? exchanges.fault(unreadable(), true) : { ok: true, id };
}

/** Newest first. */
async function find({ client, options }: Parts, lost: LostSubmission, call: Asking): Promise<BatchFound> {
  let listed = 0;
  for await (const batch of (await client()).batches.list({ limit: PAGE_BATCHES }, { signal: call.signal })) {
    call.alive();
    listed += 1;
    if (textAt(batch, "metadata", "marker") === lost.marker) return { ok: true, state: "found", id: batch.id };
    if (batch.created_at * 1_000 < searchedSince(lost.at)) break;
    if (listed > LISTED_MAX) return UNDECIDED;
  }
  return verdict(lost, options);
}

async function* results(
  parts: Parts,
  id: string,
  call: Asking,
): AsyncGenerator<BatchResult | BatchFault, void, undefined> {
  const { toolCallId } = parts.options;
  const { fault } = parts.exchanges;
  const batch: unknown = await (await parts.client()).batches.retrieve(id, { signal: call.signal });
  const status = readStatus(batch);
  if (status === null || status.state === "in_progress" || status.state === "canceling") {
    yield fault(status === null ? unreadable() : notEnded(id), false);
    return;
  }
  const read = (line: string): BatchResult | null => resultOf(line, { toolCallId, secrets: parts.secrets });
  const files = [
    { file: textAt(batch, "output_file_id"), expected: status.counts.done },
    // What expired stands in it, too, and is not among the failed.
    { file: textAt(batch, "error_file_id"), expected: 0 },
  ];
  for (const { file, expected } of files) {
    if (file === null) continue;
    const lines = await fileLines(parts, file, call);
    if (lines === null) {
      yield fault(gone(id, "30 days"), false);
      return;
    }
    yield* readResults(lines, { expected, read, fault });
  }
}

/** @returns null where the file is gone */
async function fileLines(
  { client }: Parts,
  file: string,
  { signal, alive }: Asking,
): Promise<AsyncIterable<string> | null> {
  try {
    return bodyLines(await (await client()).files.content(file, { signal }), alive);
  } catch (error) {
    if (countAt(error, "status") !== 404) throw error;
    return null;
  }
}

function readStatus(batch: unknown): BatchStatus | null {
  const id = textAt(batch, "id");
  const said = textAt(batch, "status") ?? "";
  if (id === null || !Object.hasOwn(STATES, said)) return null;
  const state = STATES[said as keyof typeof STATES]; // it is one of its own keys
  const expires = countAt(batch, "expires_at");
  return {
    ok: true,
    id,
    state,
    counts: {
      total: countAt(batch, "request_counts", "total") ?? 0,
      done: countAt(batch, "request_counts", "completed") ?? 0,
      failed: countAt(batch, "request_counts", "failed") ?? 0,
    },
    message: state === "failed" ? faultsOf(batch) : null,
    expires_at: expires === null ? null : expires * 1_000,
  };
}

/** What was wrong with the file. */
function faultsOf(batch: unknown): string {
  const errors: unknown = at(batch, "errors", "data");
  const told = (Array.isArray(errors) ? (errors as readonly unknown[]) : []).filter(
    (error) => asRecord(error) !== null,
  );
  const words = told.slice(0, FAULTS_QUOTED_MAX).map((error) => {
    const line = countAt(error, "line");
    const message = textAt(error, "message") ?? textAt(error, "code") ?? "an error without words";
    return line === null ? message : `line ${line}: ${message}`;
  });
  return words.length === 0 ? "The provider refused the batch without saying why." : words.join("; ");
}
