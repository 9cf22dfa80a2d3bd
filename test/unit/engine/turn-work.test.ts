/** What a turn costs, counted and not timed: stored commands, what a request holds, what stays alive. */
import { describe, expect, it, onTestFinished } from "vitest";
import { keptShare, worstShare } from "../../../scripts/bench-prefix.ts";
import { type Reply, type Script, startBenchServer } from "../../../scripts/bench-server.ts";
import { createAnthropicModel } from "../../../src/model/anthropic/adapter.ts";
import type { Store } from "../../../src/store/port.ts";
import { openSqliteStore } from "../../../src/store/sqlite/sqlite-store.ts";
import { start, type TestPlace, testPlace } from "../../support/session.ts";
import { systemClock, testHost } from "../../support/host.ts";

/** As docs/performance.md promises. */
const FIRST_REQUEST_BYTES_MAX = 8_192;
const ACROSS_SHARE_MIN = 0.98;

const READ: Reply = { kind: "calls", calls: [{ tool: "read", input: { path: "README.md" } }] };
const DONE: Reply = { kind: "text", text: "Done." };

interface Ran {
  readonly bodies: readonly Buffer[];
  /** Commands to the store that sync, up to each request. */
  readonly syncs: readonly number[];
}

/** A session over real HTTP, the real SDK, SQLite and a workspace. */
async function runSession(place: TestPlace, script: Script): Promise<Ran> {
  let count = 0;
  const syncs: number[] = [];
  const server = await startBenchServer(script, () => syncs.push(count));
  onTestFinished(() => server.close());
  const sqlite = await openSqliteStore({ path: `${place.directory}/counted.db`, clock: systemClock });
  const store: Store = {
    ...sqlite,
    append: (command) => (count++, sqlite.append(command)),
    putSnapshot: (snapshot) => (count++, sqlite.putSnapshot(snapshot)),
    putBlob: (...given) => (count++, sqlite.putBlob(...given)),
  };
  const model = createAnthropicModel({ apiKey: "a-key-of-the-test", baseUrl: server.url, clock: systemClock });
  const host = await testHost({ home: place.home, model, store });
  const report = await (await start(host, place, { model: "claude-sonnet-4-5" })).done;
  expect(report).toMatchObject({ outcome: "completed" });
  return { bodies: server.bodies, syncs };
}

describe("a turn", () => {
  it(
    "with a read tool takes two synced commands to the store, the fortieth as the third",
    { timeout: 120_000 },
    async () => {
      const turns = 40;
      const { syncs } = await runSession(testPlace(), (n) => (n < turns ? READ : DONE));
      const steps = syncs.slice(2).map((count, n) => count - (syncs[n + 1] ?? 0));
      // Once in some twenty-five turns the state is kept as well.
      expect(steps.filter((count) => count > 2).length).toBeLessThanOrEqual(2);
      expect(new Set(steps.filter((count) => count <= 2))).toEqual(new Set([2]));
    },
  );

  it(
    "extends the request before it to the byte: the provider finds the whole of it in its cache",
    { timeout: 120_000 },
    async () => {
      const { bodies } = await runSession(testPlace(), (n) => (n < 8 ? READ : DONE));
      expect(bodies).toHaveLength(9);
      expect(worstShare(bodies)).toBe(1);
    },
  );
});

describe("the first request", () => {
  it("is small, and begins as that of a session in another directory", { timeout: 120_000 }, async () => {
    const [one, two] = [await runSession(testPlace(), () => DONE), await runSession(testPlace(), () => DONE)];
    const [first = Buffer.alloc(0), second = Buffer.alloc(0)] = [one.bodies[0], two.bodies[0]];
    expect(first.byteLength).toBeLessThanOrEqual(FIRST_REQUEST_BYTES_MAX);
    expect(keptShare(first, second)).toBeGreaterThanOrEqual(ACROSS_SHARE_MIN);
  });
});

describe("the share of a prompt that is kept", () => {
  const body = (...texts: readonly string[]): Buffer =>
    Buffer.from(
      JSON.stringify({ tools: [], system: "s", messages: texts.map((text) => ({ role: "user", content: text })) }),
    );

  it("is that of the bytes from the front, and a cache mark is none of them", () => {
    const marked = { type: "text", text: "a", cache_control: { type: "ephemeral" } };
    const bare = { type: "text", text: "a" };
    const of = (block: object): Buffer =>
      Buffer.from(JSON.stringify({ messages: [{ role: "user", content: [block] }] }));
    expect(keptShare(of(marked), of(bare))).toBe(1);
    expect(keptShare(body("a", "b"), body("a", "b", "c"))).toBe(1);
    expect(keptShare(body("aaaa"), body("aaab"))).toBeLessThan(1);
    expect(worstShare([body("a"), body("a", "b"), body("x", "b")])).toBeLessThan(0.9);
  });
});
