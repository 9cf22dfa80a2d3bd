/**
 * A session that goes on and on, over real HTTP with the real SDK, against the emulator, which keeps the prompt cache as the
 * provider documents it: the conversation stays under its threshold, what must survive is in every request, and neither the time
 * nor the memory of a turn grows.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "../../src/host/system-clock.ts";
import { thresholdOf } from "../../src/kernel/compaction.ts";
import type { Event, EventOf } from "../../src/kernel/events/index.ts";
import { emptyState, foldEvent } from "../../src/kernel/fold.ts";
import type { SessionState } from "../../src/kernel/state.ts";
import { promptTokens } from "../../src/kernel/usage.ts";
import { DEFAULT_CONTEXT } from "../../src/kernel/work-policy.ts";
import { createAnthropicModel } from "../../src/model/anthropic/adapter.ts";
import { DEFAULT_LIMITS } from "../../src/kernel/limits.ts";
import { startEmulator } from "../../src/testing/emulator/emulator.ts";
import { testHost } from "../support/host.ts";
import { eventsOf, start, testPlace } from "../support/session.ts";

const TURNS = process.env["BELAY_TEST_LONG"] === "1" ? 1_000 : 120;
const WINDOW = 60_000;
/** After a compaction the script begins again at the step of the answers that are left: it has as many as ever fit in a window. */
const STEPS = 400;
const CACHE_SHARE_MIN = 0.85;
/** The last third of the turns against the first; the machines are shared. */
const SLOWER_MAX = 3;

const items = (n: number): { text: string; status: string }[] => [
  { text: `port module ${String(n)}`, status: "active" },
  { text: "write the release note", status: "pending" },
];

/** Mostly reads of about 1,000 tokens, the queue now and then, an edit, and something that fails. */
function callOf(n: number): { readonly tool: string; readonly input: Record<string, unknown> } {
  if (n % 12 === 3) return { tool: "todo", input: { items: items(n) } };
  if (n % 12 === 7) return { tool: "read", input: { path: `missing-${String(n)}.ts` } };
  if (n % 12 === 10)
    return { tool: "write", input: { path: `made-${String(n)}.ts`, content: `export const made = ${String(n)};\n` } };
  return { tool: "read", input: { path: `part-${String(n % 60)}.ts` } };
}

interface Sent {
  readonly text: string;
  readonly state: SessionState;
}

