/** A provider of batches in memory, on the batch port: what it does next is scripted, and what was submitted is counted. */
import type { ModelSuccess } from "../../../src/model/model.ts";
import type {
  BatchFault,
  BatchModel,
  BatchModels,
  BatchRequest,
  BatchResult,
  BatchStatus,
} from "../../../src/model/batch/batch.ts";

export interface FakeOptions {
  readonly requests?: number;
  readonly bytes?: number;
  /** How often a batch is looked at before it has ended. */
  readonly polls?: number;
  /** What comes of a request. Default: its prompt, in capitals. @param times how often it was submitted before */
  readonly answer?: (request: BatchRequest, times: number) => BatchResult["answer"];
  /** Called with each batch as it arrives; a fault is returned to the caller, and with `sent` the batch was taken all the same. */
  readonly onSubmit?: (count: number) => BatchFault | null;
  /** Ends the stream of results after so many, once. */
  readonly cutAfter?: number;
}

interface Taken {
  readonly marker: string;
  readonly requests: readonly BatchRequest[];
  looked: number;
  canceled: boolean;
}

export interface FakeBatches extends BatchModels {
  /** Custom ids of everything that arrived. */
  readonly submitted: readonly string[];
  readonly batches: readonly Taken[];
  /** Prompts of everything that arrived. */
  readonly prompts: readonly string[];
}

export function fault(kind: BatchFault["kind"], sent: boolean): BatchFault {
  return { ok: false, kind, message: `scripted ${kind}`, retry_after_ms: null, sent };
}

export function success(text: string): ModelSuccess {
  return {
    ok: true,
    parts: [{ type: "text", text, origin: { from: "model" } }],
    stop: "end_turn",
    usage: {
      input_tokens: 100,
      cache_read_tokens: 0,
      cache_write_5m_tokens: 0,
      cache_write_1h_tokens: 0,
      output_tokens: 10,
    },
    model: "claude-sonnet-4-5",
    request_id: null,
    rate: null,
  };
}

export function promptOf({ request }: BatchRequest): string {
  return request.messages
    .flatMap(({ parts }) => parts.flatMap((part) => (part.type === "text" ? [part.text] : [])))
    .join("");
}

export function fakeBatches(options: FakeOptions = {}): FakeBatches {
  const { requests = 1_000, bytes = 1_000_000, polls = 1 } = options;
  const batches: Taken[] = [];
  const submitted: string[] = [];
  const prompts: string[] = [];
  let cut = options.cutAfter ?? Infinity;
  const of = (id: string): Taken => {
    const found = batches[Number(id.slice("batch-".length))];
    if (found === undefined) throw new RangeError(`no batch ${id}`);
    return found;
  };
  const status = (id: string, taken: Taken): BatchStatus => {
    const ended = taken.canceled || taken.looked >= polls;
    const counts = { total: taken.requests.length, done: ended ? taken.requests.length : 0, failed: 0 };
    return { ok: true, id, state: ended ? "ended" : "in_progress", counts, message: null, expires_at: null };
  };
  const answerOf = (request: BatchRequest): BatchResult["answer"] => {
    const text = promptOf(request);
    const times = prompts.filter((one) => one === text).length - 1;
    return options.answer?.(request, times) ?? success(text.toUpperCase());
  };
  const model: BatchModel = {
    provider: "anthropic",
    account: "one",
    limits: { requests, bytes, results_ms: 1_000_000 },
    line: (request) => Promise.resolve(JSON.stringify(request)),
    submit: async ({ marker, lines }) => {
      const taken: BatchRequest[] = [];
      for await (const line of lines) taken.push(JSON.parse(line) as BatchRequest); // written by `line`
      const said = options.onSubmit?.(batches.length) ?? null;
      if (said !== null && !said.sent) return said;
      batches.push({ marker, requests: taken, looked: 0, canceled: false });
      submitted.push(...taken.map(({ custom_id }) => custom_id));
      prompts.push(...taken.map(promptOf));
      return said ?? { ok: true, id: `batch-${batches.length - 1}` };
    },
    find: ({ marker }) => {
      const at = batches.findIndex((taken) => taken.marker === marker);
      return Promise.resolve(
        at === -1 ? { ok: true, state: "absent" } : { ok: true, state: "found", id: `batch-${at}` },
      );
    },
    poll: (id) => {
      const taken = of(id);
      taken.looked += 1;
      return Promise.resolve(status(id, taken));
    },
    async *results(id) {
      const taken = of(id);
      for (const [at, request] of taken.requests.entries()) {
        if (at >= cut) {
          cut = Infinity;
          yield fault("network", true);
          return;
        }
        const answer = taken.canceled ? "canceled" : answerOf(request);
        yield typeof answer === "string" || !answer.ok
          ? { ok: true, custom_id: request.custom_id, answer }
          : { ok: true, custom_id: request.custom_id, answer };
        await Promise.resolve();
      }
    },
    cancel: (id) => {
      const taken = of(id);
      taken.canceled = true;
      return Promise.resolve(status(id, taken));
    },
  };
  return { of: () => Promise.resolve(model), submitted, batches, prompts };
}
