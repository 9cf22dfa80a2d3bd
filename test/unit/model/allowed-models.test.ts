/** What is not allowed is never sent: not by a typing error, not by a fallback, not by a caller that forgot to look. */
import { fc } from "../../support/property.ts";
import { describe, expect, it } from "vitest";
import { systemClock } from "../../../src/host/system-clock.ts";
import { createIds } from "../../../src/kernel/ids.ts";
import { type AllowedModels, forbiddenBy, requireAllowed } from "../../../src/model/allowed-models.ts";
import { createModels } from "../../../src/model/providers.ts";

const list = (...patterns: readonly string[]): AllowedModels => ({ patterns, from: "/etc/x.json" });
const allows = (pattern: string, name: string): boolean => {
  const [provider = "", ...model] = name.split("/");
  return forbiddenBy([list(pattern)], { provider, model: model.join("/") }) === null;
};

describe("a pattern", () => {
  it.each([
    ["*", "anthropic/claude-x", true],
    ["anthropic/*", "anthropic/claude-x", true],
    ["anthropic/*", "openai/gpt-5", false],
    ["openrouter/*", "openrouter/anthropic/claude-x", true],
    ["anthropic/claude-x", "anthropic/claude-x", true],
    ["anthropic/claude-x", "anthropic/claude-x-2", false],
    ["anthropic/claude-x", "Anthropic/claude-x", false],
    ["*/claude-*-5", "anthropic/claude-haiku-4-5", true],
    ["*/claude-*-5", "anthropic/claude-5", false],
    ["a*a", "a", false],
    ["openai/gpt.5", "openai/gpt-5", false],
  ])("%s on %s: %s", (pattern, name, fits) => {
    expect(allows(pattern, name)).toBe(fits);
  });

  it("means what a regular expression with .* would", () => {
    const text = fc.string({ unit: fc.constantFrom("a", "b", "/", "."), maxLength: 8 });
    const pattern = fc.string({ unit: fc.constantFrom("a", "b", "/", ".", "*"), maxLength: 8 });
    fc.assert(
      fc.property(pattern, text, text, (said, provider, model) => {
        const expected = new RegExp(`^${said.replaceAll(".", String.raw`\.`).replaceAll("*", ".*")}$`);
        expect(forbiddenBy([list(said)], { provider, model }) === null).toBe(expected.test(`${provider}/${model}`));
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("lists of allowed models", () => {
  it("all have to have a model; an empty one has none", () => {
    const claude = { provider: "anthropic", model: "claude-x" };
    expect(() => requireAllowed([], claude)).not.toThrow();
    expect(() => requireAllowed([list("*"), list("openai/*", "google/*")], claude)).toThrow(
      "anthropic/claude-x is not allowed by /etc/x.json. Choose one of: openai/*, google/*.",
    );
    expect(() => requireAllowed([list()], claude)).toThrow("That file allows none.");
  });

  it("keep a request from being sent, whoever made it", async () => {
    let sent = 0;
    const models = createModels({
      variables: { ANTHROPIC_API_KEY: "k-0123456789" },
      packages: { own: "/nowhere", belay: "/nowhere", never: [] },
      clock: systemClock,
      fetch: () => {
        sent += 1;
        return Promise.resolve(new Response("{}", { status: 500 }));
      },
      allowed: [list("anthropic/claude-haiku-*")],
    });
    const model = await models.of("anthropic");
    const call = (name: string): ReturnType<typeof model.call> =>
      model.call(
        { model: name, system: "", tools: [], messages: [], thinking_from: 0, max_tokens: 1, thinking_tokens: null },
        { signal: AbortSignal.timeout(10_000), onDelta: () => undefined, toolCallId: ids.toolCall },
      );
    expect(await call("claude-opus-4-5")).toMatchObject({ ok: false, kind: "model_not_allowed", sent: false });
    expect(sent).toBe(0);
    expect(await call("claude-haiku-4-5")).toMatchObject({ ok: false, kind: "server_error" });
    expect(sent).toBe(1);
  });
});

const ids = createIds(
  () => 0,
  (bytes) => new Uint8Array(bytes),
);
