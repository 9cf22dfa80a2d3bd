/** The journal of one session: J1–J5, the envelope, and what a reader makes of it. */
import { beforeEach, describe, expect, it } from "vitest";
import type { Draft, Event } from "../../../src/kernel/events/index.ts";
import { FIRST_HASH, hashOf } from "../../../src/kernel/envelope.ts";
import { foldAll, isUnknown } from "../../../src/kernel/fold.ts";
import { HarnessError } from "../../../src/kernel/harness-error.ts";
import {
  type BlobHash,
  LOCAL_PRINCIPAL,
  LOCAL_TENANT,
  type ModelCallId,
  type RunId,
  type SpanId,
  type ToolCallId,
} from "../../../src/kernel/ids.ts";
import { INLINE_BYTES_MAX } from "../../../src/kernel/limits.ts";
import { loadSession, openJournal, readEvents, SNAPSHOT_EVERY_EVENTS, summaryOf } from "../../../src/store/journal.ts";
import { createMemoryStore } from "../../../src/store/memory/memory-store.ts";
import { BLOB_GRACE_MS, type Store } from "../../../src/store/port.ts";
import { emptyState } from "../../../src/kernel/fold.ts";
import { type ManualClock, manualClock } from "../../../src/testing/manual-clock.ts";
import { faultyStore } from "../../../src/testing/faulty-store.ts";
import {
  beginning,
  claim,
  journalOn,
  LEASE_MS,
  newSession,
  redactorOf,
  said,
  SESSION,
} from "../../support/session-fixture.ts";

let clock: ManualClock;
let store: Store;

beforeEach(async () => {
  clock = manualClock(1_000_000);
  store = createMemoryStore({ clock });
  await store.createSession(newSession());
});

async function read(from: Store = store): Promise<readonly Event[]> {
  const events: Event[] = [];
  for await (const event of readEvents(from, LOCAL_TENANT, SESSION)) {
    if (isUnknown(event)) throw new RangeError(`unknown ${event.kind}`);
    events.push(event);
  }
  return events;
}

async function kindOf(action: Promise<unknown>): Promise<string> {
  const error: unknown = await action.then(
    () => "nothing failed",
    (thrown: unknown) => thrown,
  );
  return error instanceof HarnessError ? error.kind : String(error);
}

/** Replaces the text of one stored record, with a hash that fits it. */
function forging(seq: number, change: (body: string) => string): Store {
  return {
    ...store,
    read: async (query) =>
      (await store.read(query)).map((record) => {
        if (record.seq !== seq) return record;
        const body = change(record.body);
        return { ...record, body, hash: hashOf(body) };
      }),
  };
}

