/**
 * A server that speaks Anthropic's Messages API and OpenAI's Responses and Chat Completions, and plays a scenario: real
 * HTTP, real streams, real faults, no model. It contacts nobody. `docs/emulator.md` is its manual.
 *
 * E1: what the provider would refuse is refused, in the provider's words.
 * E2: a request past the end of the script is refused loudly, never answered with something made up that nobody asked for.
 * E3: after `close` no socket and no timer is left.
 */
import { createReadStream } from "node:fs";
import { createServer } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { Clock } from "../../kernel/clock.ts";
import { HarnessError } from "../../kernel/harness-error.ts";
import { createApp } from "./app.ts";
import type { BatchCounts } from "./batches/batches.ts";
import { createDoor } from "./door.ts";
import type { PoolCounts } from "./limits/gate.ts";
import type { LimitsInput } from "./limits/limits.ts";
import type { RecordedRequest } from "./request-log.ts";
import { sendJson } from "./respond.ts";
import { checkScenario, parseScenario } from "./scenario-file.ts";
import type { Scenario, ScenarioInput } from "./scenario.ts";
import { selfSigned } from "./self-signed.ts";
import { serverClock } from "./server-time.ts";

export interface EmulatorOptions {
  /** Exactly one of the three. */
  readonly scenario?: ScenarioInput;
  readonly scenarioText?: string;
  readonly scenarioFile?: string;
  /** Absent or 0: a free one. */
  readonly port?: number;
  /** Absent: 127.0.0.1. */
  readonly host?: string;
  /** The only key that is let in. Absent: any. */
  readonly apiKey?: string;
  /** True: TLS, with a certificate that nobody has signed. Absent: plain HTTP. */
  readonly https?: boolean;
  /** What is enforced for each key and model; each key goes before the scenario's own. Absent: as the scenario says. */
  readonly limits?: LimitsInput;
  /** By which cached prompts grow old and limits refill. Absent: the machine's. */
  readonly clock?: Clock;
}

export interface Emulator {
  /** Anthropic clients take it as it is, OpenAI's with `/v1` behind it. */
  readonly url: string;
  /** With `https`, what a client must be told to trust (PEM); else null. */
  readonly certificate: string | null;
  /** What it was asked, oldest first. */
  readonly requests: readonly RecordedRequest[];
  /** How many were answered and how many refused, and for what, by key and model. */
  counts(): readonly PoolCounts[];
  /** What was submitted in batches, and what of it more than once. */
  batches(): BatchCounts;
  /** Turns and faults of the scenario that nobody met, named; empty when all were. */
  remaining(): readonly string[];
  /** Closes the port: connections are refused from here on, and the open ones are lost. */
  refuseConnections(): Promise<void>;
  /** Opens the same port again. */
  acceptConnections(): Promise<void>;
  close(): Promise<void>;
}

/** Of a scenario's file. Bytes. */
const SCENARIO_BYTES_MAX = 64 * 1024 * 1024;

/** @throws HarnessError `config_invalid` when the scenario is not valid, `usage` when it cannot be read or the port is taken. */
export async function startEmulator(options: EmulatorOptions): Promise<Emulator> {
  const loaded = await loadScenario(options);
  const scenario = options.limits === undefined ? loaded : withLimits(loaded, options.limits);
  const app = createApp({
    scenario,
    apiKey: options.apiKey ?? null,
    clock: options.clock ?? serverClock,
    refuse: (ms) => {
      door.refuseFor(ms);
    },
  });
  const host = options.host ?? "127.0.0.1";
  const identity = options.https ? selfSigned(host) : null;
  const server = identity ? createSecureServer(identity) : createServer();
  server.on("request", (request, response) => {
    app.handle(request, response).catch((error: unknown) => {
      // A defect of the emulator: the test must see it, not hang on it.
      if (!response.headersSent)
        sendJson(response, 500, { error: { type: "api_error", message: `emulator: ${String(error)}` } });
      else response.destroy();
    });
  });
  const door = createDoor(server, host);
  const port = await door.open(options.port ?? 0);
  return {
    url: `${identity ? "https" : "http"}://${host.includes(":") ? `[${host}]` : host}:${port}`,
    certificate: identity?.cert ?? null,
    requests: app.requests,
    counts: () => app.counts(),
    batches: () => app.batches(),
    remaining: () => app.remaining(),
    refuseConnections: () => door.shut(),
    acceptConnections: async () => {
      await door.open(port);
    },
    close: async () => {
      app.closing.abort();
      await door.remove();
    },
  };
}

/** @throws HarnessError `config_invalid` */
function withLimits(scenario: Scenario, own: LimitsInput): Scenario {
  return checkScenario({ ...scenario, limits: { ...scenario.limits, ...own } }, "with its limits");
}

async function loadScenario(options: EmulatorOptions): Promise<Scenario> {
  const { scenario, scenarioText, scenarioFile } = options;
  if (scenarioText !== undefined) return parseScenario(scenarioText);
  if (scenarioFile === undefined) return checkScenario(scenario ?? {});
  try {
    return parseScenario(await readText(scenarioFile), scenarioFile);
  } catch (error) {
    // What the file system says has a code; everything else is told already, or is a defect.
    const code: unknown = error instanceof Error && "code" in error ? error.code : null;
    if (error instanceof HarnessError || typeof code !== "string") throw error;
    throw new HarnessError(
      "usage",
      `The scenario ${scenarioFile} cannot be read (${code}).`,
      "Name a readable YAML file.",
      { cause: error },
    );
  }
}

/** Bounded: a device or a pipe may have no end. @throws HarnessError `config_invalid` */
async function readText(file: string): Promise<string> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of createReadStream(file) as AsyncIterable<Buffer>) {
    size += part.byteLength;
    if (size > SCENARIO_BYTES_MAX) {
      throw new HarnessError(
        "config_invalid",
        `The scenario ${file} has more than ${SCENARIO_BYTES_MAX} bytes.`,
        "Name a YAML file of the emulator's; split one that is too large.",
      );
    }
    parts.push(part);
  }
  return Buffer.concat(parts).toString("utf8");
}
