/**
 * The batch port: many independent requests handed to a provider at once, at half the price, answered within a day. An adapter
 * never throws for what a provider or the network does, never retries, and keeps nothing in memory that grows with the batch.
 *
 * B1: a submission whose receipt was lost is found again by its marker, or is known not to have arrived: nothing is submitted twice.
 * B2: every result names the request it answers; requests without a result are `expired` or `canceled` when the batch ended.
 */
import type { ErrorKind } from "../../kernel/error-kind.ts";
import type { ModelFailure, ModelRequest, ModelSuccess } from "../model.ts";

export interface BatchModel {
  readonly provider: string;
  readonly account: string;
  readonly limits: BatchLimits;
  /** One line of the submission, as it is sent: for the limit of bytes. No newline. */
  line(request: BatchRequest): Promise<string>;
  /** Uploads and creates. `lines` are of `line`, in order; they are read once. */
  submit(submission: BatchSubmission, signal: AbortSignal): Promise<BatchReceipt | BatchFault>;
  /**
   * After a crash between submission and receipt. `found`: it had arrived. `absent`: it had not, and will not. `undecided`: ask
   * again later (a submission may still be on its way, or one that could be it has not ended and does not name its requests yet).
   */
  find(lost: LostSubmission, signal: AbortSignal): Promise<BatchFound | BatchFault>;
  poll(id: string, signal: AbortSignal): Promise<BatchStatus | BatchFault>;
  /** In any order, streamed. Throws nothing: what ends it early is its last item, a fault. */
  results(id: string, signal: AbortSignal): AsyncIterable<BatchResult | BatchFault>;
  cancel(id: string, signal: AbortSignal): Promise<BatchStatus | BatchFault>;
}

export interface BatchLimits {
  /** Requests of one batch. */
  readonly requests: number;
  /** Bytes of one batch. */
  readonly bytes: number;
  /** How long results can be fetched, in milliseconds from the batch's creation. */
  readonly results_ms: number;
}

export interface BatchRequest {
  /** Ours: `[A-Za-z0-9_-]{1,64}`, unique over all batches of an account. It begins with the marker of its submission. */
  readonly custom_id: string;
  readonly request: ModelRequest;
}

export interface BatchSubmission {
  /** Ours, unique, and the beginning of no other one: written where the provider shows it again (metadata, file name) and in front of every custom id. */
  readonly marker: string;
  readonly count: number;
  readonly lines: AsyncIterable<string>;
}

export interface LostSubmission {
  readonly marker: string;
  readonly count: number;
  /** When it was journaled that it is about to be submitted, in milliseconds since the epoch. */
  readonly at: number;
  /** Batches that are known to be others. */
  readonly known: readonly string[];
}

export interface BatchReceipt {
  readonly ok: true;
  readonly id: string;
}

export type BatchFound =
  | { readonly ok: true; readonly state: "found"; readonly id: string }
  | { readonly ok: true; readonly state: "absent" | "undecided" };

export interface BatchStatus {
  readonly ok: true;
  readonly id: string;
  /** `ended`: results can be fetched, whatever they are. `failed`: the provider took none of it (`message`). */
  readonly state: "in_progress" | "canceling" | "ended" | "failed";
  /** `done` were answered well, `failed` in any other way. Some providers (Anthropic) count only once the batch ended. */
  readonly counts: { readonly total: number; readonly done: number; readonly failed: number };
  readonly message: string | null;
  /** Milliseconds since the epoch after which unanswered requests expire; null when it is not said. */
  readonly expires_at: number | null;
}

export type BatchResult =
  | { readonly ok: true; readonly custom_id: string; readonly answer: ModelSuccess }
  | {
      readonly ok: true;
      readonly custom_id: string;
      /** `expired` and `canceled` cost nothing and can be asked again; `kind` of an error says whether it can. */
      readonly answer: ModelFailure | "expired" | "canceled";
    };

export interface BatchFault {
  readonly ok: false;
  readonly kind: ErrorKind;
  readonly message: string;
  readonly retry_after_ms: number | null;
  /** Whether a submission may have arrived all the same. */
  readonly sent: boolean;
}

/** Finds the batch adapter of a provider; null where it has no batches. One that is not used is not loaded. */
export interface BatchModels {
  of(provider: string): Promise<BatchModel | null>;
}
