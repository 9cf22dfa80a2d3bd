/** What ends a call from outside: its caller, its limits, an address where nobody listens. */
import assert from "node:assert/strict";
import {
  bytes,
  ear,
  modelCase,
  type ModelContractCase,
  patiently,
  requestFor,
  type Stage,
  TIMEOUTS,
  wholeAnswers,
} from "./case.ts";
import { eventsOf, lastNeeded, type Recording } from "./recording.ts";
import { type Reply, turn } from "./replay-server.ts";

export const endCases: readonly ModelContractCase[] = [
  modelCase("sends nothing when its signal was aborted before", async (stage) => {
    const recorded = first(stage);
    const heard = ear();
    const signal = AbortSignal.abort();
    const answer = await stage.call(held(recorded, 0), requestFor(recorded), { ...heard, signal });
    assert.deepEqual(facts(answer), { ok: false, kind: "interrupted", aborted: true, sent: false });
    for (let i = 0; i < 20; i++) await turn();
    assert.deepEqual(stage.server.requests, []);
    assert.deepEqual(heard.deltas, []);
  }),

  modelCase("ends as aborted while the provider is silent, after any event, with what had been said", async (stage) => {
    for (const recorded of wholeAnswers(stage.under)) {
      for (let count = 0; count < eventsOf(recorded).length; count += 3) {
        const abort = new AbortController();
        const heard = ear();
        const reply = held(recorded, count);
        const pending = stage.call(reply, requestFor(recorded), { ...heard, signal: abort.signal });
        await stage.server.written();
        for (let i = 0; i < 10; i++) await turn();
        const said = heard.text();
        abort.abort();
        const answer = await pending;
        // The last event may have completed the answer before: then it stands.
        if (answer.ok) continue;
        const about = `${recorded.name} after ${count} events`;
        assert.deepEqual(facts(answer), { ok: false, kind: "interrupted", aborted: true, sent: true }, about);
        assert.equal(answer.partial, said, about);
        assert.equal(heard.text(), said, about);
      }
    }
  }),

  modelCase(
    "aborted inside any delta it is silent from then on, and hands out only what had been said",
    async (stage) => {
      for (const recorded of wholeAnswers(stage.under)) {
        const all = ear();
        await stage.call({ head: recorded, chunks: [bytes(recorded.body)], then: "end" }, requestFor(recorded), all);
        for (let position = 1; position <= all.deltas.length; position++) {
          const abort = new AbortController();
          const heard = ear(() => {
            if (heard.deltas.length === position) abort.abort();
          });
          const reply: Reply = { head: recorded, chunks: [bytes(recorded.body)], then: "end" };
          const answer = await stage.call(reply, requestFor(recorded), { ...heard, signal: abort.signal });
          const about = `${recorded.name}, aborted in delta ${position}`;
          assert.deepEqual(facts(answer), { ok: false, kind: "interrupted", aborted: true, sent: true }, about);
          assert.equal(heard.deltas.length, position, about);
          assert.equal(answer.ok ? "" : answer.partial, heard.text(), about);
        }
      }
    },
  ),

  modelCase("leaves a finished answer as it is when its signal aborts afterwards", async (stage) => {
    const recorded = first(stage);
    const abort = new AbortController();
    const reply: Reply = { head: recorded, chunks: [bytes(recorded.body)], then: "end" };
    const answer = await stage.call(reply, requestFor(recorded), { signal: abort.signal });
    const before = structuredClone(answer);
    abort.abort();
    for (let i = 0; i < 5; i++) await turn();
    assert.deepEqual(answer, before);
  }),

  modelCase("ends as timeout when no headers come within the connect limit, and not before", async (stage) => {
    const recorded = first(stage);
    const watch = watched(stage.call({ head: null, chunks: [], then: "hold" }, requestFor(recorded)));
    await arrived(stage);
    await passes(stage, watch, TIMEOUTS.connect_ms);
    assert.deepEqual(facts(await patiently(watch.answer)), { ok: false, kind: "timeout", aborted: false, sent: true });
  }),

  modelCase("ends as stream_idle when the stream falls silent, and not before", async (stage) => {
    const recorded = first(stage);
    const heard = ear();
    const most = lastNeeded(eventsOf(recorded));
    const watch = watched(stage.call(held(recorded, most), requestFor(recorded), heard));
    await stage.server.written();
    await until(() => heard.deltas.length > 0);
    await passes(stage, watch, TIMEOUTS.idle_ms);
    const answer = await patiently(watch.answer);
    assert.deepEqual(facts(answer), { ok: false, kind: "stream_idle", aborted: false, sent: true });
    assert.equal(answer.ok ? "" : answer.partial, heard.text());
  }),

  modelCase("ends as timeout when the answer is not whole within the total limit, and not before", async (stage) => {
    const recorded = first(stage);
    const heard = ear();
    const total_ms = TIMEOUTS.idle_ms - 1_000;
    const most = lastNeeded(eventsOf(recorded));
    const watch = watched(
      stage.call(held(recorded, most), requestFor(recorded), heard, { ...TIMEOUTS, connect_ms: total_ms, total_ms }),
    );
    await stage.server.written();
    await until(() => heard.deltas.length > 0);
    await passes(stage, watch, total_ms);
    const answer = await patiently(watch.answer);
    assert.deepEqual(facts(answer), { ok: false, kind: "timeout", aborted: false, sent: true });
    assert.equal(answer.ok ? "" : answer.partial, heard.text());
  }),

  modelCase("names its account, the same every time, and after its provider", async (stage) => {
    const where = { baseUrl: stage.server.url, clock: stage.clock, timeouts: TIMEOUTS };
    const [one, other] = [await stage.under.make(where), await stage.under.make(where)];
    assert.equal(one.account, other.account);
    assert.ok(one.account.startsWith(`${one.provider}@`), one.account);
  }),

  modelCase("says of an address where nobody listens that nothing was sent", async (stage) => {
    const recorded = first(stage);
    await stage.server.close();
    const answer = await stage.call(held(recorded, 0), requestFor(recorded));
    assert.deepEqual(facts(answer), { ok: false, kind: "network", aborted: false, sent: false });
  }),
];

