/** What a seed is: the configuration of its session, its weather, and what people and the machine do to it. */
import { DEFAULT_FLOW } from "../../src/kernel/permissions.ts";
import { type Budget, type Cap, NO_CAP } from "../../src/kernel/budget.ts";
import type { SessionConfig } from "../../src/kernel/config.ts";
import { type ChosenModel, FALLBACK_REASONS, NO_FALLBACK } from "../../src/kernel/model-policy.ts";
import { type NanoDollars, nanoDollars } from "../../src/kernel/money.ts";
import { DEFAULT_CONTEXT } from "../../src/kernel/work-policy.ts";
import { testConfig } from "../support/config.ts";
import type { Dice } from "./dice.ts";
import type { Weather } from "./sim-host.ts";

export const FAIR: Weather = {
  store: { fail: 0, crash: 0, slow: 0 },
  disk: { fail: 0, crash: 0, slow: 0, freeze: 0 },
  shell: { fail: 0, crash: 0, freeze: 0 },
  model: { trouble: 0, crash: 0, calm: true },
  tool: { crash: 0, unready: false },
  person: { absent: false, silent: 0, refuses: 0 },
};

export type Disturbance =
  "crash" | "freeze" | "cancel" | "cancel from elsewhere" | "clock back" | "clock forward" | "suspend" | "rival";

export interface Scenario {
  readonly config: Omit<SessionConfig, "versions">;
  readonly weather: Weather;
  readonly snapshots: boolean;
  /** Before the weather clears. */
  readonly runs: number;
  /** Of each run. */
  readonly disturbances: readonly (readonly [weight: number, what: Disturbance])[];
  readonly disturbed: number;
  /** Processes run on machines that cannot see each other's. */
  readonly machines: readonly string[];
}

export function scenarioOf(luck: Dice): Scenario {
  const weather = luck.weighted<() => Weather>([
    [3, () => ({ ...FAIR, model: { trouble: 0.1, crash: 0, calm: false } })],
    [5, () => rough(luck)],
  ])();
  return {
    config: configOf(luck),
    weather,
    snapshots: luck.chance(0.9),
    runs: luck.int(1, 5),
    disturbances: [
      [5, "crash"],
      [3, "freeze"],
      [3, "cancel"],
      [2, "cancel from elsewhere"],
      [1, "clock back"],
      [1, "clock forward"],
      [1, "suspend"],
      [2, "rival"],
    ],
    disturbed: luck.pick([0, 1, 1, 2, 3]),
    machines: luck.chance(0.25) ? ["here", "there"] : ["here"],
  };
}

/** Each trouble by itself, or some together: what never happens alone is hard to understand. */
function rough(luck: Dice): Weather {
  const rate = (highest: number): number => (luck.chance(0.35) ? luck.pick([0.1, 0.4, 1]) * highest : 0);
  return {
    store: { fail: rate(0.03), crash: rate(0.03), slow: rate(0.1) },
    disk: { fail: rate(0.1), crash: rate(0.05), slow: rate(0.2), freeze: rate(0.1) },
    shell: { fail: rate(0.2), crash: rate(0.1), freeze: rate(0.3) },
    model: { trouble: luck.pick([0, 0.1, 0.1, 0.5, 0.5, 0.9, 1]), crash: rate(0.1), calm: false },
    tool: { crash: rate(0.2), unready: true },
    person: { absent: luck.chance(0.1), silent: rate(0.5), refuses: luck.pick([0, 0.3]) },
  };
}

function configOf(luck: Dice): Omit<SessionConfig, "versions"> {
  const mode = luck.chance(0.7) ? "bwrap" : "none";
  const { versions: _versions, ...config } = testConfig({
    provider: "scripted",
    model: "simulated-1",
    limits: {
      turns: luck.weighted([
        [1, 2],
        [2, 8],
        [6, 40],
      ]),
      active_ms: luck.weighted([
        [1, 20_000],
        [2, 90_000],
        [6, 900_000],
      ]),
      tokens: luck.weighted([
        [1, 15_000],
        [1, 100_000],
        [8, 4_000_000],
      ]),
    },
    models: {
      ...NO_FALLBACK,
      fallback: luck.weighted([
        [2, []],
        [1, [other("simulated-2"), other("simulated-3")]],
      ]),
      fallback_on: [...FALLBACK_REASONS],
    },
    budget: budgetOf(luck),
    sandbox: { mode, network: luck.chance(0.2) },
    workspace: {
      mode: luck.weighted([
        [7, "clone"],
        [2, "copy"],
        [1, "in_place"],
      ]),
      base: null,
    },
    approval: mode === "bwrap" ? "sandbox" : luck.pick(["ask", "allow"]),
    flow: { ...DEFAULT_FLOW, untrusted: luck.chance(0.05) ? "a fork" : null },
    permission_mode: luck.chance(0.05) ? "plan" : "default",
    // Some windows are so small that the conversation is compacted, or cannot be.
    context: {
      ...DEFAULT_CONTEXT,
      window: luck.weighted([
        [6, null],
        [2, 40_000],
        [1, 22_000],
        [1, 13_000],
      ]),
      compact_every: luck.weighted([
        [8, null],
        [1, 5],
      ]),
      summary: luck.chance(0.7),
    },
    phases: luck.weighted([
      [8, []],
      [1, PHASES],
    ]),
    setup: luck.weighted([
      [30, null],
      [8, "sleep 300\nexit 0"],
      [1, "exit 1"],
    ]),
    verify: luck.weighted([
      [6, null],
      [3, "sleep 200\nexit 0"],
      [1, "out 9000\nexit 1"],
    ]),
  });
  return config;
}

const PHASES: SessionConfig["phases"] = [
  { name: "explore", tools: ["read", "look", "todo"], read_only: true, instructions: "Look around." },
  { name: "implement", tools: null, read_only: false, instructions: null },
];

function other(model: string): ChosenModel {
  return { provider: "scripted", model };
}

/** Money is three micro-dollars a token (`sim-host.ts`): a call's worst case is some five cents. */
function budgetOf(luck: Dice): Budget {
  const money = (cents: number): NanoDollars => nanoDollars(cents * 10_000_000);
  const cap = (scope: string, facts: Partial<Cap>): Cap => ({ ...NO_CAP, scope, ...facts });
  return {
    caps: luck.weighted([
      [6, [cap("session", { cost: money(500) })]],
      [1, [cap("session", { cost: money(5) }), cap("turn", { tokens: 20_000 })]],
      [1, [cap("session", { cost: money(30) }), cap("run", { cost: money(12), turns: 9 })]],
      [1, [cap("phase:plan", { tokens: 100_000 }), cap("phase:work", { tokens: 60_000 })]],
    ]),
    alert_at: luck.pick([null, 0.1, 0.8]),
    turn_alert: luck.pick([null, money(1)]),
  };
}
