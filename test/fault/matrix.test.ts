/**
 * Every fault × every provider × every position of the stream, as whole sessions over HTTP: the right kind, the right handling,
 * no turn past its limit, no tool twice, none from an answer that failed. A sample of the positions runs with `npm test`, all
 * of them with `npm run test:long`.
 */
import { describe, expect, it, onTestFinished } from "vitest";
import { ERROR_TABLE, type ErrorKind } from "../../src/kernel/error-kind.ts";
import type { FaultInput } from "../../src/testing/emulator/fault.ts";
import type { Wire } from "../../src/testing/emulator/fault.ts";
import type { ModelTimeouts } from "../../src/model/model.ts";
import type { Finished } from "../support/session.ts";
import {
  counts,
  type MatrixSession,
  type MatrixWorld,
  matrixWorld,
  type Provider,
  PROVIDERS,
  scriptOf,
} from "./matrix-world.ts";

const LONG = process.env["BELAY_TEST_LONG"] === "1";
/** Between the first and the last, how many positions of a stream a short run looks at. */
const SAMPLE = 1;
/** Sessions at the same time: faults that are silence take their time. */
const AT_ONCE = 8;
const TIMEOUT_MS = 300_000;
/** Of a session under random faults. */
const CHAOS_TURNS = 20;
/** Of a tenth: which requests are met hangs on ids, so it is drawn anew each time. Five standard deviations below. */
const FAULTS_MET_MIN = LONG ? 0.07 : 0.03;
const HANDLED_BY_ASKING_AGAIN = new Set(["retry", "wait", "repair"]);

type Expected = ErrorKind | "none" | { readonly [P in Provider]: ErrorKind | "none" };

interface Row {
  readonly name: string;
  readonly fault: FaultInput;
  readonly kind: Expected;
}

/** A fault at a position, counted in events. */
interface PlacedRow {
  readonly name: string;
  readonly at: (event: number) => FaultInput;
  readonly kind: Expected | ((event: number, events: number, provider: Provider) => ErrorKind | "none");
  readonly timeouts?: { readonly idle_ms: number };
}

const BEFORE_THE_STREAM: readonly Row[] = [
  { name: "a refused key", fault: { error: "auth" }, kind: "auth" },
  {
    name: "an account that cannot be charged",
    fault: { error: "billing" },
    kind: { anthropic: "billing", openai: "quota_exhausted", "openai-compatible": "quota_exhausted" },
  },
  { name: "a spent quota", fault: { error: "quota" }, kind: "quota_exhausted" },
  { name: "a forbidden model", fault: { error: "permission" }, kind: "permission" },
  { name: "an unknown model", fault: { error: "not_found" }, kind: "not_found" },
  { name: "a malformed request", fault: { error: "invalid_request" }, kind: "invalid_request" },
  { name: "a request that is too large", fault: { error: "too_large" }, kind: "request_too_large" },
  { name: "a full context", fault: { error: "context_overflow" }, kind: "context_overflow" },
  { name: "a rate limit", fault: { error: "rate_limit", retry_after: 1 }, kind: "rate_limit" },
  { name: "a rate limit in milliseconds", fault: { error: "rate_limit", retry_after_ms: 700 }, kind: "rate_limit" },
  { name: "a rate limit without a time", fault: { error: "rate_limit" }, kind: "rate_limit" },
  { name: "an overloaded provider", fault: { error: "overloaded" }, kind: "overloaded" },
  { name: "a failed provider", fault: { error: "server_error" }, kind: "server_error" },
  {
    name: "a gateway's time-out",
    fault: { error: "timeout" },
    kind: { anthropic: "timeout", openai: "server_error", "openai-compatible": "server_error" },
  },
  { name: "a conflict", fault: { status: 409 }, kind: "conflict" },
  { name: "an unknown status of the server", fault: { status: 599, body: "?" }, kind: "server_error" },
  { name: "a reset connection", fault: { reset: true }, kind: "network" },
  { name: "a closed connection", fault: { close: true }, kind: "network" },
  { name: "a proxy's page instead of a stream", fault: { html: 200 }, kind: "server_error" },
  { name: "a proxy's page with a status", fault: { html: 502 }, kind: "server_error" },
  { name: "an empty body", fault: { empty_body: true }, kind: "stream_cut" },
  { name: "a body that is not gzip", fault: { gzip_garbage: true }, kind: "stream_cut" },
  { name: "a body shorter than its length", fault: { content_length: "longer" }, kind: "stream_cut" },
];