describe("an append", () => {
  it("puts the whole envelope on each event", async () => {
    const journal = await journalOn(store);
    const [first, , third] = await journal.append(beginning());
    await clock.advance(5);
    const [said1] = await journal.append([{ ...said("hello"), causation: 3, turn: 4 }]);
    expect(first).toMatchObject({
      tenant: LOCAL_TENANT,
      principal: LOCAL_PRINCIPAL,
      session: SESSION,
      root: SESSION,
      parent: null,
      run: null,
      turn: 0,
      phase: null,
      seq: 1,
      epoch: 1,
      kind: "SessionCreated",
      version: 1,
      at: 1_000_000,
      causation: null,
      actor: "belay",
      trace: newSession().trace,
      redactions: 0,
      prev_hash: FIRST_HASH,
    });
    const run = third?.kind === "RunStarted" ? third.data.run : null;
    expect(third?.run).toBe(run);
    expect(third?.span).toBe(first?.span);
    expect(said1).toMatchObject({
      seq: 4,
      run,
      turn: 4,
      causation: 3,
      actor: "user",
      at: 1_000_005,
      prev_hash: third?.hash,
    });
    expect(said1?.span).not.toBe(first?.span);
  });

  it("J1: resolves when the events are stored, and leaves the fold of exactly them", async () => {
    const journal = await journalOn(store);
    const appended = [...(await journal.append(beginning())), ...(await journal.append([said("hello")]))];
    const stored = await read();
    expect(stored).toEqual(appended);
    expect(journal.state).toEqual(foldAll(emptyState(newSession()), stored));
    expect((await loadSession(store, LOCAL_TENANT, SESSION)).state).toEqual(journal.state);
  });

  it("of nothing is nothing", async () => {
    const journal = await journalOn(store);
    expect(await journal.append([])).toEqual([]);
    expect(journal.state.seq).toBe(0);
  });

  it("J2: concurrent appends are stored one after the other, in the order of the calls", async () => {
    const journal = await journalOn(store);
    await Promise.all(Array.from({ length: 20 }, (_, i) => journal.append([said(`a${i}`), said(`b${i}`)])));
    const texts = (await read()).map(({ data }) => JSON.stringify(data).match(/[ab]\d+/)?.[0]);
    expect(texts).toEqual(Array.from({ length: 20 }, (_, i) => [`a${i}`, `b${i}`]).flat());
  });

  it("tells listeners after the events are durable, until they stop listening", async () => {
    const journal = await journalOn(store);
    const heard: number[] = [];
    const stop = journal.onAppend((events) => heard.push(...events.map(({ seq }) => seq), journal.state.seq));
    await journal.append([said("a"), said("b")]);
    stop();
    await journal.append([said("c")]);
    expect(heard).toEqual([1, 2, 2]);
  });

  it("fails loudly when a listener throws, with the events stored", async () => {
    const journal = await journalOn(store);
    const stop = journal.onAppend(() => {
      throw new RangeError("a defect");
    });
    await expect(journal.append([said("a")])).rejects.toThrow("a defect");
    stop();
    await journal.append([said("b")]);
    expect((await read()).map(({ seq }) => seq)).toEqual([1, 2]);
  });

  it("writes nothing that could not be read back", async () => {
    const journal = await journalOn(store);
    const wrong: Draft = { kind: "UserMessageAdded", data: { parts: [] } };
    expect(await kindOf(journal.append([said("a"), wrong]))).toBe("internal");
    expect(await read()).toEqual([]);
    expect(journal.state.seq).toBe(0);
    await journal.append([said("b")]);
    expect(journal.state.seq).toBe(1);
  });

  it("does not let time go back within a session", async () => {
    const journal = await journalOn(store);
    await journal.append([said("a")]);
    clock.setWallClock(5);
    const [event] = await journal.append([said("b")]);
    expect(event?.at).toBe(1_000_000);
  });

  it("keeps the row's summary equal to the folded state", async () => {
    const journal = await journalOn(store);
    await journal.append(beginning());
    const { summary } = (await loadSession(store, LOCAL_TENANT, SESSION)).row;
    expect(summary).toEqual(summaryOf(journal.state));
    expect(summary).toMatchObject({ title: "fix it", status: "running", model: "claude-sonnet-4-5" });
  });
});

