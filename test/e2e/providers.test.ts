/**
 * The built command with other providers than Anthropic: whole runs over real HTTP, what is loaded for which provider, and
 * that no key of any of them is written down.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { type Emulator, startEmulator } from "../../src/testing/emulator/emulator.ts";
import type { ScenarioInput } from "../../src/testing/emulator/scenario.ts";
import { type CliPlace, environmentOf, reportIn, runCli } from "../support/cli.ts";
import { SANDBOX, testPlace } from "../support/session.ts";

/** Where the machine has no sandbox, that is said aloud, as a user would have to. */
const RUN = SANDBOX === "bwrap" ? ["run"] : ["run", "--no-sandbox"];
const KEY = "sk-house-0123456789abcdef";

const EDIT: ScenarioInput["turns"] = [
  {
    say: "Editing.",
    call: [{ tool: "edit", input: { path: "src/app.js", old_string: "return 1", new_string: "return 2" } }],
  },
  { say: `Done. The key is ${KEY}.` },
];

async function emulate(turns: ScenarioInput["turns"]): Promise<Emulator> {
  const emulator = await startEmulator({ scenario: { turns } });
  onTestFinished(() => emulator.close());
  return emulator;
}

const OPENAI = (url: string): NodeJS.ProcessEnv => ({ OPENAI_API_KEY: KEY, OPENAI_BASE_URL: `${url}/v1` });
const CHAT = (url: string): NodeJS.ProcessEnv => ({
  OPENAI_COMPATIBLE_API_KEY: KEY,
  OPENAI_COMPATIBLE_BASE_URL: `${url}/v1`,
});
const OPENROUTER = (url: string): NodeJS.ProcessEnv => ({ OPENROUTER_API_KEY: KEY, OPENROUTER_BASE_URL: `${url}/v1` });

describe("a whole run", () => {
  it.each([
    ["openai", "openai/gpt-5.5", OPENAI],
    ["openai-compatible", "openai-compatible/house-model", CHAT],
    ["openrouter", "openrouter/anthropic/claude-sonnet-4.5", OPENROUTER],
  ])("through %s edits, verifies, and writes its key nowhere", async (provider, model, variables) => {
    const place = testPlace();
    const emulator = await emulate(EDIT);
    const end = await runCli(
      [...RUN, "--output", "json", "--model", model, "--verify", "grep 'return 2' src/app.js", "fix it"],
      place,
      { ...environmentOf(place, null), ...variables(emulator.url) },
    );
    expect([end.code, end.stderr]).toEqual([0, expect.anything()]);
    expect(reportIn(end)).toMatchObject({ outcome: "completed", verification: "passed", turns: 2, error: null });
    expect(emulator.remaining()).toEqual([]);
    const started = (await eventsOf(place)).find(({ kind }) => kind === "SessionConfigured");
    expect(started?.data).toMatchObject({
      config: { provider, model: model.slice(model.indexOf("/") + 1) },
    });
    for (const file of filesBelow(place.home)) expect([file, readFileSync(file).includes(KEY)]).toEqual([file, false]);
  });

  it("takes the provider whose key is there when no model is named, and says which", async () => {
    const place = testPlace();
    const emulator = await emulate([{ say: "Hello." }]);
    const end = await runCli([...RUN, "say hello"], place, { ...environmentOf(place, null), ...OPENAI(emulator.url) });
    expect([end.code, end.stdout]).toEqual([0, expect.stringContaining("belay: gpt-5.5 in ")]);
  });

  it("goes on with another provider's model when a resume says so", async () => {
    const place = testPlace();
    const first = await emulate([{ say: "Half of it." }]);
    const begun = await runCli([...RUN, "begin"], place, environmentOf(place, first));
    expect(begun.code).toBe(0);
    // It reads from the conversation that the first turn was had.
    const second = await emulate([{ say: "Half of it." }, { say: "The rest." }]);
    const end = await runCli(
      ["resume", "--model", "openai-compatible/house-model", "--message", "go on", "--output", "json"],
      place,
      { ...environmentOf(place, null), ...CHAT(second.url) },
    );
    expect(reportIn(end)).toMatchObject({ outcome: "completed", error: null });
    expect(second.requests).toHaveLength(1);
    const changed = (await eventsOf(place)).find(({ kind }) => kind === "SettingsChanged");
    expect(JSON.stringify(changed?.data)).toContain("openai-compatible");
  });
});

