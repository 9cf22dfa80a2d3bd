/** The settings files: what may stand there, what is said about the rest, and which of the two goes first. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { noSettings, readSettings, type Settings } from "../../../src/cli/resolved-settings.ts";
import { NO_CAP } from "../../../src/kernel/budget.ts";

let home = "";
let managed = "";
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "belay-settings-"));
  managed = join(home, "managed.json");
});
afterEach(() => {
  rmSync(home, { recursive: true, force: true });
});

/** As JSON, or as the text itself. */
function written(path: string, content: unknown): void {
  writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content, null, 2));
}

function read(user: unknown, machine?: unknown): Settings {
  written(join(home, "settings.json"), user);
  if (machine !== undefined) written(managed, machine);
  return readSettings(home, managed);
}

const WHOLE = {
  model: {
    primary: "fast",
    fallback: ["openai/gpt-5.5"],
    fallback_on: ["overloaded", "refusal"],
    patience: "1m30s",
    phases: { plan: "claude-opus-4-5" },
    skills: { review: "fast" },
    sub_agents: { search: "fast" },
  },
  aliases: { fast: "anthropic/claude-haiku-4-5" },
  models: { allowed: ["anthropic/*", "openai/gpt-5*"] },
  budget: {
    session: "5.00",
    alert_at: 0.5,
    turn_alert: "0.50",
    phases: { plan: "10k", work: "$1.5" },
    groups: { team: "20" },
  },
  prices: { "ollama/qwen3": { input: 0, output: 0.1, cache_read: 0.01 } },
  context: { window: 200_000, threshold: 0.7, weigh_every: 20, compact_every: 25, summary: false },
  phases: ["explore", { name: "port", tools: ["read", "edit"], read_only: false, instructions: "Port it." }],
  agents: { depth: 2, width: 3, total: 12 },
  memory: { recall: 3, remember: false },
  review_every: 4,
};

describe("the settings files", () => {
  it("may hold everything that the pages say", () => {
    expect(read(WHOLE)).toEqual({
      model: { ...WHOLE.model, patience: 90_000 },
      aliases: WHOLE.aliases,
      allowed: [{ patterns: WHOLE.models.allowed, from: join(home, "settings.json") }],
      budget: { alert_at: 0.5, turn_alert: 500_000_000 },
      caps: [
        { ...NO_CAP, scope: "session", cost: 5_000_000_000, strict: true },
        { ...NO_CAP, scope: "phase:plan", tokens: 10_000 },
        { ...NO_CAP, scope: "phase:work", cost: 1_500_000_000, strict: true },
        { ...NO_CAP, scope: "group:team", cost: 20_000_000_000, strict: true },
      ],
      ceiling: { caps: [], from: managed },
      prices: WHOLE.prices,
      work: {
        context: WHOLE.context,
        phases: WHOLE.phases,
        agents: WHOLE.agents,
        memory: WHOLE.memory,
        review_every: 4,
      },
      user_path: join(home, "settings.json"),
    });
  });

  it("need not be there, and may be empty", () => {
    const nothing = noSettings(home);
    expect(readSettings(home, managed)).toEqual({ ...nothing, ceiling: { caps: [], from: managed } });
    expect(read({}, {})).toEqual({ ...nothing, ceiling: { caps: [], from: managed } });
  });

  it("of the user go before those of the machine, but not where the machine restricts", () => {
    const machine = {
      model: { primary: "openai/gpt-5.5", patience: "5s", phases: { plan: "fast" } },
      aliases: { fast: "openai/gpt-5.5-mini", house: "openai/gpt-5.5" },
      models: { allowed: ["openai/*"] },
      budget: { session: "3", alert_at: 0.9 },
      prices: { "ollama/qwen3": { input: 7, output: 7 } },
    };
    const settings = read(WHOLE, machine);
    expect(settings.model).toEqual({ ...WHOLE.model, patience: 90_000 });
    expect(settings.aliases).toEqual({ ...machine.aliases, ...WHOLE.aliases });
    expect(settings.budget.alert_at).toBe(0.5);
    expect(settings.allowed.map(({ patterns }) => patterns)).toEqual([["openai/*"], WHOLE.models.allowed]);
    expect(settings.ceiling.caps).toEqual([{ ...NO_CAP, scope: "session", cost: 3_000_000_000, strict: true }]);
    expect(settings.prices).toEqual(machine.prices);
  });

  it("find a price by the provider's own name for the model", () => {
    expect(Object.keys(read({ prices: { " openai/gpt-9": { input: 1, output: 1 } } }).prices)).toEqual([
      "openai/gpt-9",
    ]);
  });
});

