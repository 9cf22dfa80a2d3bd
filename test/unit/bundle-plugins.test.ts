/** What the build leaves out or takes another way makes no difference to what the command does. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import * as whole from "@pydantic/genai-prices";
import { build, type Plugin } from "esbuild";
import { afterAll, describe, expect, it } from "vitest";
import { builtinsAsTheyAre, plainlySorted, withOneProvider } from "../../scripts/bundle-plugins.ts";

const directory = mkdtempSync(join(tmpdir(), "belay-prices-"));
afterAll(() => {
  rmSync(directory, { recursive: true, force: true });
});

describe("the price table of the bundle", () => {
  it("answers for every model of the provider as the whole table does", async () => {
    const entry = createRequire(import.meta.url).resolve("@pydantic/genai-prices");
    const source = readFileSync(join(dirname(entry), "index.js"), "utf8");
    const path = join(directory, "prices.mjs");
    writeFileSync(path, withOneProvider(source));
    const part = (await import(pathToFileURL(path).href)) as typeof whole; // the same module, with a shorter table
    const models = whole.findProvider({ providerId: "anthropic" })?.models ?? [];
    expect(models.length).toBeGreaterThan(10);
    const usage = { input_tokens: 300_000, cache_read_tokens: 100_000, cache_write_tokens: 20_000, output_tokens: 999 };
    for (const model of [...models.map(({ id }) => id), "claude-sonnet-4-5-20250929", "no-such-model"]) {
      const asked = { providerId: "anthropic", timestamp: new Date("2026-06-01") };
      const [mine, theirs] = [part.calcPrice(usage, model, asked), whole.calcPrice(usage, model, asked)];
      expect([model, mine?.total_price, mine?.model.id]).toEqual([model, theirs?.total_price, theirs?.model.id]);
    }
    expect(part.findProvider({ providerId: "openai" })).toBeUndefined();
  });

  it("holds every provider in the module for all, which sorts its words as the package does", async () => {
    const entry = createRequire(import.meta.url).resolve("@pydantic/genai-prices");
    const path = join(directory, "every-price.mjs");
    writeFileSync(path, plainlySorted(readFileSync(join(dirname(entry), "index.js"), "utf8")));
    const all = (await import(pathToFileURL(path).href)) as typeof whole; // the same module, sorted otherwise
    const usage = { input_tokens: 300_000, cache_read_tokens: 100_000, output_tokens: 999 };
    for (const providerId of ["openai", "google", "azure", "aws", "openrouter"]) {
      const models = whole.findProvider({ providerId })?.models ?? [];
      expect(models.length).toBeGreaterThan(5);
      for (const { id } of models) {
        const asked = { providerId, timestamp: new Date("2026-06-01") };
        const [mine, theirs] = [all.calcPrice(usage, id, asked), whole.calcPrice(usage, id, asked)];
        expect([id, mine?.total_price, mine?.model.id]).toEqual([id, theirs?.total_price, theirs?.model.id]);
      }
    }
  });

  it("is refused when the package prints it in another way", () => {
    for (const adapt of [withOneProvider, plainlySorted])
      expect(() => adapt("export const prices = [];")).toThrow(TypeError);
  });
});

/** A program that says what it got from the runtime's modules, and which of those are loaded. */
const PROGRAM = `
  import { Buffer } from "node:buffer";
  import fs, { existsSync } from "node:fs";
  import * as path from "node:path";
  import { promisify } from "util";
  const { basename } = await import("node:path");
  console.log(JSON.stringify({
    got: [existsSync("."), fs.existsSync === existsSync, path.join("a", basename("/b")), typeof promisify, typeof Buffer],
    loaded: process.moduleLoadList.filter((name) => name === "NativeModule internal/fs/streams").length,
  }));
`;

async function ran(name: string, plugins: Plugin[]): Promise<{ readonly got: unknown; readonly loaded: number }> {
  const outfile = join(directory, `${name}.mjs`);
  const stdin = { contents: PROGRAM, resolveDir: directory };
  await build({ stdin, outfile, bundle: true, format: "esm", platform: "node", plugins, logLevel: "silent" });
  // No more of the runtime is to be loaded for the program's output than for that of the other.
  const printed = execFileSync(process.execPath, [outfile], { encoding: "utf8" });
  return JSON.parse(printed) as Awaited<ReturnType<typeof ran>>; // printed by the program above
}

describe("the runtime's modules in the bundle", () => {
  it("are the same ones, without what each of them loads only when it is asked for", async () => {
    const [plain, taken] = [await ran("plain", []), await ran("taken", [builtinsAsTheyAre()])];
    expect(taken.got).toEqual([true, true, "a/b", "function", "function"]);
    expect(plain.got).toEqual(taken.got);
    expect([plain.loaded, taken.loaded]).toEqual([1, 0]);
  });
});