const IN_THE_ANSWER: readonly Row[] = [
  { name: "a tool's input cut by max_tokens", fault: { truncated_json: true }, kind: "truncated_tool_call" },
  { name: "a tool's input cut with a proper end", fault: { cut_tool_json: true }, kind: "truncated_tool_call" },
  { name: "a cut inside a tool's input", fault: { cut_in_json: true }, kind: "stream_cut" },
  { name: "a cut inside a character", fault: { cut_in_character: true }, kind: "stream_cut" },
  { name: "no end", fault: { missing_stop: true }, kind: "stream_cut" },
];

/** After the last event but one Chat Completions has said all, its usage too: only its end mark is missing. */
const cleanEnd = (event: number, events: number, provider: Provider): ErrorKind | "none" =>
  provider === "openai-compatible" && event >= events - 1 ? "none" : "stream_cut";

const AT_EVERY_EVENT: readonly PlacedRow[] = [
  { name: "a cut after", at: (n) => ({ cut_after_event: n }), kind: "stream_cut" },
  { name: "a cut in the middle of", at: (n) => ({ cut_in_event: n }), kind: "stream_cut" },
  { name: "a clean end after", at: (n) => ({ end_after_event: n }), kind: cleanEnd },
  { name: "an error of overload after", at: errorAfter("overloaded_error"), kind: "overloaded" },
  { name: "an error of the server after", at: errorAfter("api_error"), kind: "server_error" },
  { name: "an error of rate after", at: errorAfter("rate_limit_error"), kind: "rate_limit" },
  { name: "an unknown event after", at: (n) => ({ unknown_event: { after_event: n } }), kind: "none" },
];

const SILENT: readonly PlacedRow[] = [
  {
    name: "silence after",
    at: (n) => ({ silence_after_event: n }),
    kind: "stream_idle",
    timeouts: { idle_ms: 2_000 },
  },
  {
    name: "silence in the middle of",
    at: (n) => ({ silence_in_event: n }),
    kind: "stream_idle",
    timeouts: { idle_ms: 2_000 },
  },
];

/** How bytes travel changes nothing. */
const WIRES: readonly { readonly name: string; readonly wire: Wire }[] = [
  ...(LONG ? [1, 2, 3, 5, 7, 64] : [5, 64]).map((bytes) => ({
    name: `in pieces of ${bytes} bytes`,
    wire: { chunk_bytes: bytes },
  })),
  { name: "a slow drip", wire: { chunk_bytes: 40, chunk_ms: 5 } },
  { name: "CRLF", wire: { line_ends: "crlf", chunk_bytes: 11 } },
  { name: "comments", wire: { comments: true } },
  { name: "events that do not exist", wire: { unknown_events: true } },
];

function errorAfter(type: string): (event: number) => FaultInput {
  return (event) => ({ error_event: { type, message: `The provider said ${type}.`, after_event: event } });
}

describe.each(PROVIDERS)("over %s", (provider) => {
  it.each(BEFORE_THE_STREAM)("$name is what it is, and is handled as the table says", { timeout: TIMEOUT_MS }, (row) =>
    once(provider, row),
  );

  it.each(IN_THE_ANSWER)("$name runs no tool, and is handled as the table says", { timeout: TIMEOUT_MS }, (row) =>
    once(provider, row),
  );

  it.each(AT_EVERY_EVENT)("$name any event of the stream is handled", { timeout: TIMEOUT_MS }, (row) =>
    everywhere(provider, row),
  );

  it.each(WIRES)("$name: nothing is noticed", { timeout: TIMEOUT_MS }, async ({ wire }) => {
    const world = await matrixWorld({ provider, scenario: { turns: scriptOf("wire", undefined, { wire }) } });
    expectWorked(await world.session("wire"), "wire", []);
  });

  it("an event that comes twice makes no tool run twice", { timeout: TIMEOUT_MS }, async () => {
    const events = await eventCount(provider);
    const names = positions(events).map((event) => ({ name: `twice${event}`, fault: { duplicate_event: event } }));
    const world = await matrixWorld({ provider, scenario: conversations(names) });
    for (const { name } of names) {
      const session = await world.session(name);
      expect(session.report.outcome, `${name}: ${session.kinds.join(", ")}`).toBe("completed");
      expect(session.counted, name).toEqual(counts(name));
    }
  });

  it(
    "a length that is shorter than the body loses the end or nothing, and no tool runs twice",
    { timeout: TIMEOUT_MS },
    async () => {
      const world = await matrixWorld({
        provider,
        scenario: { turns: scriptOf("short", { content_length: "shorter" }) },
      });
      const session = await world.session("short");
      expect(["", "stream_cut"]).toContain(session.kinds.join());
      expectWorked(session, "short", session.kinds);
    },
  );

  it("an answer without content is asked for once more", { timeout: TIMEOUT_MS }, async () => {
    const [work, end] = scriptOf("empty");
    if (work === undefined || end === undefined) throw new RangeError("the script has two turns");
    const world = await matrixWorld({ provider, scenario: { turns: [work, { ...end, fault: { empty: true } }] } });
    expectWorked(await world.session("empty"), "empty", ["empty_response"]);
  });

  it("a port where nobody listens is tried again, and nothing counts as spent", { timeout: TIMEOUT_MS }, async () => {
    const world = await matrixWorld({ provider, scenario: { turns: scriptOf("port", { refuse_ms: 300 }) } });
    const session = await world.session("port");
    expectWorked(session, "port", session.kinds);
    expect(new Set(session.kinds)).toEqual(new Set(["network"]));
  });

  it("a session whose every turn meets a fault keeps its limit of turns", { timeout: TIMEOUT_MS }, async () => {
    const [first] = scriptOf("limited", { error: "overloaded" });
    if (first === undefined) throw new RangeError("the script has a turn");
    const world = await matrixWorld({ provider, scenario: { turns: [{ ...first, repeat: 100 }] } });
    const session = await world.session("limited", { turns: 5 });
    expect(session.report).toMatchObject({ outcome: "limit_reached", turns: 5 });
  });
});