describe("a mistake in a settings file", () => {
  const cases: readonly (readonly [string, unknown, RegExp])[] = [
    [
      "an unknown section",
      { budgets: {} },
      /line 2, budgets is not known; known are model, aliases, models, budget, pri/,
    ],
    [
      "an unknown key",
      { budget: { sesion: "5" } },
      /line 3, budget\.sesion is not known; known are session, alert_at, /,
    ],
    [
      "an unknown part of a price",
      { prices: { "ollama/a": { in: 1 } } },
      /prices\.ollama\/a\.in is not known; known are inp/,
    ],
    ["a number for money", { budget: { session: 5 } }, /line 3, budget\.session: expected string, received number/],
    ["money that is none", { budget: { turn_alert: "five" } }, /budget\.turn_alert: It must be an amount in dollars/],
    ["a negative price", { prices: { "ollama/a": { input: -1, output: 1 } } }, /prices\.ollama\/a\.input: Too small/],
    [
      "a price of nobody",
      { prices: { "house/a": { input: 1, output: 1 } } },
      /prices\.house\/a: It must be provider\/model, of a provider that belay has/,
    ],
    ["a share above one", { budget: { alert_at: 80 } }, /budget\.alert_at: Too big/],
    [
      "a phase that could be both",
      { budget: { phases: { plan: "10" } } },
      /budget\.phases\.plan: It must be tokens such/,
    ],
    [
      "a name that is none",
      { budget: { groups: { "a b": "1" } } },
      /budget\.groups\.a b: It must be a name of letters/,
    ],
    ["a time without a unit", { model: { patience: "30" } }, /model\.patience: It must be a time such as 30s/],
    [
      "a reason that is none",
      { model: { fallback_on: ["auth"] } },
      /model\.fallback_on\[0\]: Invalid option: .*"overloaded"/,
    ],
    ["a model of nobody", { model: { fallback: ["fast"] } }, /model\.fallback\[0\] is "fast", which is neither/],
    ["an alias of an alias", { aliases: { a: "claude-x", b: "a" } }, /line 4, aliases\.b: It must be provider\/model/],
    [
      "a pattern that fits nothing",
      { models: { allowed: ["claude-*"] } },
      /models\.allowed\[0\]: It must be provider\/model/,
    ],
    ["a threshold above the window", { context: { threshold: 2 } }, /context\.threshold: Too big/],
    [
      "an unknown member of a phase",
      { phases: [{ name: "look", readonly: true }] },
      /phases\[0\]\.readonly is not known; known are name, tools/,
    ],
    ["a phase twice", { phases: ["explore", "explore"] }, /phases: It names a phase twice/],
    ["reviews of never", { review_every: 0 }, /review_every: Too small/],
    ["no object", [1], /the whole: expected object, received array/],
    ["no JSON", '{\n  "budget": {,}\n}', /it is no JSON: .*line 2/],
  ];

  it.each(cases)("is named with its place and what may stand there: %s", (_, content, named) => {
    expect(() => read(content)).toThrow(named);
    expect(() => read(content)).toThrow(join(home, "settings.json"));
    expect(() => read({}, content)).toThrow(managed);
  });

  it("is no missing file: what is no file, is too large or cannot be read is said", () => {
    expect(() => read(" ".repeat(300_000))).toThrow("it has more than 262144 bytes");
    mkdirSync(managed);
    expect(() => read({})).toThrow(`${managed} cannot be used: it is no file`);
    rmSync(managed, { recursive: true });
    symlinkSync(managed, managed);
    expect(() => read({})).toThrow(`${managed} cannot be used: it cannot be read (ELOOP)`);
  });
});