function first(stage: Stage): Recording {
  const [recorded] = wholeAnswers(stage.under);
  assert.ok(recorded);
  return recorded;
}

/** So many events, and then nothing more. */
function held(recorded: Recording, count: number): Reply {
  const body = eventsOf(recorded).slice(0, count).join("");
  return { head: recorded, chunks: body === "" ? [] : [bytes(body)], then: "hold" };
}

function facts(answer: Awaited<ReturnType<Stage["call"]>>): object {
  if (answer.ok) return { ok: true };
  const { ok, kind, aborted, sent } = answer;
  return { ok, kind, aborted, sent };
}

interface Watched {
  readonly answer: ReturnType<Stage["call"]>;
  readonly ended: () => boolean;
}

function watched(answer: ReturnType<Stage["call"]>): Watched {
  let ended = false;
  const noted = answer.finally(() => {
    ended = true;
  });
  return { answer: noted, ended: () => ended };
}

/** All but the last millisecond of a limit, in which nothing ends, and then that one. */
async function passes(stage: Stage, watch: Watched, ms: number): Promise<void> {
  await stage.clock.advance(ms - 1);
  for (let i = 0; i < 5; i++) await turn();
  assert.equal(watch.ended(), false, "the call ended before its limit");
  await stage.clock.advance(1);
}

async function arrived(stage: Stage): Promise<void> {
  await until(() => stage.server.requests.length > 0);
}

/** Waits for what other turns of the event loop do. */
async function until(done: () => boolean): Promise<void> {
  const work = async (): Promise<void> => {
    while (!done()) await turn();
  };
  await patiently(work());
}