describe(`a session of ${String(TURNS)} turns`, { timeout: 600_000 }, () => {
  let events: readonly Event[] = [];
  let sent: readonly Sent[] = [];
  let usage = { read: 0, all: 0 };
  const clean: (() => void | Promise<void>)[] = [];

  beforeAll(async () => {
    const place = testPlace((one) => clean.push(one));
    for (let n = 0; n < 60; n++)
      writeFileSync(
        join(place.repository, `part-${String(n)}.ts`),
        `export const part${String(n)} = compute(${String(n)});\n`.repeat(80),
      );
    const emulator = await startEmulator({
      scenario: {
        turns: [
          {
            say: "The parser is ported, the printer is not.",
            match: { user_contains: "about to be shortened" },
            repeat: 1_000,
          },
          ...Array.from({ length: STEPS }, (_, n) => ({
            say: `Step ${String(n)}.`,
            call: [callOf(n)],
            chunk_chars: 1_000,
          })),
        ],
      },
    });
    const model = createAnthropicModel({ apiKey: "a-key-of-the-test", baseUrl: emulator.url, clock: systemClock });
    const host = await testHost({ home: place.home, model });
    const limits = { ...DEFAULT_LIMITS, turns: TURNS, tokens: 1_000_000_000 };
    const live = await start(host, place, {
      context: { ...DEFAULT_CONTEXT, window: WINDOW },
      limits,
      budget: { caps: [], alert_at: null, turn_alert: null },
    });
    const report = await live.done;
    await emulator.close();
    expect(report).toMatchObject({ outcome: "limit_reached", turns: TURNS });
    usage = { read: report.usage.cache_read_tokens, all: promptTokens(report.usage) };
    events = await eventsOf(host, live.session);
    const bodies = emulator.requests.map(({ body }) => JSON.stringify(body));
    sent = statesBefore(events).map((state, n) => ({ state, text: bodies[n] ?? "" }));
    await host.store.close();
    for (const one of clean) await one();
  }, 600_000);

  it("stays under its threshold", () => {
    for (const answer of answers(events)) {
      expect(promptTokens(answer.data.usage)).toBeLessThan(thresholdOf(sent[0]?.state ?? { config: null }) * 1.1);
    }
  });

  it("holds the task, the queue, and the last mistakes in every request", () => {
    const missing = sent.flatMap(({ state, text }, n) => {
      const { queue, mistakes } = state.continuity;
      // Of a mistake: what it was about. In the conversation itself it stands as a call and its result.
      const about = mistakes.map(({ what }) => what.split(":")[0]?.split(" ").at(-1) ?? "");
      const wanted = ["do the work", ...queue.map((item) => item.text), ...about];
      return wanted.filter((one) => !text.includes(one)).map((one) => `request ${String(n)}: ${one}`);
    });
    expect(missing).toEqual([]);
    expect(sent.at(-1)?.state.continuity.queue).not.toEqual([]);
    expect(sent.at(-1)?.state.continuity.mistakes).not.toEqual([]);
  });

  it(`reads at least ${String(CACHE_SHARE_MIN * 100)} % of its input from the cache, with every compaction counted by its layer`, () => {
    const layers = new Map<string, number>();
    let freed = 0;
    let lost = 0;
    for (const event of events) {
      if (event.kind !== "ContextCompacted") continue;
      layers.set(event.data.layer, (layers.get(event.data.layer) ?? 0) + 1);
      freed += event.data.before - event.data.after;
      lost += event.data.cache_lost;
    }
    const share = usage.read / usage.all;
    console.log(
      `${String(TURNS)} turns: ${(share * 100).toFixed(1)} % of ${String(usage.all)} tokens read from the cache; compactions ${JSON.stringify(Object.fromEntries(layers))}, ${String(freed)} tokens freed, ${String(lost)} written again`,
    );
    expect(layers.size).toBeGreaterThan(0);
    expect(share).toBeGreaterThanOrEqual(CACHE_SHARE_MIN);
  });

  it("takes no more time for a late turn than for an early one, and no more memory", () => {
    const starts = events.filter((event) => event.kind === "ModelCallStarted").map(({ at }) => at);
    const gaps = starts.slice(1).map((at, n) => at - (starts[n] ?? at));
    const third = Math.floor(gaps.length / 3);
    const [early, late] = [median(gaps.slice(0, third)), median(gaps.slice(-third))];
    console.log(`a turn takes ${String(early)} ms at first and ${String(late)} ms at last (medians)`);
    expect(late).toBeLessThanOrEqual(Math.max(early, 5) * SLOWER_MAX);
    const first = sent.slice(0, 40).reduce((most, { state }) => Math.max(most, JSON.stringify(state).length), 0);
    const last = sent.slice(-40).reduce((most, { state }) => Math.max(most, JSON.stringify(state).length), 0);
    console.log(`the state has ${String(first)} characters at first and ${String(last)} at last (most of forty)`);
    expect(last).toBeLessThan(Math.max(first, WINDOW * 4) * 2);
  });
});

function answers(events: readonly Event[]): readonly EventOf<"ModelCallFinished">[] {
  return events.filter((event) => event.kind === "ModelCallFinished");
}

/** The state in which each call was made. */
function statesBefore(events: readonly Event[]): readonly SessionState[] {
  const [first] = events;
  if (first === undefined) return [];
  const { tenant, principal, session, root, trace } = first;
  let state = emptyState({ tenant, principal, session, root, trace });
  return events.flatMap((event) => {
    const before = state;
    state = foldEvent(state, event);
    return event.kind === "ModelCallStarted" ? [before] : [];
  });
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;
}
