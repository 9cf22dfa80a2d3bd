/** Properties of the journal, over sessions as they can really occur. */
import { fc } from "../../support/property.ts";
import { describe, expect, it } from "vitest";
import type { Draft, Event } from "../../../src/kernel/events/index.ts";
import { FIRST_HASH } from "../../../src/kernel/envelope.ts";
import { emptyState, foldAll, foldEvent, isUnknown } from "../../../src/kernel/fold.ts";
import { LOCAL_TENANT } from "../../../src/kernel/ids.ts";
import { canonicalJson } from "../../../src/kernel/json.ts";
import { FOLD_VERSION, type SessionState } from "../../../src/kernel/state.ts";
import { loadSession, readEvents, summaryOf } from "../../../src/store/journal.ts";
import { createMemoryStore } from "../../../src/store/memory/memory-store.ts";
import type { Store } from "../../../src/store/port.ts";
import { manualClock } from "../../../src/testing/manual-clock.ts";
import { journalOn, newSession } from "../../support/session-fixture.ts";
import { choicesFrom, simulate } from "../../support/simulated-session.ts";

const RUNS = 25;
/** All of them are made with the same ids. */
const SESSION = simulate(choicesFrom([])).start.session;
const choices = fc.array(fc.nat(99), { maxLength: 120 });

/** What an engine would have handed to the journal. */
function draftsOf(events: readonly Event[]): readonly Draft[] {
  return events.map(({ kind, data, turn, actor }) => ({ kind, data, turn, actor }) as Draft); // kind and data belong together
}

/** A store that takes every event: these sessions pass their caps, as real ones cannot. */
function memoryStore(): Store {
  const store = createMemoryStore({ clock: manualClock() });
  return { ...store, append: ({ ledger: _moves, ...command }) => store.append(command) };
}

async function written(store: Store, drafts: readonly Draft[], sizes: readonly number[]): Promise<SessionState> {
  await store.createSession(newSession(SESSION));
  const journal = await journalOn(store, { session: SESSION });
  let at = 0;
  for (let i = 0; at < drafts.length; i++) {
    const size = sizes[i % sizes.length] ?? 1;
    await journal.append(drafts.slice(at, at + size));
    at += size;
  }
  return journal.state;
}

async function read(store: Store): Promise<readonly Event[]> {
  const events: Event[] = [];
  for await (const event of readEvents(store, LOCAL_TENANT, SESSION)) if (!isUnknown(event)) events.push(event);
  return events;
}

const sizes = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 5 });

describe("every session", () => {
  it("is read back as the state that its writer had, however its events were batched", async () => {
    await fc.assert(
      fc.asyncProperty(choices, sizes, async (numbers, batches) => {
        const store = memoryStore();
        const state = await written(store, draftsOf(simulate(choicesFrom(numbers)).events), batches);
        const { row, state: loaded } = await loadSession(store, LOCAL_TENANT, SESSION);
        expect(loaded).toEqual(state);
        expect(row.summary).toEqual(summaryOf(state));
        expect(row.last_seq).toBe(state.seq);
      }),
      { numRuns: RUNS },
    );
  });

  it("folds from any snapshot and the rest to what it folds to from the start", async () => {
    await fc.assert(
      fc.asyncProperty(choices, fc.nat(), async (numbers, cut) => {
        const store = memoryStore();
        const state = await written(store, draftsOf(simulate(choicesFrom(numbers)).events), [3]);
        const events = await read(store);
        const seq = cut % (events.length + 1);
        const prefix = foldAll(emptyState(newSession(SESSION)), events.slice(0, seq));
        await store.putSnapshot({
          tenant: LOCAL_TENANT,
          session: SESSION,
          seq,
          fold: FOLD_VERSION,
          state: canonicalJson(prefix),
        });
        expect((await loadSession(store, LOCAL_TENANT, SESSION)).state).toEqual(state);
      }),
      { numRuns: RUNS },
    );
  });

  it("is a chain without gaps, whose every link is the hash of the bytes before", async () => {
    await fc.assert(
      fc.asyncProperty(choices, async (numbers) => {
        const store = memoryStore();
        await written(store, draftsOf(simulate(choicesFrom(numbers)).events), [2]);
        let before = { seq: 0, hash: FIRST_HASH };
        let state = emptyState(newSession(SESSION));
        for (const event of await read(store)) {
          expect({ seq: event.seq, prev_hash: event.prev_hash }).toEqual({
            seq: before.seq + 1,
            prev_hash: before.hash,
          });
          state = foldEvent(state, event);
          before = event;
        }
        expect(state.hash).toBe(before.hash);
      }),
      { numRuns: RUNS },
    );
  });

  it("with one byte changed anywhere is never read as if it were whole", async () => {
    await fc.assert(
      fc.asyncProperty(choices, fc.nat(), fc.nat(), async (numbers, which, where) => {
        const store = memoryStore();
        await written(store, draftsOf(simulate(choicesFrom(numbers)).events), [4]);
        const damaged: Store = {
          ...store,
          read: async (query) => {
            const records = await store.read(query);
            return records.map((record) => {
              if (record.seq !== (which % 5) + 1) return record;
              const at = where % record.body.length;
              const changed = record.body[at] === "a" ? "b" : "a";
              return { ...record, body: record.body.slice(0, at) + changed + record.body.slice(at + 1) };
            });
          },
        };
        await expect(read(damaged)).rejects.toMatchObject({ kind: "store_corrupt" });
      }),
      { numRuns: RUNS },
    );
  });
});