describe("secrets", () => {
  it("J3: are replaced before anything is stored, counted, and can be restored", async () => {
    const redactor = redactorOf({ name: "DEPLOY_KEY", value: "correct horse battery" });
    const journal = await journalOn(store, { redactor });
    const [event] = await journal.append([said("use correct horse battery, twice: correct horse battery")]);
    const stored = await store.read({ tenant: LOCAL_TENANT, session: SESSION, after_seq: 0, limit: 9 });
    expect(JSON.stringify(stored)).not.toContain("correct horse");
    expect(event?.redactions).toBe(2);
    expect(event && redactor.restoreJson(event.data as never)).toEqual(
      said("use correct horse battery, twice: correct horse battery").data,
    );
    expect(JSON.stringify(journal.state)).not.toContain("correct horse");
  });

  it("J3: are durable in the vault before the event is stored", async () => {
    const order: string[] = [];
    const redactor = redactorOf({ name: "DEPLOY_KEY", value: "correct horse battery" });
    const journal = await journalOn(
      { ...store, append: async (command) => (order.push("append"), store.append(command)) },
      { redactor: { ...redactor, flush: async () => void order.push("flush") } },
    );
    await journal.append([said("correct horse battery")]);
    expect(order).toEqual(["flush", "append"]);
  });

  it("J3: keep the event out when the vault cannot be written", async () => {
    const full = new HarnessError("store_full", "The disk is full.", "Free space.");
    const journal = await journalOn(store, { redactor: { ...redactorOf(), flush: () => Promise.reject(full) } });
    await expect(journal.append([said("a")])).rejects.toBe(full);
    expect(await read()).toEqual([]);
  });

  it("that happen to be words of belay's own do not make the journal unreadable", async () => {
    const redactor = redactorOf(
      { name: "A", value: "UserMessageAdded" },
      { name: "B", value: "workspace" },
      { name: "C", value: "tool_result" },
    );
    const journal = await journalOn(store, { redactor });
    const [event] = await journal.append([
      {
        kind: "UserMessageAdded",
        data: { parts: [{ type: "text", text: "a workspace", origin: { from: "workspace" } }] },
      },
    ]);
    expect(event?.data).toEqual({
      parts: [
        {
          type: "text",
          text: expect.stringMatching(/^a \[secret:B:[0-9a-f]{8}\]$/) as string,
          origin: { from: "workspace" },
        },
      ],
    });
    expect(await read()).toEqual([event]);
  });

  it("never alter what a provider signed", async () => {
    const secret = "correct-horse-battery";
    const journal = await journalOn(store, { redactor: redactorOf({ name: "A", value: secret }) });
    const origin = { from: "model" } as const;
    const usage = {
      input_tokens: 1,
      cache_read_tokens: 0,
      cache_write_5m_tokens: 0,
      cache_write_1h_tokens: 0,
      output_tokens: 1,
    };
    const [event] = await journal.append([
      {
        kind: "ModelCallFinished",
        data: {
          call: "mdl_1" as ModelCallId,
          parts: [
            { type: "thinking", text: `think ${secret}`, signature: secret, origin },
            { type: "redacted_thinking", data: secret, origin },
            {
              type: "tool_use",
              call: "call_1" as ToolCallId,
              provider_id: "p",
              name: "bash",
              input: { signature: secret, [secret]: [secret] },
              origin,
            },
          ],
          stop: "tool_use",
          usage,
          model: "m",
          request_id: null,
          duration_ms: 1,
          first_delta_ms: null,
        },
      },
    ]);
    const parts = event?.kind === "ModelCallFinished" ? event.data.parts : [];
    expect(parts[0]).toMatchObject({ signature: secret, text: expect.stringContaining("[secret:A:") as string });
    expect(parts[1]).toMatchObject({ data: secret });
    expect(JSON.stringify(parts[2])).not.toContain(secret);
    expect(event?.redactions).toBe(4);
  });
});

describe("a large event", () => {
  const large = "x".repeat(INLINE_BYTES_MAX);

  it("stands in a blob, leaves a stub, and is read back whole", async () => {
    const journal = await journalOn(store);
    await journal.append(beginning());
    const [event] = await journal.append([said(large)]);
    await journal.append([said("small")]);
    const [stub] = await store.read({ tenant: LOCAL_TENANT, session: SESSION, after_seq: 3, limit: 1 });
    expect(stub?.body.length).toBeLessThan(2_000);
    expect(stub?.blob).toMatch(/^sha256:/);
    expect((await read())[3]).toEqual(event);
    expect((await loadSession(store, LOCAL_TENANT, SESSION)).state).toEqual(journal.state);
  });

  it("is held by a reference: pruning spares it", async () => {
    const journal = await journalOn(store);
    await journal.append([said(large)]);
    await clock.advance(2 * BLOB_GRACE_MS);
    expect((await store.pruneBlobs(LOCAL_TENANT)).removed).toBe(0);
    expect(await read()).toHaveLength(1);
  });

  it("whose blob is gone, or is another's, is damage and no gap", async () => {
    const journal = await journalOn(store);
    await journal.append([said(large)]);
    await journal.append([said(`${large}y`)]);
    const records = await store.read({ tenant: LOCAL_TENANT, session: SESSION, after_seq: 0, limit: 9 });
    const gone: Store = {
      ...store,
      getBlob: () => Promise.reject(new HarnessError("blob_missing", "It is gone.", "Restore it.")),
    };
    expect(await kindOf(read(gone))).toBe("store_corrupt");
    const swapped: Store = {
      ...store,
      getBlob: (tenant) => store.getBlob(tenant, records[1]?.blob as BlobHash), // the second record has one
    };
    expect(await kindOf(read(swapped))).toBe("store_corrupt");
  });
});