/** They wait more than they work. */
describe.concurrent.each(PROVIDERS)("over %s, in the end", (provider) => {
  it.for(SILENT)("$name any event of the stream is handled", { timeout: TIMEOUT_MS }, (row, { onTestFinished }) =>
    everywhere(provider, row, onTestFinished),
  );

  it("headers that never come end the call by its limit", { timeout: TIMEOUT_MS }, ({ onTestFinished }) =>
    every(
      provider,
      [{ name: "headers", fault: { no_headers: true }, kind: "timeout" }],
      { connect_ms: 2_000 },
      onTestFinished,
    ),
  );

  it("an endless stream ends the call by its limit", { timeout: TIMEOUT_MS }, ({ onTestFinished }) =>
    every(
      provider,
      [{ name: "endless", fault: { endless: true }, kind: "timeout" }],
      { total_ms: 3_000 },
      onTestFinished,
    ),
  );

  // Each takes all the waits that its row allows: of the other providers one is enough for a short run.
  it.for(
    LONG || provider === "anthropic"
      ? (["overloaded", "server_error", "rate_limit"] as const)
      : (["overloaded"] as const),
  )(
    "%s that does not pass ends the run within the bounds of its row, resumable",
    { timeout: TIMEOUT_MS },
    async (kind, { onTestFinished: finished }) => {
      const forever = { error: kind, times: 1_000_000, ...(kind === "rate_limit" ? { retry_after_ms: 50 } : {}) };
      const world = await matrixWorld({ provider, scenario: { turns: scriptOf("forever", forever) }, finished });
      const session = await world.session("forever");
      expect([...new Set(session.kinds)]).toEqual([kind]);
      // The first try, and as many again as the row allows.
      expect(session.kinds.length).toBeLessThanOrEqual(1 + (ERROR_TABLE[kind].limit?.attempts ?? 0));
      expect(world.emulator.requests).toHaveLength(session.kinds.length);
      expect(session.counted).toEqual([]);
      expect(session.report).toMatchObject({ outcome: "failed", turns: 1 });
    },
  );
});

describe("under random faults in a tenth of all requests", () => {
  it.each(PROVIDERS)(
    "99.5 in a hundred turns or more over %s succeed, and no tool runs twice",
    { timeout: LONG ? 1_200_000 : TIMEOUT_MS },
    async (provider) => {
      const names = Array.from({ length: LONG ? 250 : 20 }, (_, n) => `chaos${n}`);
      const world = await matrixWorld({
        provider,
        scenario: {
          chaos: { rate: 0.1, seed: 7 },
          conversations: names.map((name) => ({
            task_contains: `Do ${name};`,
            turns: scriptOf(name).flatMap((turn) => (turn.call ? [{ ...turn, repeat: CHAOS_TURNS - 1 }] : [turn])),
          })),
        },
      });
      const sessions = await inPortions(names, (name) => world.session(name));
      const turns = sessions.reduce((sum, { report }) => sum + report.turns, 0);
      const failures = sessions.reduce((sum, { kinds }) => sum + kinds.length, 0);
      const lost = sessions.filter(({ report }) => report.outcome !== "completed");
      const why = lost.map(({ report, kinds }) => `${report.outcome} after ${kinds.join(", ")}`).join("; ");
      expect(failures / (turns + failures), "share of requests that met a fault").toBeGreaterThan(FAULTS_MET_MIN);
      expect(1 - lost.length / turns, why).toBeGreaterThanOrEqual(0.995);
      for (const [n, { report, counted }] of sessions.entries()) {
        const expected = Array.from({ length: CHAOS_TURNS - 1 }, () => counts(names[n] ?? "")).flat();
        if (report.outcome === "completed") expect(counted).toEqual(expected);
      }
    },
  );
});

