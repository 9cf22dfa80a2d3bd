import { describe, expect, it } from "vitest";
import type { ErrorKind } from "../../../src/kernel/error-kind.ts";
import {
  type Breaker,
  breakerState,
  CLOSED,
  ended,
  entered,
  shutFor,
  withoutDeadProbe,
} from "../../../src/model/admission/breaker.ts";
import type { CallEnd } from "../../../src/model/admission.ts";

const NOW = 1_750_000_000_000;
const WELL: CallEnd = { sent: true, failure: null, usage: null, rate: null, duration_ms: 5 };
const failed = (kind: ErrorKind, sent = true): CallEnd => ({
  ...WELL,
  sent,
  failure: { kind, message: "", retry_after_ms: null },
});

/** After these failures, one second apart. */
function after(kinds: readonly ErrorKind[], start: Breaker = CLOSED): Breaker {
  return kinds.reduce((breaker, kind, i) => ended(breaker, `t${i}`, failed(kind), NOW + i * 1_000, 0), start);
}

const OPEN = after(["overloaded", "server_error", "timeout", "stream_idle", "stream_cut"]);
const OPENED_AT = NOW + 4_000;

describe("the breaker of a model", () => {
  it("opens after five failures of the model in a row, for fifteen seconds", () => {
    expect(breakerState(after(["network", "network", "network", "network"]), NOW + 3_000)).toBe("closed");
    expect(breakerState(OPEN, OPENED_AT)).toBe("open");
    expect(shutFor(OPEN, OPENED_AT)).toBe(15_000);
  });

  it.each<ErrorKind>(["auth", "billing", "rate_limit", "invalid_request", "quota_exhausted", "interrupted"])(
    "does not open for %s, which says nothing of the model",
    (kind) => {
      expect(after(Array.from({ length: 20 }, () => kind))).toEqual(CLOSED);
    },
  );

  it("starts to count anew after an answer, and forgets what is older than two minutes", () => {
    const four: Breaker = after(["network", "network", "network", "network"]);
    expect(ended(four, "t", WELL, NOW, 0)).toEqual(CLOSED);
    expect(breakerState(ended(four, "t", failed("network"), NOW + 123_000, 0), NOW + 123_000)).toBe("closed");
  });

  it("takes a call that was given up for no answer", () => {
    const four: Breaker = after(["network", "network", "network", "network"]);
    expect(ended(four, "t", { ...WELL, sent: false }, NOW, 0)).toEqual(four);
  });

  it("lets exactly one call through when the time is over", () => {
    const at = OPENED_AT + 15_000;
    expect(breakerState(OPEN, at)).toBe("half_open");
    expect(shutFor(OPEN, at)).toBe(0);
    expect(shutFor(entered(OPEN, "probe"), at)).toBeGreaterThan(0);
  });

  it("closes when that call is answered, and also when it is answered with another error", () => {
    const probing = entered(OPEN, "probe");
    expect(ended(probing, "probe", WELL, OPENED_AT + 16_000, 0)).toEqual(CLOSED);
    expect(ended(probing, "probe", failed("rate_limit"), OPENED_AT + 16_000, 0)).toEqual(CLOSED);
  });

  it("opens for twice as long when that call fails, up to five minutes, each a little different", () => {
    let breaker = OPEN;
    let at = OPENED_AT + 15_000;
    const lengths: number[] = [];
    for (let i = 0; i < 7; i++) {
      breaker = ended(entered(breaker, "probe"), "probe", failed("overloaded"), at, 0);
      lengths.push(shutFor(breaker, at));
      at += shutFor(breaker, at);
    }
    expect(lengths).toEqual([30_000, 60_000, 120_000, 240_000, 300_000, 300_000, 300_000]);
    expect(shutFor(ended(entered(OPEN, "p"), "p", failed("overloaded"), at, 0.5), at)).toBe(33_000);
  });

  it("hears nothing from calls that were sent before it opened", () => {
    const probing = entered(OPEN, "probe");
    expect(ended(probing, "older", WELL, OPENED_AT + 16_000, 0)).toEqual(probing);
    expect(ended(probing, "older", failed("network"), OPENED_AT + 16_000, 0)).toEqual(probing);
  });

  it("gives the probe to another when its holder gave it up or died", () => {
    const probing = entered(OPEN, "probe");
    expect(ended(probing, "probe", failed("interrupted"), OPENED_AT + 16_000, 0).probe).toBeNull();
    expect(withoutDeadProbe(probing, new Set(["other"])).probe).toBeNull();
    expect(withoutDeadProbe(probing, new Set(["probe"])).probe).toBe("probe");
  });
});