describe("references to blobs", () => {
  it("are taken from the fields that hold them, and not from what a model wrote", async () => {
    const journal = await journalOn(store);
    const image = await store.putBlob(LOCAL_TENANT, new Uint8Array([1]));
    const output = await store.putBlob(LOCAL_TENANT, new Uint8Array([2]));
    const lookalike = `sha256:${"0".repeat(64)}`;
    const usage = {
      input_tokens: 1,
      cache_read_tokens: 0,
      cache_write_5m_tokens: 0,
      cache_write_1h_tokens: 0,
      output_tokens: 1,
    };
    const use = {
      type: "tool_use",
      call: "call_1" as ToolCallId,
      provider_id: "p",
      name: "x",
      input: { blob: lookalike, output: lookalike },
      origin: { from: "model" },
    } as const;
    await journal.append([
      {
        kind: "ModelCallFinished",
        data: {
          call: "mdl_1" as ModelCallId,
          parts: [use],
          stop: "tool_use",
          usage,
          model: "m",
          request_id: null,
          duration_ms: 1,
          first_delta_ms: null,
        },
      },
      said(lookalike),
      {
        kind: "UserMessageAdded",
        data: { parts: [{ type: "image", media_type: "image/png", blob: image, origin: { from: "user" } }] },
      },
      {
        kind: "ToolFinished",
        data: { call: "call_1" as ToolCallId, status: "ok", content: [], output, exit: null, duration_ms: 1 },
      },
    ]);
    await clock.advance(2 * BLOB_GRACE_MS);
    expect((await store.pruneBlobs(LOCAL_TENANT)).removed).toBe(0);
  });
});