function conversations(cases: readonly { readonly name: string; readonly fault?: FaultInput }[]): {
  conversations: { task_contains: string; turns: ReturnType<typeof scriptOf> }[];
} {
  return {
    conversations: cases.map(({ name, fault }) => ({ task_contains: `Do ${name};`, turns: scriptOf(name, fault) })),
  };
}

async function once(provider: Provider, { fault, kind }: Row): Promise<void> {
  await every(provider, [{ name: "once", fault, kind: typeof kind === "string" ? kind : kind[provider] }], {});
}

interface Case {
  readonly name: string;
  readonly fault: FaultInput;
  readonly kind: Expected;
}

async function everywhere(provider: Provider, row: PlacedRow, finished?: Finished): Promise<void> {
  const events = await eventCount(provider, finished);
  const placed = positions(events).map((event) => ({
    name: `case${event}`,
    fault: row.at(event),
    kind: typeof row.kind === "function" ? row.kind(event, events, provider) : row.kind,
  }));
  await every(provider, placed, row.timeouts ?? {}, finished);
}

async function every(
  provider: Provider,
  cases: readonly Case[],
  timeouts: Partial<ModelTimeouts>,
  finished: Finished = onTestFinished,
): Promise<void> {
  const world = await matrixWorld({ provider, scenario: conversations(cases), timeouts, finished });
  await inPortions(cases, (one) => judge(world, provider, one));
}

async function judge(world: MatrixWorld, provider: Provider, { name, fault, kind }: Case): Promise<void> {
  const expected = typeof kind === "string" ? kind : kind[provider];
  const session = await world.session(name);
  const told = `${name}: ${JSON.stringify(fault)}`;
  if (expected === "none") return expectWorked(session, name, []);
  if (HANDLED_BY_ASKING_AGAIN.has(ERROR_TABLE[expected].handling)) return expectWorked(session, name, [expected], told);
  // Nothing was run from it, and nothing was asked again that could not help.
  expect(session.kinds, told).toEqual([expected]);
  expect(session.report.outcome, told).not.toBe("completed");
  expect(session.counted, told).toEqual([]);
}

/** Both tools ran once, in two turns, and the failures on the way were these. */
function expectWorked(session: MatrixSession, name: string, kinds: readonly string[], told = name): void {
  expect(session.kinds, told).toEqual(kinds);
  expect(session.counted, told).toEqual(counts(name));
  expect(session.report, told).toMatchObject({ outcome: "completed", turns: 2 });
}

async function inPortions<T, R>(all: readonly T[], work: (one: T) => Promise<R>): Promise<readonly R[]> {
  const results: R[] = [];
  for (let from = 0; from < all.length; from += AT_ONCE)
    results.push(...(await Promise.all(all.slice(from, from + AT_ONCE).map(work))));
  return results;
}

function positions(events: number): readonly number[] {
  const all = Array.from({ length: events }, (_, n) => n);
  return LONG ? all : all.filter((n) => n === 0 || n === events - 1 || n % Math.ceil(events / SAMPLE) === 2);
}

const counted = new Map<Provider, number>();

/** Events of the first turn's stream, counted on the wire: the request that the adapter sent, sent once more. */
async function eventCount(provider: Provider, finished: Finished = onTestFinished): Promise<number> {
  const known = counted.get(provider);
  if (known !== undefined) return known;
  const world = await matrixWorld({ provider, scenario: { turns: scriptOf("probe") }, finished });
  await world.session("probe");
  const [first] = world.emulator.requests;
  if (first === undefined) throw new RangeError("the session asked the model");
  const response = await fetch(`${world.emulator.url}${first.path}`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      authorization: "Bearer key-of-the-test",
      "anthropic-version": first.headers["anthropic-version"] ?? "",
    },
    body: JSON.stringify(first.body),
  });
  const events = (await response.text()).split("\n").filter((line) => line.startsWith("data:")).length;
  expect(events).toBeGreaterThan(8);
  counted.set(provider, events);
  return events;
}
