/** Anthropic's Message Batches. A request's parameters are checked only when it is carried out, as the provider does. */
import type { Clock } from "../../../kernel/clock.ts";
import { asRecord, at, parseJson, textAt } from "../../../model/json-view.ts";
import { apiError, invalid } from "../anthropic/api-error.ts";
import { anthropic } from "../anthropic/dialect.ts";
import type { ApiError } from "../dialect.ts";
import type { Answers, BatchAnswers, Entry } from "./answers.ts";
import { listedObjects } from "./body.ts";
import type { Batch, Book, Fate } from "./book.ts";
import {
  type BatchAsk,
  type BatchFaults,
  carryOut,
  type Done,
  inLines,
  pageOf,
  refuse,
  sendLines,
} from "./exchange.ts";
import type { Batches } from "./grammar.ts";

const REQUESTS_MAX = 100_000;
const BYTES_MAX = 256_000_000;
const CUSTOM_ID = /^[a-zA-Z0-9_-]{1,64}$/;
const LIMIT_DEFAULT = 20;
const LIMIT_MAX = 1_000;

export interface BatchParts {
  readonly how: Batches;
  readonly book: Book;
  readonly answers: BatchAnswers;
  readonly faults: BatchFaults;
  readonly nextId: (prefix: string) => string;
  readonly clock: Clock;
}

/** @param rest of the path behind `/messages/batches`, without its slash: empty, an id, or an id with what is asked of it */
export async function messageBatches(parts: BatchParts, ask: BatchAsk, rest: string): Promise<void> {
  const { book, faults } = parts;
  const { method = "" } = ask.request;
  const [id = "", what = ""] = rest.split("/");
  if (rest === "" && method === "POST") return carryOut(ask, faults.next("create"), () => create(parts, ask));
  if (rest === "" && method === "GET") return carryOut(ask, faults.next("list"), () => list(parts, ask));
  const batch = book.find(decodeURIComponent(id));
  if (batch === undefined) return refuse(ask, notFound(`No message batch has the id ${id}.`));
  switch (`${method} ${what}`) {
    case "GET ":
      return carryOut(ask, faults.next("get"), () => {
        book.poll(batch);
        return { body: shown(parts, ask, batch) };
      });
    case "GET results":
      return results(parts, ask, batch);
    case "POST cancel":
      return carryOut(ask, faults.next("cancel"), () => {
        if (batch.ended !== null) return { error: invalid(`Message batch ${id} has ended and cannot be canceled.`) };
        book.cancel(batch);
        return { body: shown(parts, ask, batch) };
      });
    case "DELETE ":
      return carryOut(ask, null, () => {
        if (batch.ended === null) return { error: invalid(`Message batch ${id} has not ended: cancel it first.`) };
        book.remove(batch.id);
        return { body: { id: batch.id, type: "message_batch_deleted" } };
      });
    default:
      return refuse(ask, anthropic.notFound(method, `/v1/messages/batches/${rest}`));
  }
}

async function create(parts: BatchParts, ask: BatchAsk): Promise<Done> {
  const { how, book, nextId } = parts;
  const bytesMax = how.bytes_max ?? BYTES_MAX;
  const requestsMax = how.requests_max ?? REQUESTS_MAX;
  let bytes = 0;
  const counted = async function* (): AsyncIterable<Buffer> {
    for await (const chunk of ask.request as AsyncIterable<Buffer>) {
      bytes += chunk.byteLength;
      // Read on past the limit without looking: the client must get its answer, not a broken pipe.
      if (bytes <= bytesMax) yield chunk;
    }
  };
  const answers = parts.answers.of(anthropic, ask.headers);
  const entries: Entry[] = [];
  const ids = new Set<string>();
  let wrong: ApiError | null = null;
  let count = 0;
  for await (const text of listedObjects(counted())) {
    const settled: Settled | null = wrong !== null || count >= requestsMax ? null : settle(answers, text, count, ids);
    if (settled !== null && "error" in settled) wrong = settled.error;
    else if (settled !== null) entries.push(settled);
    count += 1;
  }
  if (bytes > bytesMax) return { error: anthropic.tooLarge() };
  if (count > requestsMax)
    return { error: invalid(`requests: List should have at most ${requestsMax} items after validation, not ${count}`) };
  if (wrong !== null) return { error: wrong };
  if (count === 0) return { error: invalid("requests: List should have at least 1 item after validation, not 0") };
  return { body: shown(parts, ask, book.add({ id: nextId("msgbatch"), entries, facts: {} })) };
}

