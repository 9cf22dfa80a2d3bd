/** A whole answer of a batch, put together by the builder that reads live streams: the same rules hold for both. */
import type { AnswerBuilder, AnswerFault } from "../answer-builder.ts";
import { modelFailure } from "../model-failure.ts";
import type { ModelFailure, ModelSuccess } from "../model.ts";
import type { BatchResult } from "./batch.ts";

export interface Whole {
  readonly custom_id: string;
  readonly builder: AnswerBuilder;
  /** As a stream would have brought the answer, in order. */
  readonly events: readonly object[];
  readonly request_id: string | null;
  readonly secrets: readonly string[];
}

export function wholeAnswer(whole: Whole): BatchResult {
  const answer = built(whole);
  const { custom_id } = whole;
  return answer.ok ? { ok: true, custom_id, answer } : { ok: true, custom_id, answer };
}

function built({ builder, events, request_id, secrets }: Whole): ModelSuccess | ModelFailure {
  const failed = ({ kind, message, after_ms }: AnswerFault): ModelFailure =>
    modelFailure(
      { kind, message, retry_after_ms: after_ms, request_id, partial: builder.partial(), usage: builder.usage() },
      secrets,
    );
  for (const event of events) {
    const fault = builder.take(null, JSON.stringify(event));
    if (fault !== null) return failed(fault);
  }
  const done = builder.finish();
  // The rate of live calls says nothing about batches, which have their own.
  return "kind" in done ? failed(done) : { ok: true, ...done, request_id, rate: null };
}
