/** OpenAI's batches of Responses: the files that they are made of and turn into, and the batches themselves. */
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { asRecord, at, parseJson, textAt } from "../../../model/json-view.ts";
import type { ApiError } from "../dialect.ts";
import { invalid, missing } from "../openai/api-error.ts";
import { openaiResponses } from "../openai-responses/dialect.ts";
import type { BatchParts } from "./anthropic.ts";
import type { Answers, Entry } from "./answers.ts";
import type { Batch, Book, Fate } from "./book.ts";
import { type BatchAsk, carryOut, type Done, inLines, pageOf, refuse, sendLines, smallBody } from "./exchange.ts";
import { createFiles, type Files } from "./files.ts";

const REQUESTS_MAX = 50_000;
const BYTES_MAX = 200_000_000;
const ENDPOINT = "/v1/responses";
const WINDOW = "24h";
const LIMIT_DEFAULT = 20;
const LIMIT_MAX = 100;
/** Of a file that is refused; the rest is left out. */
const FAULTS_MAX = 100;
const METADATA_MAX = 16;

export interface OpenAIBatches {
  files(ask: BatchAsk, rest: string): Promise<void>;
  batches(ask: BatchAsk, rest: string): Promise<void>;
}

interface Fault {
  readonly code: string;
  readonly message: string;
  readonly param: string | null;
  readonly line: number | null;
}

type Parts = BatchParts & { readonly kept: Files };

export function createOpenAIBatches(given: BatchParts): OpenAIBatches {
  const parts: Parts = { ...given, kept: createFiles() };
  return {
    files: (ask, rest) => files(parts, ask, rest),
    batches: (ask, rest) => batches(parts, ask, rest),
  };
}

async function files(parts: Parts, ask: BatchAsk, rest: string): Promise<void> {
  const { method = "" } = ask.request;
  const [id = "", what = ""] = rest.split("/");
  const { faults, kept, book, nextId } = parts;
  if (rest === "" && method === "POST")
    return carryOut(ask, faults.next("upload"), () =>
      kept.upload(ask, nextId("file"), Math.floor(parts.clock.now() / 1_000)),
    );
  const made = outputOf(book, id);
  const file = kept.find(id);
  const isGone = made !== null && book.isArchived(made.batch);
  if (method !== "GET" || (file === undefined && made === null) || isGone)
    return refuse(ask, { ...invalid(`No such File object: ${id}`, "id"), status: 404 });
  if (what === "" && file !== undefined) return carryOut(ask, null, () => ({ body: file.shown }));
  if (what === "" && made !== null) return carryOut(ask, null, () => ({ body: outputShown(id, made.batch) }));
  if (file !== undefined) {
    ask.response.writeHead(200, { "content-type": "application/octet-stream" });
    Readable.from(file.gzip).pipe(createGunzip()).pipe(ask.response);
    return;
  }
  const fault = faults.next("results");
  const whole = fault !== null && !inLines(fault);
  if (whole) return carryOut(ask, fault, () => ({ body: {} }));
  const lines = made === null ? [] : linesOf(book, made.batch, made.kind);
  return sendLines(
    ask,
    fault,
    lines.map((result) => () => JSON.stringify(resultOf(result))),
  );
}

async function batches(parts: Parts, ask: BatchAsk, rest: string): Promise<void> {
  const { method = "" } = ask.request;
  const [id = "", what = ""] = rest.split("/");
  const { faults, book } = parts;
  if (rest === "" && method === "POST") return carryOut(ask, faults.next("create"), () => create(parts, ask));
  if (rest === "" && method === "GET") return carryOut(ask, faults.next("list"), () => list(parts, ask));
  const batch = book.find(decodeURIComponent(id));
  if (batch === undefined) return refuse(ask, { ...invalid(`No batch found with id '${id}'.`), status: 404 });
  switch (`${method} ${what}`) {
    case "GET ":
      return carryOut(ask, faults.next("get"), () => {
        book.poll(batch);
        return { body: shown(parts, batch) };
      });
    case "POST cancel":
      return carryOut(ask, faults.next("cancel"), () => {
        const status = statusOf(parts, batch);
        if (batch.ended !== null)
          return { error: { ...invalid(`Cannot cancel a batch with status '${status}'.`), status: 409 } };
        book.cancel(batch);
        return { body: shown(parts, batch) };
      });
    default:
      return refuse(ask, openaiResponses.notFound(method, `/v1/batches/${rest}`));
  }
}

