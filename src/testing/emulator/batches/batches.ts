/**
 * Batches of both providers, beside the models: a submission is read as a stream and settled request by request, so that none is
 * ever held whole. Who pays twice is counted.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Clock } from "../../../kernel/clock.ts";
import { anthropic } from "../anthropic/dialect.ts";
import type { Dialect } from "../dialect.ts";
import { openaiResponses } from "../openai-responses/dialect.ts";
import type { RecordedRequest } from "../request-log.ts";
import type { Scenario } from "../scenario.ts";
import { createBatchAnswers } from "./answers.ts";
import { messageBatches } from "./anthropic.ts";
import { type BatchCounts, createBook } from "./book.ts";
import { type BatchAsk, createBatchFaults, drained, refuse } from "./exchange.ts";
import { createOpenAIBatches } from "./openai.ts";
import { batches as grammar } from "./grammar.ts";

export type { BatchCounts } from "./book.ts";

export interface BatchRequest {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly headers: RecordedRequest["headers"];
  readonly requestId: string;
  /** The path without the version, without a query. */
  readonly path: string;
}

export interface BatchServer {
  /** @returns in whose words the path is answered here; null where it is none of batches */
  dialectOf(path: string): Dialect | null;
  handle(request: BatchRequest): Promise<void>;
  counts(): BatchCounts;
  /** Turns and faults that no batch met, named. */
  remaining(): readonly string[];
}

export interface BatchServerParts {
  readonly scenario: Scenario;
  readonly apiKey: string | null;
  readonly clock: Clock;
}

const PATHS: readonly (readonly [path: string, dialect: Dialect])[] = [
  ["/messages/batches", anthropic],
  ["/batches", openaiResponses],
  ["/files", openaiResponses],
];

export function createBatchServer({ scenario, apiKey, clock }: BatchServerParts): BatchServer {
  const how = scenario.batches ?? grammar.parse({});
  const book = createBook(how, clock);
  const answers = createBatchAnswers(scenario, how, clock);
  let made = 0;
  const nextId = (prefix: string): string => `${prefix}_emulator_${++made}`;
  const parts = { how, book, answers, faults: createBatchFaults(how), nextId, clock };
  const openai = createOpenAIBatches(parts);
  const placeOf = (path: string): (typeof PATHS)[number] | undefined =>
    PATHS.find(([known]) => path === known || path.startsWith(`${known}/`));

  return {
    counts: () => book.counts(),
    remaining: () => answers.remaining(),
    dialectOf: (path) => placeOf(path)?.[1] ?? null,
    handle: async ({ request, response, headers, requestId, path }) => {
      const [known, dialect] = placeOf(path) ?? ["", anthropic];
      const origin = `http://${headers["host"] ?? "127.0.0.1"}`;
      const query = new URL(request.url ?? "/", origin).searchParams;
      const ask: BatchAsk = { dialect, request, response, headers, requestId, query, origin };
      const rest = path.slice(known.length + 1);
      const fault = dialect.headError({ headers, apiKey });
      if (fault) {
        await drained(request);
        return refuse(ask, fault);
      }
      switch (known) {
        case "/messages/batches":
          return messageBatches(parts, ask, rest);
        case "/files":
          return openai.files(ask, rest);
        default:
          return openai.batches(ask, rest);
      }
    },
  };
}
