/**
 * One exchange about a batch, the same for every provider: under limits, and with its failure put into words as a live call's.
 *
 * X1: what a provider or the network does comes back as a fault. What the lines of a submission throw is thrown on.
 * X2: `sent` is false only where nothing can have been taken: nothing reached the provider, or it refused the request.
 */
import { type Deadlines, startDeadlines } from "../deadlines.ts";
import { END_FAULTS, type Timing } from "../exchange.ts";
import { modelFailure } from "../model-failure.ts";
import { MODEL_TIMEOUTS, type ModelTimeouts } from "../model.ts";
import { type CallFault, thrownFault } from "../thrown.ts";
import type { BatchFault } from "./batch.ts";

/** From the first byte of a submission to its receipt: 256 MB at less than two megabits a second. Milliseconds. */
export const SUBMIT_MS_MAX: number = 20 * 60_000;
/** While results are read, whoever reads them may be slow. Milliseconds. */
const RESULTS_MS_MAX = 6 * 3_600_000;

export interface BatchWire {
  readonly provider: string;
  /** What no message may show. */
  readonly secrets: readonly string[];
  /** Why nothing can be asked; null when it can. */
  readonly unready: string | null;
}

export interface Exchanges {
  /** A question with a short answer, or an order. @param what `submit` may take as long as its upload does */
  ask<T>(what: "ask" | "submit", signal: AbortSignal, run: (call: Asking) => Promise<T>): Promise<T | BatchFault>;
  /** A stream of items, ended by a fault where it fails. */
  stream<T>(signal: AbortSignal, run: (call: Asking) => AsyncIterable<T>): AsyncIterable<T | BatchFault>;
  /** In the provider's name, from what it answered. */
  fault(fault: CallFault, sent: boolean): BatchFault;
}

export interface Asking {
  readonly signal: AbortSignal;
  /** Something came, or something was sent. */
  alive(): void;
  /** From here on the order may have been carried out, whatever becomes of the answer. */
  sending(): void;
  /** What the caller handed in failed. */
  broken(error: unknown): void;
}

type Ask = "ask" | "submit";

export function createExchanges(wire: BatchWire, { clock, timeouts = MODEL_TIMEOUTS }: Timing): Exchanges {
  const fault = (call: CallFault, sent: boolean): BatchFault => {
    const { kind, message, after_ms } = call;
    const failure = modelFailure({ kind, message, retry_after_ms: after_ms }, wire.secrets);
    return {
      ok: false,
      kind: failure.kind,
      message: failure.message,
      retry_after_ms: failure.retry_after_ms,
      sent: sent && call.sent !== false && !isRefused(call.http),
    };
  };
  /** What a limit, the caller's signal, or else what was thrown makes of an exchange. */
  const endOf = (error: unknown, { deadlines, limits, answered }: Ended): CallFault => {
    const end = deadlines.end();
    if (end !== null) return END_FAULTS[end](limits);
    return thrownFault(error, {
      wire: { provider: wire.provider, requestId: () => null },
      answered,
      now: clock.now(),
    });
  };
  const unready = (): BatchFault | null =>
    wire.unready === null ? null : fault({ kind: "auth", message: wire.unready, after_ms: null }, false);

  return {
    fault,
    ask: async <T>(what: Ask, signal: AbortSignal, run: (call: Asking) => Promise<T>): Promise<T | BatchFault> => {
      const refused = unready();
      if (refused !== null) return refused;
      const limits = what === "submit" ? { ...timeouts, total_ms: SUBMIT_MS_MAX } : timeouts;
      const deadlines = startDeadlines(clock, limits, signal);
      const seen: Seen = { sending: false, broken: null };
      const carried = async (): Promise<T | BatchFault> => {
        try {
          return await run(askingOf(deadlines, seen));
        } catch (error) {
          if (seen.broken !== null) throw seen.broken.error; // X1
          return fault(endOf(error, { deadlines, limits, answered: false }), seen.sending);
        }
      };
      try {
        // Nothing waits for a connection to be torn down.
        const ended = deadlines.ended.then((end) => fault(END_FAULTS[end](limits), seen.sending));
        return await Promise.race([ended, carried()]);
      } finally {
        deadlines.close();
      }
    },
    stream: async function* <T>(
      signal: AbortSignal,
      run: (call: Asking) => AsyncIterable<T>,
    ): AsyncIterable<T | BatchFault> {
      const refused = unready();
      if (refused !== null) {
        yield refused;
        return;
      }
      const limits = { ...timeouts, total_ms: RESULTS_MS_MAX };
      const deadlines = startDeadlines(clock, limits, signal);
      let answered = false;
      try {
        for await (const item of run(askingOf(deadlines, { sending: false, broken: null }))) {
          answered = true;
          yield item;
          deadlines.alive(); // the time that the reader took is not the provider's
        }
      } catch (error) {
        yield fault(endOf(error, { deadlines, limits, answered }), true);
      } finally {
        deadlines.close();
      }
    },
  };
}

interface Ended {
  readonly deadlines: Deadlines;
  readonly limits: ModelTimeouts;
  /** Whether a response had begun. */
  readonly answered: boolean;
}

interface Seen {
  sending: boolean;
  broken: { readonly error: unknown } | null;
}

function askingOf(deadlines: Deadlines, seen: Seen): Asking {
  return {
    signal: deadlines.signal,
    alive: () => deadlines.alive(),
    sending: () => {
      seen.sending = true;
    },
    broken: (error) => {
      seen.broken = { error };
    },
  };
}

/** X2. A status that says that nothing was done. After 408 and from 500 on that is not known. */
function isRefused(http: number | undefined): boolean {
  return http !== undefined && http >= 400 && http < 500 && http !== 408;
}