async function create(parts: Parts, ask: BatchAsk): Promise<Done> {
  const { how, book, nextId } = parts;
  const body = await smallBody(ask);
  const file = textAt(body, "input_file_id");
  if (file === null) return { error: missing("input_file_id") };
  if (textAt(body, "endpoint") !== ENDPOINT)
    return { error: invalid(`emulator: only batches for ${ENDPOINT} are played`, "endpoint", "invalid_value") };
  if (textAt(body, "completion_window") !== WINDOW)
    return { error: invalid(`Invalid value: expected '${WINDOW}'.`, "completion_window", "invalid_value") };
  const metadata = asRecord(at(body, "metadata")) ?? {};
  if (Object.keys(metadata).length > METADATA_MAX)
    return {
      error: invalid(`Metadata has more than ${METADATA_MAX} keys.`, "metadata", "object_above_max_properties"),
    };
  const gzip = parts.kept.find(file)?.gzip;
  if (gzip === undefined) return { error: invalid(`No such File object: ${file}`, "input_file_id") };
  const { entries, faults } = await settled(parts, ask, gzip, how.requests_max ?? REQUESTS_MAX);
  const size = parts.kept.find(file)?.shown.bytes ?? 0;
  const limit = how.bytes_max ?? BYTES_MAX;
  const tooLong = {
    code: "file_too_large",
    message: `The batch input file is larger than ${limit} bytes.`,
    param: null,
    line: null,
  };
  const all = size > limit ? [tooLong] : faults;
  const facts = { metadata, input_file_id: file, errors: all, total: entries.length };
  const batch = book.add({ id: nextId("batch"), entries: all.length > 0 ? [] : entries, facts });
  return { body: shown(parts, batch) };
}

interface Settled {
  readonly entries: readonly Entry[];
  readonly faults: readonly Fault[];
}

async function settled(parts: Parts, ask: BatchAsk, gzip: readonly Buffer[], max: number): Promise<Settled> {
  const answers = parts.answers.of(openaiResponses, ask.headers);
  const entries: Entry[] = [];
  const faults: Fault[] = [];
  const seen: Seen = { ids: new Set(), model: null };
  let line = 0;
  for await (const text of createInterface({ input: Readable.from(gzip).pipe(createGunzip()), crlfDelay: Infinity })) {
    line += 1;
    if (text.trim() === "" || line > max) continue;
    const result = settle(answers, text, line, seen);
    if (!("code" in result)) entries.push(result);
    else if (faults.length < FAULTS_MAX) faults.push(result);
  }
  const whole = (code: string, message: string): Settled => ({
    entries: [],
    faults: [{ code, message, param: null, line: null }],
  });
  if (line > max) return whole("too_many_tasks", `The batch has ${line} requests; at most ${max} are allowed.`);
  if (line === 0) return whole("empty_file", "The input file is empty.");
  return { entries, faults };
}

interface Seen {
  readonly ids: Set<string>;
  /** That of the first request: a batch has one. */
  model: string | null;
}

function settle(answers: Answers, text: string, line: number, seen: Seen): Entry | Fault {
  const wrong = (code: string, message: string, param: string | null = null): Fault => ({ code, message, param, line });
  const parsed = parseJson(text);
  if (asRecord(parsed) === null) return wrong("invalid_json_line", "This line is not parseable as valid JSON.");
  for (const name of ["custom_id", "method", "url", "body"]) {
    if (at(parsed, name) === undefined)
      return wrong("missing_required_parameter", `Missing required parameter: '${name}'.`, name);
  }
  const id = textAt(parsed, "custom_id") ?? "";
  if (seen.ids.has(id)) return wrong("duplicate_custom_id", `The custom_id '${id}' is already used.`, "custom_id");
  if (textAt(parsed, "url") !== ENDPOINT)
    return wrong("url_mismatch", "The URL of this request does not match the endpoint of the batch.", "url");
  const model = textAt(parsed, "body", "model") ?? "";
  seen.model ??= model;
  if (model !== seen.model)
    return wrong("model_mismatch", `All requests of a batch must have the same model: ${seen.model}.`, "body.model");
  seen.ids.add(id);
  return answers.settle(id, at(parsed, "body"));
}