describe("a journal that lost its session", () => {
  it("J4: is fenced once another process took over, and stays so", async () => {
    const old = await journalOn(store);
    await old.append([said("a")]);
    await clock.advance(LEASE_MS);
    const fresh = await journalOn(store, { token: "token-2" });
    expect(await kindOf(old.append([said("b")]))).toBe("fenced");
    await fresh.append([said("c")]);
    await fresh.close();
    expect(await kindOf(old.append([said("d")]))).toBe("fenced");
    expect(await kindOf(old.renew(LEASE_MS))).toBe("fenced");
    expect(old.state.seq).toBe(1);
    await old.close();
    expect((await read()).map(({ data }) => JSON.stringify(data).match(/"text":"(.)"/)?.[1])).toEqual(["a", "c"]);
  });

  it("J4: is fenced by a renew that fails, too", async () => {
    const old = await journalOn(store);
    await clock.advance(LEASE_MS);
    await claim(store, "token-2");
    expect(await kindOf(old.renew(LEASE_MS))).toBe("fenced");
    expect(await kindOf(old.append([said("b")]))).toBe("fenced");
  });

  it("J4: refuses every append after a failed sync, with the same error", async () => {
    const faulty = faultyStore(store, { failAt: 8, when: "before" });
    const journal = await journalOn(faulty);
    let first: unknown;
    while (first === undefined)
      first = await journal.append([said("a")]).then(
        () => undefined,
        (error: unknown) => error,
      );
    const { seq } = journal.state;
    await expect(journal.append([said("b")])).rejects.toBe(first);
    await expect(Promise.all([journal.append([said("c")]), journal.append([said("d")])])).rejects.toBe(first);
    await journal.close();
    expect(await read()).toHaveLength(seq);
  });

  it("J4: does not try again after a failed sync, although the store would take it", async () => {
    const failed = new HarnessError("store_io", "The disk failed.", "Open the store anew.");
    let fails = 1;
    const journal = await journalOn({
      ...store,
      append: (command) => (fails-- > 0 ? Promise.reject(failed) : store.append(command)),
    });
    await expect(journal.append([said("a")])).rejects.toBe(failed);
    await expect(journal.append([said("b")])).rejects.toBe(failed);
    await expect(journal.renew(LEASE_MS)).rejects.toBe(failed);
    expect(await read()).toEqual([]);
  });

  it("goes on after an error that passes, with nothing lost and nothing twice", async () => {
    const busy = new HarnessError("store_busy", "Another process held the database.", "Try again.");
    const journal = await journalOn({ ...store });
    await journal.append([said("a")]);
    const failing = faultyStore(store, { failAt: 6, when: "before", error: busy });
    await journal.close();
    const second = await journalOn(failing, { token: "token-2" });
    const results = await Promise.all(
      ["b", "c", "d", "e"].map((text) =>
        second.append([said(text)]).then(
          () => text,
          () => null,
        ),
      ),
    );
    const texts = (await read()).map(({ data }) => JSON.stringify(data).match(/"text":"(.)"/)?.[1]);
    expect(texts).toEqual(["a", ...results.filter((text) => text !== null)]);
    expect(results).toContain(null);
  });

  it("is refused after it was closed, and closes once", async () => {
    const journal = await journalOn(store);
    await journal.append([said("a")]);
    const queued = journal.append([said("b")]);
    await Promise.all([journal.close(), journal.close()]);
    await queued;
    expect(await kindOf(journal.append([said("c")]))).toBe("internal");
    expect((await store.getSession(LOCAL_TENANT, SESSION))?.owner).toBeNull();
    expect(await read()).toHaveLength(2);
  });
});

describe("what is staged", () => {
  it("J5: is folded at once, and stored with the next append in one command, before it", async () => {
    const appends: number[] = [];
    const counting: Store = {
      ...store,
      append: async (command) => {
        appends.push(command.records.length);
        await store.append(command);
      },
    };
    const journal = await journalOn(counting);
    const heard: number[] = [];
    journal.onAppend((events) => heard.push(...events.map(({ seq }) => seq)));
    await journal.append(beginning());
    await journal.stage([said("a")]);
    await journal.stage([said("b")]);
    expect([journal.state.seq, (await read()).length, heard]).toEqual([5, 3, [1, 2, 3]]);
    const own = await journal.append([said("c")]);
    expect(own.map(({ seq }) => seq)).toEqual([6]);
    expect([appends, heard]).toEqual([
      [3, 3],
      [1, 2, 3, 4, 5, 6],
    ]);
    const events = await read();
    expect(foldAll(emptyState(newSession()), events)).toEqual(journal.state);
  });

  it("J5: is stored by a flush, and by closing", async () => {
    const journal = await journalOn(store);
    await journal.stage([said("a")]);
    await journal.flush();
    await journal.flush();
    expect(await read()).toHaveLength(1);
    await journal.stage([said("b")]);
    await journal.close();
    expect(await read()).toHaveLength(2);
    const { state } = await loadSession(store, LOCAL_TENANT, SESSION);
    expect(state).toEqual(journal.state);
    expect(await kindOf(journal.stage([said("c")]))).toBe("internal");
    expect(await kindOf(journal.flush())).toBe("internal");
  });

  it("J5: stays staged when the store fails for the moment, and is stored once", async () => {
    const busy = new HarnessError("store_busy", "Another process held the database.", "Try again.");
    let fails = 1;
    const journal = await journalOn({
      ...store,
      append: (command) => (fails-- > 0 ? Promise.reject(busy) : store.append(command)),
    });
    await journal.stage([said("a")]);
    await expect(journal.append([said("lost")])).rejects.toBe(busy);
    await journal.append([said("b")]);
    const texts = (await read()).map(({ data }) => JSON.stringify(data).match(/"text":"(\w+)"/)?.[1]);
    expect(texts).toEqual(["a", "b"]);
  });

  it("J1: that does not fit its schema changes nothing", async () => {
    const journal = await journalOn(store);
    await journal.append(beginning());
    const before = journal.state;
    const wrong = { kind: "RetryWaited", data: null } as unknown as Draft; // what the compiler keeps everybody else from
    expect(await kindOf(journal.stage([wrong]))).toBe("internal");
    expect(journal.state).toBe(before);
  });

  it("J4: is refused once the journal is fenced", async () => {
    const journal = await journalOn(store);
    await journal.append([said("a")]);
    await clock.advance(LEASE_MS + 1);
    await claim(store, "token-2");
    await journal.stage([said("b")]);
    expect(await kindOf(journal.flush())).toBe("fenced");
    expect(await kindOf(journal.stage([said("c")]))).toBe("fenced");
    await journal.close();
    expect(await read()).toHaveLength(1);
  });
});

