/**
 * Before a call is sent: its turn under the rate that all processes of an account share, and the breaker of its model.
 *
 * A1: what is sent together never is more than the provider allows, as far as it said so (headers) or showed it (429s).
 * A2: whoever waits gets a turn: nobody is passed over for ever, and nobody waits longer than the patience without being told.
 * A3: a process that died holding a turn, or waiting for one, is forgotten within `ADMISSION_TTL_MS`.
 */
import type { ErrorKind } from "../kernel/error-kind.ts";
import type { TenantId } from "../kernel/ids.ts";
import type { Usage } from "../kernel/usage.ts";
import type { RateReport } from "./model.ts";

export const ADMISSION_TTL_MS = 30_000;

export interface Admission {
  /** Settles with a turn, or with why there is none. Rejects only with what the store throws, and when the signal aborts. */
  enter(request: AdmissionRequest, options: AdmissionOptions): Promise<Admitted | NotAdmitted>;
}

export interface AdmissionRequest {
  readonly tenant: TenantId;
  readonly provider: string;
  readonly model: string;
  /** Tells accounts apart without saying the key: `Model.account`. */
  readonly account: string;
  /** Who asks, for fairness: the session. */
  readonly party: string;
  /** Likely size of the prompt, and `max_tokens`. */
  readonly input_tokens: number;
  readonly output_tokens: number;
  /** Of `input_tokens`, what is likely to be read from the provider's cache: Anthropic does not count it against the rate. */
  readonly cached_tokens: number;
}

export interface AdmissionOptions {
  readonly signal: AbortSignal;
  /** A wait that is likely to be longer is refused as `rate_limit` instead. Milliseconds; null waits as long as it takes. */
  readonly patience_ms: number | null;
  /** Called, and waited for, when the wait begins and whenever its reason changes, at most once a second. What it throws ends the wait. */
  readonly onWait: (view: WaitView) => Promise<void>;
}

export interface WaitView {
  /** How long it is likely to take from now, in milliseconds. */
  readonly wait_ms: number;
  /** `62 % of input tokens/min used by 3 runs` */
  readonly reason: string;
}

export interface Admitted {
  readonly ok: true;
  /** How long was waited, in milliseconds, and for what (the last reason; empty without a wait). */
  readonly waited_ms: number;
  readonly reason: string;
  /** Gives the turn back and learns from what came of it. To be called once, also when nothing was sent. */
  settle(end: CallEnd): Promise<void>;
}

export interface NotAdmitted {
  readonly ok: false;
  /** `rate_limit`: the patience would be passed. `circuit_open`: the model's breaker is open. */
  readonly kind: Extract<ErrorKind, "rate_limit" | "circuit_open">;
  readonly message: string;
  /** When it may be worth another try, in milliseconds from now. */
  readonly retry_after_ms: number;
}

export interface CallEnd {
  /** False: the call was given up before it was sent. */
  readonly sent: boolean;
  /** Null: it was answered. */
  readonly failure: {
    readonly kind: ErrorKind;
    readonly message: string;
    readonly retry_after_ms: number | null;
  } | null;
  /** Null where the provider reported none. */
  readonly usage: Usage | null;
  readonly rate: RateReport | null;
  readonly duration_ms: number;
}

/** Lets everything through: for a model of one's own that has neither rate nor breaker, and for tests about something else. */
export const NO_ADMISSION: Admission = {
  enter: () => Promise.resolve({ ok: true, waited_ms: 0, reason: "", settle: () => Promise.resolve() }),
};
