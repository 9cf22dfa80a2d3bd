/**
 * Golden journals: what a released version wrote, read by every later one. A baseline is a file of JSON Lines: first the facts
 * that its events come to, then the records byte for byte, and the texts that stand beside them.
 */
import { gunzipSync, gzipSync } from "node:zlib";
import { replaySession, type Replay } from "../engine/replay/replay.ts";
import { FIRST_HASH, hashOf } from "../kernel/envelope.ts";
import type { Event, UnknownEvent } from "../kernel/events/index.ts";
import { emptyState, foldEvent, isUnknown } from "../kernel/fold.ts";
import { HarnessError } from "../kernel/harness-error.ts";
import type { BlobHash } from "../kernel/ids.ts";
import { canonicalJson } from "../kernel/json.ts";
import type { SessionState } from "../kernel/state.ts";
import { totalTokens } from "../kernel/usage.ts";
import { eventOf } from "../store/event-record.ts";
import type { EventRecord, SessionRow, Store } from "../store/port.ts";
import type { Host } from "../engine/host.ts";

/** What can be read without belay, and what every later version must come to. */
export interface BaselineFacts {
  readonly about: string;
  readonly belay: string;
  readonly identity: Pick<SessionRow, "tenant" | "principal" | "session" | "root" | "trace">;
  readonly events: number;
  readonly outcome: string | null;
  readonly verification: string | null;
  readonly turns: number;
  readonly tokens: number;
  readonly messages: number;
  readonly checkpoints: number;
  /** Version of the fold that came to `state`. */
  readonly fold: number;
  /** SHA-256 of the canonical JSON of the folded state; compared by versions of the same fold. */
  readonly state: string;
  /** Of the last event: it covers every byte of the journal. */
  readonly hash: string;
}

export interface Baseline {
  readonly facts: BaselineFacts;
  readonly records: readonly EventRecord[];
  /** Texts of events that were too large: gzip, as base 64. */
  readonly blobs: { readonly [hash: string]: string };
}

export function factsOf(about: string, belay: string, state: SessionState): BaselineFacts {
  const { tenant, principal, session, root, trace } = state;
  return {
    about,
    belay,
    identity: { tenant, principal, session, root, trace },
    events: state.seq,
    outcome: state.end?.outcome ?? null,
    verification: state.end?.verification ?? null,
    turns: state.turn,
    tokens: totalTokens(state.usage),
    messages: state.messages.length,
    checkpoints: state.checkpoints.length,
    fold: state.fold,
    state: hashOf(canonicalJson(state)),
    hash: state.hash,
  };
}

export function baselineText({ facts, records, blobs }: Baseline): string {
  return [facts, ...records, blobs].map((line) => `${JSON.stringify(line)}\n`).join("");
}

export function parseBaseline(text: string): Baseline {
  const lines = text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as unknown);
  // Written by `baselineText`; what it says is checked by folding it.
  return {
    facts: lines[0] as BaselineFacts,
    records: lines.slice(1, -1) as EventRecord[],
    blobs: lines.at(-1) as Baseline["blobs"],
  };
}

export interface FoldedBaseline {
  readonly state: SessionState;
  readonly kinds: ReadonlySet<string>;
}

/** Verifies the chain and folds. @throws HarnessError `store_corrupt` */
export async function foldBaseline({ facts, records, blobs }: Baseline): Promise<FoldedBaseline> {
  const { identity } = facts;
  const kinds = new Set<string>();
  let state = emptyState(identity);
  for (const record of records) {
    const event: Event | UnknownEvent = await eventOf(
      { getBlob: async (_tenant, hash) => blobOf(blobs, hash) },
      identity,
      record,
    );
    if (record.seq !== state.seq + 1 || event.prev_hash !== (state.seq === 0 ? FIRST_HASH : state.hash))
      throw new HarnessError(
        "store_corrupt",
        `Event ${record.seq} does not follow the one before.`,
        "Restore the file.",
      );
    state = foldEvent(state, event);
    if (!isUnknown(event)) kinds.add(event.kind);
  }
  return { state, kinds };
}

/** @param store an empty one */
export async function replayBaseline(
  baseline: Baseline,
  store: Store,
  parts: Pick<Host, "tools" | "prices" | "home">,
  summary: SessionRow["summary"],
): Promise<Replay> {
  const { identity } = baseline.facts;
  const { tenant, session } = identity;
  await store.createSession({ ...identity, priority: 0, place: { cwd: "/", source: "/", directory: "/" }, summary });
  const owner = { token: "baseline", host: "", pid: 1, start_time: null, boot_id: null };
  const lease = await store.claim({ tenant, session, owner, ttl_ms: 60_000 });
  const blobs: BlobHash[] = [];
  for (const content of Object.values(baseline.blobs)) blobs.push(await store.putBlob(tenant, unpacked(content)));
  await store.append({ lease, after_seq: 0, records: baseline.records, blobs, summary });
  return replaySession({ store, ...parts }, { session });
}

function blobOf(blobs: Baseline["blobs"], hash: BlobHash): Uint8Array {
  const content = blobs[hash];
  if (content === undefined) throw new HarnessError("blob_missing", `The baseline lacks ${hash}.`, "Restore the file.");
  return unpacked(content);
}

/** What a text of an event is kept as. */
export function packed(content: Uint8Array): string {
  return gzipSync(content, { level: 9 }).toString("base64");
}

function unpacked(content: string): Uint8Array {
  return gunzipSync(Buffer.from(content, "base64"));
}
