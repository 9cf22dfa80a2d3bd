/** Names to providers, providers to models, and where the code of a provider may come from. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "../../../src/host/system-clock.ts";
import { findPackage, type PackagePlaces } from "../../../src/model/ai-sdk/packages.ts";
import type { Models } from "../../../src/model/model.ts";
import {
  missingVariables,
  modelChoice,
  PROVIDER_IDS,
  providerVariables,
  type ProviderVariables,
} from "../../../src/model/provider-table.ts";
import { createModels, ollamaAddress } from "../../../src/model/providers.ts";

let root = "";
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "belay-providers-"));
});
afterEach(() => {
  rmSync(root, { recursive: true, force: true });
  delete (globalThis as { planted?: unknown }).planted;
});

/** A package whose code says that it ran. */
function plant(nodeModules: string, name: string, version = "v4"): void {
  const directory = join(nodeModules, ...name.split("/"));
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, "package.json"), JSON.stringify({ name, type: "module", exports: "./index.js" }));
  writeFileSync(
    join(directory, "index.js"),
    `globalThis.planted = ${JSON.stringify(directory)};
     const make = (settings) => (id) => ({ specificationVersion: "${version}", provider: "x", modelId: id, settings, doStream() {} });
     export const createAzure = make, createOpenRouter = make;`,
  );
}

function places(changes: Partial<PackagePlaces> = {}): PackagePlaces {
  return { own: join(root, "home/providers"), belay: join(root, "src/cli/providers.ts"), never: [], ...changes };
}

function modelsOf(variables: ProviderVariables, packages = places()): Models {
  return createModels({ variables, packages, clock: systemClock });
}

const AZURE = { AZURE_API_KEY: "azure-key-123", AZURE_RESOURCE_NAME: "house" };
/** A text that holds another. */
const holding = (text: string): unknown => expect.stringContaining(text);
const planted = (): unknown => (globalThis as { planted?: unknown }).planted;

describe("a model's name", () => {
  it.each([
    ["openai/gpt-5.5", "openai", "gpt-5.5"],
    ["google/gemini-3-pro", "google", "gemini-3-pro"],
    ["openrouter/anthropic/claude-sonnet-4.5", "openrouter", "anthropic/claude-sonnet-4.5"],
    ["anthropic/house-model", "anthropic", "house-model"],
    ["openai-compatible/qwen/qwen3", "openai-compatible", "qwen/qwen3"],
    ["claude-sonnet-5", "anthropic", "claude-sonnet-5"],
    ["gpt-5.5", "openai", "gpt-5.5"],
    ["o3", "openai", "o3"],
    ["codex-mini", "openai", "codex-mini"],
    ["gemini-2.5-pro", "google", "gemini-2.5-pro"],
    [" openai/gpt-5 ", "openai", "gpt-5"],
  ])("%s leads to %s", (name, provider, model) => {
    expect(modelChoice(name)).toEqual({ provider, model });
  });

  it.each(["llama-4", "meta-llama/llama-4", "openai/", "/gpt-5", "constructor/x", "opus", ""])(
    "%j leads nowhere",
    (name) => {
      expect(modelChoice(name)).toBeNull();
    },
  );
});

describe("the table of providers", () => {
  it("says what is missing, one group of variables at a time", () => {
    expect(missingVariables("azure", {})).toEqual([["AZURE_API_KEY"], ["AZURE_RESOURCE_NAME", "AZURE_BASE_URL"]]);
    expect(missingVariables("google", { GEMINI_API_KEY: "k" })).toEqual([]);
    expect(missingVariables("ollama", {})).toEqual([]);
  });

  it("counts half of a pair as missing the other half, and not where something whole stands beside it", () => {
    const region = { AWS_REGION: "eu" };
    expect(missingVariables("bedrock", { ...region, AWS_ACCESS_KEY_ID: "k" })).toEqual([["AWS_SECRET_ACCESS_KEY"]]);
    expect(missingVariables("bedrock", { ...region, AWS_ACCESS_KEY_ID: "k", AWS_SECRET_ACCESS_KEY: "s" })).toEqual([]);
    expect(missingVariables("bedrock", { ...region, AWS_ACCESS_KEY_ID: "k", AWS_BEARER_TOKEN_BEDROCK: "t" })).toEqual(
      [],
    );
    expect(missingVariables("vertex", { GOOGLE_VERTEX_PROJECT: "p" })).toEqual([["GOOGLE_VERTEX_LOCATION"]]);
  });

  it("refuses an address with a password, and never says it", async () => {
    for (const address of ["https://me:hidden-word@host/v1", "me:hidden-word@host"]) {
      const refusal = modelsOf({ OPENAI_API_KEY: "k", OPENAI_BASE_URL: address }).of("openai");
      await expect(refusal).rejects.toMatchObject({ kind: "config_invalid" });
      await expect(refusal).rejects.not.toThrow("hidden-word");
    }
    await expect(modelsOf({ OLLAMA_HOST: "::::" }).of("ollama")).rejects.toMatchObject({ kind: "config_invalid" });
  });

  it("refuses each provider that needs a key before anything of it is loaded, naming the variable", async () => {
    for (const id of PROVIDER_IDS) {
      const [first] = missingVariables(id, {});
      if (first === undefined) continue;
      await expect(modelsOf({}).of(id)).rejects.toMatchObject({
        kind: "auth",
        todo: holding(first[0] ?? "?"),
      });
    }
  });

  it("refuses an address that is none, and a name that nobody has", async () => {
    await expect(
      modelsOf({ OPENAI_COMPATIBLE_BASE_URL: "localhost:8000" }).of("openai-compatible"),
    ).rejects.toMatchObject({ kind: "config_invalid", happened: holding("localhost:8000") });
    await expect(modelsOf({}).of("toString")).rejects.toMatchObject({
      kind: "config_invalid",
      todo: holding("openrouter"),
    });
  });

  it("opens what is there, and each only once", async () => {
    const models = modelsOf({
      GEMINI_API_KEY: "k",
      OPENAI_API_KEY: "k",
      ANTHROPIC_API_KEY: "k",
      OPENROUTER_API_KEY: "k",
    });
    for (const id of ["google", "openai", "anthropic", "openrouter", "ollama"]) {
      const model = await models.of(id);
      expect(model.provider).toBe(id);
      expect(await models.of(id)).toBe(model);
    }
  });

  it("names no variable that could be mistaken for a setting of another program's", () => {
    expect(providerVariables().every((name) => /^[A-Z][A-Z0-9]*(_[A-Z0-9]+)+$/.test(name))).toBe(true);
  });
});

