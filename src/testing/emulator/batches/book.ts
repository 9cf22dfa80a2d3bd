/**
 * The batches of a server, whatever provider it speaks for. Nothing runs by itself: how far a batch is, is read off the clock and
 * the polls whenever somebody asks.
 */
import type { Clock } from "../../../kernel/clock.ts";
import { digest, type Entry } from "./answers.ts";
import type { Batches } from "./grammar.ts";

export interface Batch {
  readonly id: string;
  /** In milliseconds since the epoch, as all times here. */
  readonly created: number;
  readonly expires: number;
  readonly entries: readonly Entry[];
  readonly facts: { readonly [name: string]: unknown };
  /** Null while it goes on. */
  ended: number | null;
  canceled: number | null;
  polls: number;
}

export type Fate = "succeeded" | "errored" | "expired" | "canceled" | "processing";
export type Fates = { readonly [fate in Fate]: number };

export interface BatchCounts {
  /** Batches that were created. */
  readonly batches: number;
  /** Requests in them. */
  readonly requests: number;
  /** Custom ids that were submitted more than once, in whatever batches. */
  readonly custom_ids_repeated: readonly string[];
  /** Requests that were answered well by now, of batches that ended. */
  readonly succeeded: number;
  /** Custom ids of those whose content had been answered well before, under whatever custom id: paid for twice. */
  readonly paid_twice: readonly string[];
}

export interface Book {
  add(batch: Pick<Batch, "id" | "entries" | "facts">): Batch;
  find(id: string): Batch | undefined;
  remove(id: string): void;
  /** Newest first. */
  all(): readonly Batch[];
  /** Somebody looks after it. */
  poll(batch: Batch): void;
  cancel(batch: Batch): void;
  fates(batch: Batch): Fates;
  /** What became of every request, in an order of its own. */
  results(batch: Batch): readonly (readonly [Entry, Fate])[];
  isArchived(batch: Batch): boolean;
  counts(): BatchCounts;
}

export function createBook(how: Batches, clock: Clock): Book {
  const batches = new Map<string, Batch>();
  const everything: Batch[] = [];

  /** How many of those that are answered at all have been by a time. */
  const answeredBy = (batch: Batch, time: number): number => {
    const all = batch.entries.filter(({ answered }) => answered).length;
    const working = Math.min(time, batch.expires) - batch.created - how.delay_ms;
    if (working < 0) return 0;
    return how.per_second === undefined ? all : Math.min(all, Math.floor((working / 1_000) * how.per_second));
  };
  const settle = (batch: Batch): void => {
    const now = clock.now();
    if (batch.ended !== null) return;
    const over = now >= batch.expires || batch.canceled !== null || answeredBy(batch, now) === batch.entries.length;
    if (over && (batch.canceled !== null || batch.polls >= how.polls)) batch.ended = Math.min(now, batch.expires);
  };
  const fatesOf = (batch: Batch): readonly Fate[] => {
    let left = answeredBy(batch, batch.canceled ?? clock.now());
    const rest = batch.ended === null ? "processing" : batch.canceled === null ? "expired" : "canceled";
    return batch.entries.map(({ answered, outcome }) => {
      if (!answered || left === 0) return rest;
      left -= 1;
      return "answer" in outcome ? "succeeded" : "errored";
    });
  };

  return {
    add: (batch) => {
      const created = clock.now();
      const added: Batch = {
        ...batch,
        created,
        expires: created + how.window_ms,
        ended: null,
        canceled: null,
        polls: 0,
      };
      batches.set(added.id, added);
      everything.push(added);
      return added;
    },
    find: (id) => batches.get(id),
    remove: (id) => batches.delete(id),
    all: () => [...batches.values()].reverse(),
    poll: (batch) => {
      batch.polls += 1;
      settle(batch);
    },
    cancel: (batch) => {
      batch.canceled ??= clock.now();
    },
    fates: (batch) => {
      const fates = { succeeded: 0, errored: 0, expired: 0, canceled: 0, processing: 0 };
      for (const fate of fatesOf(batch)) fates[fate] += 1;
      return fates;
    },
    results: (batch) => {
      const fates = fatesOf(batch);
      return batch.entries
        .map((entry, i) => ({ key: digest(entry.custom_id), pair: [entry, fates[i] ?? "expired"] as const }))
        .sort((a, b) => (a.key < b.key ? -1 : 1))
        .map(({ pair }) => pair);
    },
    isArchived: ({ created }) => clock.now() - created > how.results_ms,
    counts: () => countsOf(everything, fatesOf),
  };
}

function countsOf(batches: readonly Batch[], fatesOf: (batch: Batch) => readonly Fate[]): BatchCounts {
  const ids = new Set<string>();
  const paid = new Set<string>();
  const repeated: string[] = [];
  const paidTwice: string[] = [];
  let requests = 0;
  let succeeded = 0;
  for (const batch of batches) {
    const fates = batch.ended === null ? [] : fatesOf(batch);
    requests += batch.entries.length;
    for (const [i, { custom_id, content }] of batch.entries.entries()) {
      if (ids.has(custom_id)) repeated.push(custom_id);
      ids.add(custom_id);
      if (fates[i] !== "succeeded") continue;
      succeeded += 1;
      if (paid.has(content)) paidTwice.push(custom_id);
      paid.add(content);
    }
  }
  return { batches: batches.length, requests, custom_ids_repeated: repeated, succeeded, paid_twice: paidTwice };
}
