/** What stands between a request and its turn: outages, prices and limits. What it refuses is answered here. */
import type { ServerResponse } from "node:http";
import type { Clock } from "../../../kernel/clock.ts";
import { NO_MONEY } from "../../../kernel/money.ts";
import { type Asking, refused } from "../asking.ts";
import type { AnswerUsage, ApiError } from "../dialect.ts";
import type { Fault } from "../fault.ts";
import { reset } from "../line.ts";
import { createOutages, type Outage } from "../outage.ts";
import type { Scenario } from "../scenario.ts";
import { createGate, type Pass, type PoolCounts, type Wanted } from "./gate.ts";
import type { Refusal } from "./limits.ts";
import { createPricing } from "./spend.ts";

/** Of the rate headers that are made up. */
const RATE_WINDOW_MS = 60_000;
/** Nobody knows when one of the others will be done: what a refusal for concurrency says. */
const CONCURRENCY_WAIT_MS = 1_000;
const NOTHING = { input: 0, read: 0, write5m: 0, write1h: 0, output: 0 };

export interface Enforcer {
  /** @returns the refusal of a model whose spend cannot be counted */
  unpriced(asking: Asking, model: string): Promise<ApiError | null>;
  /** At once, so that what is read from the cache is still so when it is answered. @returns null: it has been refused */
  admit(asking: Asking, wanted: Wanted): Pass | null;
  /** Counts what the answer cost, where a scenario limits the spend. */
  charge(pass: Pass, wanted: Wanted, usage: AnswerUsage): Promise<void>;
  /** Sets the rate headers as the account stands now; where nothing is enforced, or a fault tells otherwise, made up. */
  stamp(asking: Asking, wanted: Wanted, fault: Fault | null): void;
  counts(): readonly PoolCounts[];
}

export function createEnforcer({ limits, outages: planned }: Scenario, clock: Clock): Enforcer {
  const gate = createGate(limits, clock);
  const outages = createOutages(planned, clock);
  const priceOf = createPricing(limits);

  const stamp: Enforcer["stamp"] = ({ dialect, response, count }, wanted, fault) => {
    const now = clock.now();
    const levels = gate.levels(wanted);
    if (levels !== null && fault?.exhausted === undefined)
      return setHeaders(response, dialect.limits.headers(levels, now));
    const resetMs = fault?.reset_ms ?? RATE_WINDOW_MS;
    setHeaders(response, dialect.rateHeaders({ count, now, exhausted: fault?.exhausted ?? null, resetMs }));
  };

  /** In the provider's words. */
  const limited = (asking: Asking, wanted: Wanted, refusal: Refusal): void => {
    const { dialect, response, note } = asking;
    note({ refused: refusal.what });
    stamp(asking, wanted, null);
    if (refusal.what !== "spend" && gate.tells) {
      const wait = refusal.what === "concurrency" ? CONCURRENCY_WAIT_MS : refusal.waitMs;
      setHeaders(response, dialect.limits.retryHeaders(wait));
    }
    refused(asking, dialect.limits.error(refusal, wanted.model, clock.now()));
  };

  return {
    counts: () => gate.counts(),
    stamp,
    unpriced: async ({ dialect }, model) => {
      if (priceOf === null || (await priceOf(dialect.name, model, NOTHING)) !== null) return null;
      return dialect.invalid(`emulator: ${model} has no price; say limits.price in the scenario.`);
    },
    admit: (asking, wanted) => {
      const out = outages.meet(wanted.model);
      if (out !== null) {
        gate.outage(wanted);
        meet(asking, out);
        return null;
      }
      const entered = gate.enter(wanted);
      if (!("refusal" in entered)) return entered;
      limited(asking, wanted, entered.refusal);
      return null;
    },
    charge: async (pass, { dialect, model }, usage) => {
      if (priceOf !== null) pass.spend((await priceOf(dialect, model, usage)) ?? NO_MONEY);
    },
  };
}

/** An outage instead of an answer. */
function meet(asking: Asking, status: Outage["status"]): void {
  const { dialect, response, note } = asking;
  note({ refused: "outage" });
  switch (status) {
    case "refuse":
      return reset(response);
    case "timeout":
      return; // the connection stays open until the client, or the emulator, closes it
    default:
      return refused(asking, dialect.errorForStatus(status));
  }
}

function setHeaders(response: ServerResponse, headers: { readonly [name: string]: string }): void {
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
}
