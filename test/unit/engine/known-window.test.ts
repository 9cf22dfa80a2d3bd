import { describe, expect, it } from "vitest";
import { windowAfter, withKnownWindow } from "../../../src/engine/known-window.ts";
import type { SessionConfig } from "../../../src/kernel/config.ts";
import { createPriceTable } from "../../../src/model/prices.ts";
import { testConfig } from "../../support/config.ts";

const prices = createPriceTable();
const { context } = testConfig();
const of = (model: string, window: number | null): SessionConfig =>
  testConfig({ provider: "anthropic", model, context: { ...context, window } });

describe("the window of a session", () => {
  it("is what the price table knows of its model, unless somebody said how large it is", async () => {
    expect((await withKnownWindow(of("claude-sonnet-4-5", null), prices)).context.window).toBe(200_000);
    expect((await withKnownWindow(of("claude-sonnet-4-5", 50_000), prices)).context.window).toBe(50_000);
    expect((await withKnownWindow(of("claude-of-tomorrow", null), prices)).context.window).toBeNull();
  });

  it("is not one that leaves no room beside an answer", async () => {
    const small = { contextWindow: async () => 4_096 };
    expect((await withKnownWindow(of("claude-sonnet-4-5", null), small)).context.window).toBeNull();
  });

  it("goes with the model of a session that goes on, and stays where a person said it", async () => {
    const table = { contextWindow: async (_: string, model: string) => (model === "large" ? 1_000_000 : 200_000) };
    expect(await windowAfter(of("small", 200_000), of("large", 200_000), table)).toBe(1_000_000);
    expect(await windowAfter(of("small", 60_000), of("large", 60_000), table)).toBe(60_000);
    expect(await windowAfter(of("small", 200_000), of("large", 300_000), table)).toBe(300_000);
    expect(await windowAfter(of("small", null), of("small", null), table)).toBeNull();
  });
});
