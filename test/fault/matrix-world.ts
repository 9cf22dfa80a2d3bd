/**
 * What the fault matrix runs: whole sessions over the real adapters and HTTP, against the emulator, with a counting tool. They are
 * about the model and change no file, so all of them look at one workspace.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, onTestFinished } from "vitest";
import * as z from "zod";
import type { Host } from "../../src/engine/host.ts";
import type { RunReport } from "../../src/engine/report.ts";
import { startSession } from "../../src/engine/session.ts";
import { createLocalHost } from "../../src/host/local-host.ts";
import { systemClock } from "../../src/host/system-clock.ts";
import type { Clock } from "../../src/kernel/clock.ts";
import { textPart } from "../../src/kernel/content.ts";
import type { Event } from "../../src/kernel/events/index.ts";
import type { SessionId } from "../../src/kernel/ids.ts";
import { MODEL_TIMEOUTS, type ModelTimeouts } from "../../src/model/model.ts";
import { createModels } from "../../src/model/providers.ts";
import { createMemoryStore } from "../../src/store/memory/memory-store.ts";
import { type Emulator, startEmulator } from "../../src/testing/emulator/emulator.ts";
import type { FaultInput } from "../../src/testing/emulator/fault.ts";
import type { ScenarioInput, TurnInput } from "../../src/testing/emulator/scenario.ts";
import type { Tool } from "../../src/tool/tool.ts";
import { readOnlyView } from "../../src/workspace/read-only-view.ts";
import type { OpenRequest, PreparedWorkspace, Workspaces } from "../../src/workspace/workspace.ts";
import { testConfig } from "../support/config.ts";
import { eventsOf, type Finished } from "../support/session.ts";

export const PROVIDERS = ["anthropic", "openai", "openai-compatible"] as const;
export type Provider = (typeof PROVIDERS)[number];

const MODELS: { readonly [P in Provider]: string } = {
  anthropic: "claude-sonnet-4-5",
  openai: "gpt-5.1",
  "openai-compatible": "some-model",
};

/** Waits between attempts pass so many times as fast; limits of calls run by the machine's own clock. */
const HASTE = 50;

export const hastyClock: Clock = {
  now: () => systemClock.now() * HASTE,
  monotonic: () => systemClock.monotonic() * HASTE,
  sleep: (ms, signal) => systemClock.sleep(ms / HASTE, signal),
};

/** No session ends what is made for all of them. */
const NEVER = new AbortController().signal;

export interface MatrixWorld {
  readonly emulator: Emulator;
  readonly host: Host;
  /** A session whose first turn calls `count` twice; its requests are those that hold `name`. */
  readonly session: (name: string, limits?: { readonly turns?: number }) => Promise<MatrixSession>;
}

export interface MatrixSession {
  readonly id: SessionId;
  readonly report: RunReport;
  readonly events: readonly Event[];
  /** Of the failed calls, in order. */
  readonly kinds: readonly string[];
  /** What the tool was asked to count, as often as it was. */
  readonly counted: readonly string[];
}

export interface WorldFacts {
  readonly provider: Provider;
  readonly scenario: ScenarioInput;
  readonly timeouts?: Partial<ModelTimeouts>;
  /** Of its own context, for a test that runs beside others. */
  readonly finished?: Finished;
}