describe("opening a journal", () => {
  it("of a session that does not exist is refused", async () => {
    expect(await kindOf(loadSession(store, LOCAL_TENANT, "ses_none" as never))).toBe("session_not_found");
  });

  it("with a lease that another claim has outdated is fenced at once", async () => {
    const lease = await claim(store, "token-1");
    await clock.advance(LEASE_MS);
    await claim(store, "token-2");
    const opened = openJournal({
      store,
      tenant: LOCAL_TENANT,
      session: SESSION,
      lease,
      redactor: redactorOf(),
      spans: { span: () => "0123456789abcdef" as SpanId },
    });
    expect(await kindOf(opened)).toBe("fenced");
  });

  it("with events of an unknown kind is refused to a driver and shown to a reader", async () => {
    const journal = await journalOn(store);
    await journal.append([said("a")]);
    await journal.close();
    const future = forging(1, (body) => body.replace('"kind":"UserMessageAdded"', '"kind":"FromTheFuture"'));
    const renamed: Store = {
      ...future,
      read: async (query) => (await future.read(query)).map((record) => ({ ...record, kind: "FromTheFuture" })),
      getSnapshot: async () => null,
    };
    expect(await kindOf(journalOn(renamed, { token: "token-2" }))).toBe("event_unknown");
    const shown = [];
    for await (const event of readEvents(renamed, LOCAL_TENANT, SESSION)) shown.push(event);
    expect(shown).toMatchObject([{ kind: "FromTheFuture", unknown: true, seq: 1 }]);
  });

  it("folds no more than what came after the last snapshot", async () => {
    const journal = await journalOn(store);
    for (let i = 0; i < SNAPSHOT_EVERY_EVENTS + 10; i++) await journal.append([said(`${i}`)]);
    const snapshot = await store.getSnapshot(LOCAL_TENANT, SESSION);
    expect(snapshot?.seq).toBe(SNAPSHOT_EVERY_EVENTS);
    const asked: number[] = [];
    const watched: Store = { ...store, read: (query) => (asked.push(query.after_seq), store.read(query)) };
    expect((await loadSession(watched, LOCAL_TENANT, SESSION)).state).toEqual(journal.state);
    expect(Math.min(...asked)).toBe(SNAPSHOT_EVERY_EVENTS - 1);
  });

  it("writes snapshots of a long session in proportion to what was added, and not to how often", async () => {
    const kept: { readonly seq: number; readonly chars: number }[] = [];
    const journal = await journalOn({
      ...store,
      putSnapshot: (snapshot) => {
        kept.push({ seq: snapshot.seq, chars: snapshot.state.length });
        return store.putSnapshot(snapshot);
      },
    });
    await journal.append([...beginning(), said("x".repeat(2_000_000))]);
    for (let i = 0; i < 4 * SNAPSHOT_EVERY_EVENTS; i++) await journal.append([said(`${i}`)]);
    // The first when it is due; the next has to wait until much was said, which a few words never are.
    expect(kept.map(({ seq }) => seq)).toEqual([SNAPSHOT_EVERY_EVENTS]);
    for (let i = 0; i < 2 * SNAPSHOT_EVERY_EVENTS; i++) await journal.append([said("y".repeat(2_000))]);
    expect(kept.length).toBeGreaterThan(1);
    const written = kept.reduce((sum, { chars }) => sum + chars, 0);
    const session = JSON.stringify(journal.state).length;
    expect(written / session).toBeLessThan(3);
  });

  it.each([
    ["of another fold", { fold: 999 }],
    ["that is no JSON", { state: "{" }],
    ["of another place in the chain", { state: null }],
    ["from beyond the end", { seq: 99 }],
  ])("ignores a snapshot %s", async (_, change) => {
    const journal = await journalOn(store);
    await journal.append([...beginning(), said("a")]);
    await journal.close();
    const kept = await store.getSnapshot(LOCAL_TENANT, SESSION);
    expect(kept?.seq).toBe(4);
    const state =
      "state" in change ? (change.state ?? kept?.state.replace(/"hash":"[0-9a-f]/, '"hash":"x')) : kept?.state;
    const forged: Store = { ...store, getSnapshot: async () => kept && { ...kept, ...change, state: state ?? "" } };
    expect((await loadSession(forged, LOCAL_TENANT, SESSION)).state).toEqual(journal.state);
  });
});

describe("reading a journal", () => {
  beforeEach(async () => {
    const journal = await journalOn(store);
    await journal.append([...beginning(), said("a"), said("b")]);
  });

  it("goes on after a position, with the chain verified from there", async () => {
    const seqs: number[] = [];
    for await (const { seq } of readEvents(store, LOCAL_TENANT, SESSION, 3)) seqs.push(seq);
    expect(seqs).toEqual([4, 5]);
    for await (const { seq } of readEvents(store, LOCAL_TENANT, SESSION, 99)) seqs.push(seq);
    expect(seqs).toEqual([4, 5]);
  });

  it("yields nothing of a session that does not exist", async () => {
    for await (const event of readEvents(store, LOCAL_TENANT, "ses_none" as never)) expect(event).toBeUndefined();
  });

  it.each<[string, (store: Store) => Store]>([
    [
      "an event was replaced, with a hash that fits",
      () => forging(4, (body) => body.replace('"text":"a"', '"text":"z"')),
    ],
    ["the last event was replaced by another session's", () => forging(5, (body) => body.replaceAll(SESSION, "ses_2"))],
    [
      "an event is missing",
      (inner) => ({ ...inner, read: async (query) => (await inner.read(query)).filter(({ seq }) => seq !== 2) }),
    ],
    [
      "the end is missing",
      (inner) => ({ ...inner, read: async (query) => (await inner.read(query)).filter(({ seq }) => seq < 5) }),
    ],
    [
      "two events changed places",
      (inner) => ({ ...inner, read: async (query) => (await inner.read(query)).toReversed() }),
    ],
    ["an event is no JSON", () => forging(3, () => "{")],
    ["an event is no object", () => forging(3, () => "7")],
  ])("says store_corrupt when %s", async (_, damaged) => {
    const error: unknown = await read(damaged(store)).then(
      () => null,
      (thrown: unknown) => thrown,
    );
    expect(error).toMatchObject({ kind: "store_corrupt", message: expect.stringContaining(SESSION) as string });
  });

  it("sees what a writer at work adds in the meantime", async () => {
    const seqs: number[] = [];
    await clock.advance(LEASE_MS);
    const writer = await journalOn(store, { token: "token-2" });
    for await (const { seq } of readEvents(store, LOCAL_TENANT, SESSION)) {
      if (seq === 1) await writer.append([said("late")]);
      seqs.push(seq);
    }
    expect(seqs.slice(0, 5)).toEqual([1, 2, 3, 4, 5]);
    for await (const { run } of readEvents(store, LOCAL_TENANT, SESSION, 5))
      expect(run satisfies RunId | null).not.toBeNull();
  });
});