describe("before a session is begun", () => {
  it.each([
    [["--model", "openai/gpt-5.5"], "OPENAI_API_KEY"],
    [["--model", "azure/gpt-5"], "AZURE_API_KEY"],
    [["--model", "llama-4"], "openrouter (OPENROUTER_API_KEY)"],
    [["--model", "OpenAI/gpt-5"], "Did you mean openai/gpt-5?"],
    [["--model", "anthropc/claude-sonnet-5"], "Did you mean anthropic/claude-sonnet-5?"],
    [["--model", "openai"], "Name a model of openai too: openai/gpt-5.5"],
    [["--model", "GPT-5"], "Did you mean gpt-5?"],
    [[], "GEMINI_API_KEY"],
  ])("a run with %j and no key ends, naming %s", async (options, named) => {
    const place = testPlace();
    const end = await runCli([...RUN, ...options, "x"], place, environmentOf(place, null));
    expect(end.code).not.toBe(0);
    expect(end.stderr).toContain(named);
    const list = await runCli(["sessions", "list", "--json"], place, environmentOf(place, null));
    expect(list.stdout.trim() === "" || list.stdout.trim() === "[]").toBe(true);
  });

  it("a run whose provider's package is not there ends, with the command that installs it", async () => {
    const place = testPlace();
    const environment = { ...environmentOf(place, null), AZURE_API_KEY: KEY, AZURE_RESOURCE_NAME: "house" };
    const end = await runCli([...RUN, "--model", "azure/gpt-5", "x"], place, environment);
    expect([end.code === 0, end.stderr]).toEqual([false, expect.stringContaining("npm install --prefix")]);
    const list = await runCli(["sessions", "list", "--json"], place, environment);
    expect(list.stdout.trim() === "" || list.stdout.trim() === "[]").toBe(true);
  });

  it("belay models counts no provider as usable whose address is none, and asks for no package that is optional", async () => {
    const place = testPlace();
    const environment = {
      ...environmentOf(place, null),
      OPENAI_API_KEY: KEY,
      OPENAI_BASE_URL: "house",
      OLLAMA_HOST: "::",
    };
    const end = await runCli(["models"], place, environment);
    expect(end.stdout).toMatch(/^openai +no .*OPENAI_BASE_URL is "house"/m);
    expect(end.stdout).toMatch(/^ollama +no /m);
    expect(end.stdout).not.toContain("install @openrouter");
  });

  it("belay models says which providers can be used here, what the others lack, and the default", async () => {
    const place = testPlace();
    const environment = { ...environmentOf(place, null), GEMINI_API_KEY: KEY };
    const end = await runCli(["models", "--json"], place, environment);
    const { default: choice, providers } = JSON.parse(end.stdout) as {
      readonly default: unknown;
      readonly providers: readonly { readonly provider: string; readonly usable: boolean; readonly missing: unknown }[];
    };
    expect(choice).toEqual({ provider: "google", model: "gemini-3.5-flash" });
    expect(providers.filter(({ usable }) => usable).map(({ provider }) => provider)).toEqual(["google", "ollama"]);
    expect(providers.find(({ provider }) => provider === "openai")?.missing).toEqual([["OPENAI_API_KEY"]]);
    const table = await runCli(["models"], place, environment);
    expect(table.stdout).toContain(
      "set AZURE_API_KEY, set AZURE_RESOURCE_NAME or AZURE_BASE_URL, install @ai-sdk/azure",
    );
    expect(table.stdout).not.toContain(KEY);
  });
});

describe("what a run loads", () => {
  it("holds no code of a provider's package that is not its own", async () => {
    // What only that code holds, looked for in every script that the runtime says it has loaded.
    const marks = {
      openai: "OpenAI-Organization",
      aiSdk: "vercel.ai.error",
      pricesOfOthers: "gemini-2.5-pro-tts",
      languagesOfZod: "Ongeldige",
    } as const;
    const place = testPlace();
    const emulator = await emulate([{ say: "Hello." }]);
    const anthropic = await loadedBy(place, [...RUN, "hello"], environmentOf(place, emulator));
    expect(anthropic.length).toBeGreaterThan(3);
    for (const mark of Object.values(marks)) expect(anthropic.filter((text) => text.includes(mark))).toEqual([]);

    const chat = await emulate([{ say: "Hello." }]);
    const other = await loadedBy(place, [...RUN, "--model", "openai-compatible/m", "hello"], {
      ...environmentOf(place, null),
      ...CHAT(chat.url),
    });
    for (const mark of [marks.aiSdk, marks.languagesOfZod])
      expect(other.filter((text) => text.includes(mark))).not.toEqual([]);
    const responses = await emulate([{ say: "Hello." }]);
    const openai = await loadedBy(place, [...RUN, "--model", "gpt-5.5", "hello"], {
      ...environmentOf(place, null),
      ...OPENAI(responses.url),
    });
    for (const mark of [marks.openai, marks.pricesOfOthers])
      expect(openai.filter((text) => text.includes(mark))).not.toEqual([]);
  });
});

/** The text of every script that a run of the command loaded, as the runtime reports it. */
async function loadedBy(
  place: CliPlace,
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
): Promise<readonly string[]> {
  const reports = mkdtempSync(join(tmpdir(), "belay-loaded-"));
  onTestFinished(() => {
    rmSync(reports, { recursive: true, force: true });
  });
  const end = await runCli(args, place, { ...environment, NODE_V8_COVERAGE: reports });
  expect([end.code, end.stderr]).toEqual([0, expect.anything()]);
  const urls = readdirSync(reports).flatMap((name) => {
    // The runtime's own format: a list of scripts, each with its address.
    const report = JSON.parse(readFileSync(join(reports, name), "utf8")) as {
      readonly result: readonly { readonly url: string }[];
    };
    return report.result.map(({ url }) => url);
  });
  return urls
    .filter((url) => url.startsWith("file:") && url.includes("/dist/cli/"))
    .map((url) => readFileSync(new URL(url), "utf8"));
}

interface JournaledEvent {
  readonly kind: string;
  readonly data: unknown;
}

async function eventsOf(place: CliPlace): Promise<readonly JournaledEvent[]> {
  const end = await runCli(["sessions", "export"], place, environmentOf(place, null));
  return end.stdout
    .trim()
    .split("\n")
    .map((line) => (JSON.parse(line) as { readonly event: JournaledEvent }).event); // printed by the command under test
}

function filesBelow(directory: string): readonly string[] {
  return (
    readdirSync(directory, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      // The one file that turns tokens back: not the journal, and beside the workspace.
      .filter((file) => !file.endsWith("/secrets.json"))
  );
}
