/** `belay models`: the real command, with settings and a store of its own. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readEnvironment } from "../../../src/cli/environment.ts";
import { OutputStream } from "../../../src/cli/output-stream.ts";
import { runProgram } from "../../../src/cli/program.ts";
import { systemClock } from "../../../src/host/system-clock.ts";
import { LOCAL_TENANT } from "../../../src/kernel/ids.ts";
import { NO_USAGE } from "../../../src/kernel/usage.ts";
import { createAdmission } from "../../../src/model/admission/cell-admission.ts";
import { openSqliteStore } from "../../../src/store/sqlite/sqlite-store.ts";

let directory = "";
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "belay-models-"));
  await mkdir(join(directory, "home"));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

/** @param columns of a terminal; null is a pipe */
async function models(argv: readonly string[] = [], columns: number | null = null): Promise<string> {
  const stream = new PassThrough();
  const out = new OutputStream(columns === null ? stream : Object.assign(stream, { isTTY: true, columns }), {
    colors: false,
    redraws: columns !== null,
  });
  const text = stream.setEncoding("utf8").toArray();
  const environment = readEnvironment(
    { BELAY_HOME: join(directory, "home"), HOME: directory, ANTHROPIC_API_KEY: "key-of-a-test" },
    directory,
  );
  const face = { environment, cwd: directory, stdin: Readable.from([]), out, err: out };
  const code = await runProgram(["models", ...argv], face);
  stream.end();
  const said = (await text).join("");
  expect([code, said]).toEqual([0, said]);
  return said;
}

async function settings(content: unknown): Promise<void> {
  await writeFile(join(directory, "home", "settings.json"), JSON.stringify(content));
}

/** A call as a run would have made it. */
async function called(
  model: string,
  failure: { readonly kind: "overloaded"; readonly message: string } | null,
): Promise<void> {
  const store = await openSqliteStore({ path: join(directory, "home", "belay.db"), clock: systemClock });
  const admission = createAdmission({ cells: store, clock: systemClock, random: () => 0.5 });
  const asked = { tenant: LOCAL_TENANT, provider: "anthropic", model, account: "a", party: "p" };
  const options = { signal: AbortSignal.timeout(30_000), patience_ms: 0, onWait: () => Promise.resolve() };
  const turn = await admission.enter({ ...asked, input_tokens: 10, output_tokens: 10, cached_tokens: 0 }, options);
  if (!turn.ok) throw new TypeError(turn.message);
  await turn.settle({
    sent: true,
    failure: failure && { ...failure, retry_after_ms: null },
    usage: failure === null ? { ...NO_USAGE, input_tokens: 10 } : null,
    rate: null,
    duration_ms: 1_300,
  });
  await store.close();
}

const SETTINGS = {
  model: { primary: "fast", fallback: ["openai/gpt-5.5"], phases: { plan: "claude-opus-4-5" } },
  aliases: { fast: "anthropic/claude-haiku-4-5", local: "ollama/qwen3" },
  models: { allowed: ["anthropic/*", "openai/*"] },
  prices: { "openai/gpt-5.5": { input: 1.25, output: 10, cache_read: 0.075 } },
};

describe("belay models", () => {
  it("shows what is configured, as what, at which price, and what is not allowed", async () => {
    await settings(SETTINGS);
    const said = await models();
    expect(said).toMatch(/^MODEL +IN +OUT +READ +WRITE +CONTEXT +USED AS$/m);
    expect(said).toMatch(
      /^anthropic\/claude-haiku-4-5 +\$1\.00 +\$5\.00 +\$0\.10 +\$1\.25 +200k +default, alias fast$/m,
    );
    expect(said).toMatch(/^openai\/gpt-5\.5 +\$1\.25 +\$10\.00 +\$0\.075 +\$1\.25 +\S+ +fallback 1$/m);
    expect(said).toMatch(/^anthropic\/claude-opus-4-5 .* phase plan$/m);
    expect(said).toMatch(/^ollama\/qwen3 +\? +\? +\? +\? +- +alias local \(not allowed\)$/m);
    expect(said).toContain(`Allowed by ${join(directory, "home", "settings.json")}: anthropic/*, openai/*`);
    expect(said).toContain("Without --model: claude-haiku-4-5");
  });

  it("shows how models did lately, from every process that uses the store", async () => {
    await called("claude-haiku-4-5", null);
    await called("claude-opus-4-5", { kind: "overloaded", message: "too many people" });
    const said = await models();
    expect(said).toMatch(/^MODEL +BREAKER +LATENCY +RATE USED +LAST ERROR$/m);
    expect(said).toMatch(/^anthropic\/claude-haiku-4-5 +closed +1\.3 s +\S+( %)? +-$/m);
    expect(said).toMatch(/^anthropic\/claude-opus-4-5 +closed +- +\S+( %)? +overloaded: too many people$/m);
    expect(said).toMatch(/^anthropic\/claude-opus-4-5 .* used lately$/m);
  });

  it("says the same as JSON, with what has no price as null", async () => {
    await settings(SETTINGS);
    await called("claude-haiku-4-5", null);
    const said: unknown = JSON.parse(await models(["--json"]));
    expect(said).toMatchObject({
      default: { provider: "anthropic", model: "claude-haiku-4-5" },
      aliases: SETTINGS.aliases,
      allowed: [{ patterns: SETTINGS.models.allowed }],
      models: [
        {
          model: "claude-haiku-4-5",
          used_as: ["default", "alias fast"],
          allowed: true,
          price: { input: 1, output: 5, cache_read: 0.1, cache_write_5m: 1.25 },
          context_window: 200_000,
          health: [{ breaker: "closed", last_latency_ms: 1_300, last_error: null }],
        },
        { model: "gpt-5.5", health: [] },
        { model: "claude-opus-4-5" },
        { provider: "ollama", allowed: false, price: null, context_window: null },
      ],
    });
  });

  it("fits 80 columns", async () => {
    await settings(SETTINGS);
    await called("claude-haiku-4-5-20251001", { kind: "overloaded", message: "x".repeat(200) });
    const tables = (await models([], 80)).split("\n\n").slice(0, 2).join("\n").split("\n");
    expect(tables.filter((line) => line.length > 80)).toEqual([]);
    expect(tables.join("\n")).toMatch(/\$1\.00 +\$5\.00 /);
  });

  it("takes a default that is allowed where the settings name none", async () => {
    await settings({ models: { allowed: ["openai/*"] } });
    expect(await models()).toContain("Without --model: gpt-5.5");
  });
});