function list(parts: Parts, { query }: BatchAsk): Done {
  const limit = Number(query.get("limit") ?? LIMIT_DEFAULT);
  if (!Number.isInteger(limit) || limit < 1 || limit > LIMIT_MAX)
    return { error: invalid(`Invalid 'limit': expected an integer from 1 to ${LIMIT_MAX}.`, "limit", "invalid_value") };
  const { items, more } = pageOf(parts.book.all(), { after: query.get("after"), limit });
  for (const batch of items) parts.book.poll(batch);
  const data = items.map((batch) => shown(parts, batch));
  const ends = { first_id: items[0]?.id ?? null, last_id: items.at(-1)?.id ?? null };
  return { body: { object: "list", data, ...ends, has_more: more } };
}

function statusOf({ how }: Parts, batch: Batch): string {
  const { ended, canceled, polls, expires, facts } = batch;
  const errors: unknown = facts["errors"];
  if (Array.isArray(errors) && errors.length > 0) return polls === 0 ? "validating" : "failed";
  if (ended !== null) return canceled !== null ? "cancelled" : ended >= expires ? "expired" : "completed";
  if (canceled !== null) return "cancelling";
  if (polls === 0) return "validating";
  return polls === how.polls - 1 && polls > 1 ? "finalizing" : "in_progress";
}

function shown(parts: Parts, batch: Batch): object {
  const { id, created, expires, ended, canceled, facts } = batch;
  const status = statusOf(parts, batch);
  const begun = status !== "validating";
  const { succeeded, errored } = parts.book.fates(batch);
  const time = (ms: number | null): number | null => (ms === null ? null : Math.floor(ms / 1_000));
  const file = (kind: Kind, lines: number): string | null => (ended !== null && lines > 0 ? fileId(kind, id) : null);
  return {
    id,
    object: "batch",
    endpoint: ENDPOINT,
    errors: status === "failed" ? { object: "list", data: facts["errors"] } : null,
    input_file_id: facts["input_file_id"],
    completion_window: WINDOW,
    status,
    output_file_id: file("output", succeeded),
    error_file_id: file("error", batch.entries.length - succeeded),
    created_at: time(created),
    in_progress_at: begun && status !== "failed" ? time(created) : null,
    expires_at: time(expires),
    finalizing_at: status === "finalizing" || status === "completed" ? time(ended ?? created) : null,
    completed_at: status === "completed" ? time(ended) : null,
    failed_at: status === "failed" ? time(created) : null,
    expired_at: status === "expired" ? time(ended) : null,
    cancelling_at: time(canceled),
    cancelled_at: status === "cancelled" ? time(ended) : null,
    request_counts: {
      total: begun ? batch.entries.length : 0,
      completed: begun ? succeeded : 0,
      failed: begun ? errored : 0,
    },
    metadata: facts["metadata"],
  };
}

type Kind = "output" | "error";

function fileId(kind: Kind, batch: string): string {
  return `file-${kind}-${batch}`;
}

function outputOf(book: Book, id: string): { readonly batch: Batch; readonly kind: Kind } | null {
  const [, kind, name] = /^file-(output|error)-(.+)$/.exec(id) ?? [];
  const batch = book.find(name ?? "");
  return batch === undefined || batch.ended === null ? null : { batch, kind: kind === "output" ? "output" : "error" };
}

/** What succeeded stands in one file, everything else in the other. */
function linesOf(book: Book, batch: Batch, kind: Kind): readonly (readonly [Entry, Fate])[] {
  return book.results(batch).filter(([, fate]) => (fate === "succeeded") === (kind === "output"));
}

function outputShown(id: string, { created }: Batch): object {
  const created_at = Math.floor(created / 1_000);
  return {
    id,
    object: "file",
    bytes: 0,
    created_at,
    filename: `${id}.jsonl`,
    purpose: "batch_output",
    status: "processed",
  };
}

function resultOf([{ custom_id, content, outcome }, fate]: readonly [Entry, Fate]): object {
  const id = `batch_req_${content.slice(0, 16)}`;
  const request_id = `req_${content.slice(0, 16)}`;
  const unanswered = (code: string, message: string): object => ({
    ...{ id, custom_id, response: null },
    error: { code, message },
  });
  const answered = (status_code: number, body: object): object => ({
    ...{ id, custom_id, response: { status_code, request_id, body } },
    error: null,
  });
  if (fate === "canceled")
    return unanswered("batch_cancelled", "This request was not executed because the batch was cancelled.");
  if (fate === "expired" || fate === "processing")
    return unanswered("batch_expired", "This request could not be executed before the completion window expired.");
  if ("answer" in outcome) return answered(200, openaiResponses.whole(outcome.answer));
  const { error }: { readonly error: ApiError } = outcome;
  return answered(error.status, openaiResponses.errorBody(error, request_id));
}