describe("OLLAMA_HOST", () => {
  it.each([
    [undefined, "http://127.0.0.1:11434"],
    ["0.0.0.0", "http://127.0.0.1:11434"],
    ["box:8080", "http://box:8080"],
    [":11500", "http://127.0.0.1:11500"],
    ["https://ollama.example", "https://ollama.example"],
    ["http://box/", "http://box:11434"],
  ])("%s means %s", (host, address) => {
    expect(ollamaAddress(host)).toBe(address);
  });
});

describe("the package of a provider", () => {
  it("that is not installed is asked for by name, with the command that installs it", async () => {
    await expect(modelsOf(AZURE).of("azure")).rejects.toMatchObject({
      kind: "config_invalid",
      happened: holding("@ai-sdk/azure"),
      todo: holding(`npm install --prefix ${join(root, "home/providers")} @ai-sdk/azure`),
    });
  });

  it("is loaded from belay's own directory", async () => {
    const own = join(root, "home/providers/node_modules");
    plant(own, "@ai-sdk/azure");
    expect((await modelsOf(AZURE).of("azure")).provider).toBe("azure");
    expect(planted()).toBe(join(own, "@ai-sdk/azure"));
  });

  it("is loaded from beside a belay that is installed for all projects", () => {
    const shared = join(root, "lib/node_modules");
    plant(shared, "@ai-sdk/azure");
    const belay = join(shared, "belay-harness/dist/cli/chunks/x.js");
    expect(findPackage("@ai-sdk/azure", places({ belay }))).toBe(join(shared, "@ai-sdk/azure/index.js"));
  });

  it("is not loaded from the tree that the agent works in, wherever it was planted there", async () => {
    const tree = join(root, "project");
    const home = join(tree, "sub/home/providers");
    mkdirSync(home, { recursive: true });
    for (const directory of [tree, join(tree, "sub"), root]) plant(join(directory, "node_modules"), "@ai-sdk/azure");
    const cwd = process.cwd();
    try {
      process.chdir(join(tree, "sub"));
      // Node itself would find one of them from here, and from belay's home.
      await expect(modelsOf(AZURE, places({ own: home })).of("azure")).rejects.toMatchObject({
        kind: "config_invalid",
      });
    } finally {
      process.chdir(cwd);
    }
    expect(planted()).toBeUndefined();
  });

  it("is not loaded from beside a belay that is a dependency of a project, which its agent may write to", () => {
    const project = join(root, "project");
    plant(join(project, "node_modules"), "@ai-sdk/azure");
    writeFileSync(join(project, "package.json"), "{}");
    const belay = join(project, "node_modules/belay-harness/dist/cli/main.js");
    expect(findPackage("@ai-sdk/azure", places({ belay }))).toBeNull();
  });

  it("is not loaded from belay's home where that lies in a repository, in a worktree, or in the directory of the run", () => {
    const own = join(root, "repository/.belay/providers");
    plant(join(own, "node_modules"), "@ai-sdk/azure");
    expect(findPackage("@ai-sdk/azure", places({ own }))).not.toBeNull();
    expect(findPackage("@ai-sdk/azure", places({ own, never: [join(root, "repository")] }))).toBeNull();
    writeFileSync(join(root, "repository/.git"), "gitdir: elsewhere");
    expect(findPackage("@ai-sdk/azure", places({ own }))).toBeNull();
  });

  it("is not loaded through a link into a repository", () => {
    const tree = join(root, "repository");
    mkdirSync(join(tree, ".git"), { recursive: true });
    plant(join(tree, "packages"), "@ai-sdk/azure");
    const link = join(root, "home/providers/node_modules/@ai-sdk/azure");
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(tree, "packages/@ai-sdk/azure"), link);
    expect(findPackage("@ai-sdk/azure", places())).toBeNull();
  });

  it("of another generation of the interface fails its calls with what to install", async () => {
    plant(join(root, "home/providers/node_modules"), "@openrouter/ai-sdk-provider", "v2");
    const model = await modelsOf({ OPENROUTER_API_KEY: "key-of-router" }).of("openrouter");
    const answer = await model.call(
      {
        ...{ model: "m", system: "", tools: [], thinking_from: 0, max_tokens: 10, thinking_tokens: null },
        messages: [{ role: "user", parts: [{ type: "text", text: "x", origin: { from: "user" } }] }],
      },
      {
        signal: new AbortController().signal,
        onDelta: () => undefined,
        toolCallId: () => {
          throw new TypeError("no call is made");
        },
      },
    );
    expect(answer).toMatchObject({ ok: false, kind: "config_invalid", sent: false });
    expect(answer.ok ? "" : answer.message).toContain("v2");
  });
});