type Settled = Entry | { readonly error: ApiError };

function settle(answers: Answers, text: string, index: number, ids: Set<string>): Settled {
  const parsed = parseJson(text);
  const id = textAt(parsed, "custom_id");
  if (id === null) return { error: invalid(`requests.${index}.custom_id: Field required`) };
  if (!CUSTOM_ID.test(id))
    return { error: invalid(`requests.${index}.custom_id: String should match pattern '^[a-zA-Z0-9_-]{1,64}$'`) };
  if (ids.has(id)) return { error: invalid(`requests.${index}.custom_id: Each request must have a unique custom_id`) };
  if (asRecord(at(parsed, "params")) === null) return { error: invalid(`requests.${index}.params: Field required`) };
  ids.add(id);
  return answers.settle(id, at(parsed, "params"));
}

function list(parts: BatchParts, ask: BatchAsk): Done {
  const { query } = ask;
  const limit = Number(query.get("limit") ?? LIMIT_DEFAULT);
  if (!Number.isInteger(limit) || limit < 1 || limit > LIMIT_MAX)
    return { error: invalid(`limit: Input should be between 1 and ${LIMIT_MAX}`) };
  const where = { after: query.get("after_id"), before: query.get("before_id"), limit };
  const { items, more } = pageOf(parts.book.all(), where);
  for (const batch of items) parts.book.poll(batch);
  const data = items.map((batch) => shown(parts, ask, batch));
  return { body: { data, has_more: more, first_id: items[0]?.id ?? null, last_id: items.at(-1)?.id ?? null } };
}

async function results({ book, faults }: BatchParts, ask: BatchAsk, batch: Batch): Promise<void> {
  const fault = faults.next("results");
  const send = fault !== null && inLines(fault) ? null : fault;
  if (send !== null) return carryOut(ask, send, () => ({ body: {} }));
  if (batch.ended === null) return refuse(ask, invalid(`Message batch ${batch.id} has not ended: it has no results.`));
  if (book.isArchived(batch)) return refuse(ask, notFound(`The results of message batch ${batch.id} are archived.`));
  await sendLines(
    ask,
    fault,
    book.results(batch).map((result) => () => JSON.stringify(resultOf(result))),
  );
}

function resultOf([{ custom_id, outcome }, fate]: readonly [Entry, Fate]): object {
  if (fate === "expired" || fate === "canceled" || fate === "processing")
    return { custom_id, result: { type: fate === "processing" ? "expired" : fate } };
  if ("error" in outcome)
    return {
      custom_id,
      result: { type: "errored", error: { ...anthropic.errorBody(outcome.error, ""), request_id: null } },
    };
  return { custom_id, result: { type: "succeeded", message: anthropic.whole(outcome.answer) } };
}

/** Until it ended, every request counts as processing. */
function shown({ book }: BatchParts, { origin }: BatchAsk, batch: Batch): object {
  const { id, created, expires, ended, canceled, entries } = batch;
  const none = { processing: entries.length, succeeded: 0, errored: 0, canceled: 0, expired: 0 };
  const archived = book.isArchived(batch);
  return {
    id,
    type: "message_batch",
    processing_status: ended !== null ? "ended" : canceled === null ? "in_progress" : "canceling",
    request_counts: ended === null ? none : book.fates(batch),
    ended_at: timeOf(ended),
    created_at: timeOf(created),
    expires_at: timeOf(expires),
    archived_at: archived ? timeOf(expires) : null,
    cancel_initiated_at: timeOf(canceled),
    results_url: ended === null || archived ? null : `${origin}/v1/messages/batches/${id}/results`,
  };
}

function timeOf(ms: number | null): string | null {
  return ms === null ? null : new Date(Math.floor(ms)).toISOString();
}

function notFound(message: string): ApiError {
  return apiError(404, "not_found_error", message);
}