const directory = mkdtempSync(join(tmpdir(), "belay-matrix-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
const home = join(directory, "home");
const project = join(directory, "project");
mkdirSync(home, { mode: 0o700 });
mkdirSync(project);
writeFileSync(join(project, "a.txt"), "a\n");

export async function matrixWorld(facts: WorldFacts): Promise<MatrixWorld> {
  const { provider, scenario, timeouts, finished = onTestFinished } = facts;
  const emulator = await startEmulator({ scenario });
  finished(() => emulator.close());
  const counted: string[] = [];
  const local = createLocalHost({
    store: createMemoryStore({ clock: hastyClock }),
    models: createModels({
      variables: variablesFor(emulator),
      packages: { own: join(directory, "packages"), belay: directory, never: [] },
      clock: systemClock,
      timeouts: { ...MODEL_TIMEOUTS, ...timeouts },
    }),
    home,
    userHome: join(home, "user"),
    environment: { PATH: process.env["PATH"], LANG: "C.UTF-8" },
    clock: hastyClock,
    version: "0.0.0-test",
  });
  // A list of tools forgets what each takes; the runner hands it only what its schema let through.
  const tools = [countTool(counted) as unknown as Tool];
  const host: Host = { ...local, workspaces: viewsOfOne(local.workspaces), tools };

  return {
    emulator,
    host,
    session: async (name, limits = {}) => {
      const config = testConfig({ provider, model: MODELS[provider], workspace: { mode: "in_place", base: null } });
      const live = await startSession(host, {
        task: [textPart(`Do ${name};`, { from: "user" })],
        title: name,
        config: { ...config, limits: { ...config.limits, active_ms: 36_000_000, ...limits } },
        place: { cwd: project, source: project, sessions: join(home, "sessions") },
      });
      const report = await live.done;
      const events = await eventsOf(host, live.session);
      return {
        id: live.session,
        report,
        events,
        kinds: events.flatMap((event) => (event.kind === "ModelCallFailed" ? [event.data.kind] : [])),
        counted: counted.filter((text) => text.startsWith(`${name}/`)),
      };
    },
  };
}

let made: Promise<PreparedWorkspace> | null = null;

function viewsOfOne(workspaces: Workspaces): Workspaces {
  const view = async ({ directory, ...request }: OpenRequest): Promise<PreparedWorkspace> => {
    const one = { ...request, base: null, directory: join(home, "sessions", "looked-at"), signal: NEVER };
    const { workspace: of, ...prepared } = await (made ??= workspaces.prepare(one));
    return { ...prepared, workspace: readOnlyView({ of, tree: prepared.base, directory }) };
  };
  return { prepare: view, open: async (request) => (await view(request)).workspace };
}

/** Two calls beside each other, with characters of several bytes, then the end. */
export function scriptOf(name: string, fault?: FaultInput | FaultInput[], more: Partial<TurnInput> = {}): TurnInput[] {
  return [
    {
      think: "Zählen wir: erst das eine.",
      say: "Ich zähle — 🎉.",
      call: [
        { tool: "count", input: { text: `${name}/eins 🎉` } },
        { tool: "count", input: { text: `${name}/zwei` } },
      ],
      chunk_chars: 12,
      ...more,
      ...(fault === undefined ? {} : { fault }),
    },
    { say: "Done." },
  ];
}

export function counts(name: string): readonly string[] {
  return [`${name}/eins 🎉`, `${name}/zwei`];
}

function variablesFor({ url }: Emulator): Record<string, string> {
  return {
    ANTHROPIC_API_KEY: "key-of-the-test",
    ANTHROPIC_BASE_URL: url,
    OPENAI_API_KEY: "key-of-the-test",
    OPENAI_BASE_URL: `${url}/v1`,
    OPENAI_COMPATIBLE_API_KEY: "key-of-the-test",
    OPENAI_COMPATIBLE_BASE_URL: `${url}/v1`,
  };
}

function countTool(counted: string[]): Tool<{ readonly text: string }> {
  return {
    name: "count",
    description: "Counts a text.",
    input: () => z.strictObject({ text: z.string() }),
    effect: "read",
    idempotent: false,
    limit_ms: 600_000,
    limit_max_ms: 600_000,
    title: ({ text }) => text,
    run: ({ text }) => {
      counted.push(text);
      const said = textPart(`${[...text].length}`, { from: "tool", by: "count" });
      return Promise.resolve({ status: "ok", content: [said], output: null, exit: null });
    },
  };
}
