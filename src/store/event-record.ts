/**
 * Events as records, both ways. A body above `INLINE_BYTES_MAX` stands in a blob; its record keeps a stub: the envelope and
 * the blob's name. The record's hash is that of the stub, which names the blob by *its* hash: so the chain covers both.
 */
import { type Envelope, hashOf, sealedBody } from "../kernel/envelope.ts";
import type { Event, EventKind, UnknownEvent } from "../kernel/events/index.ts";
import { parseEvent } from "../kernel/fold.ts";
import { HarnessError } from "../kernel/harness-error.ts";
import type { BlobHash, SessionId, TenantId } from "../kernel/ids.ts";
import { canonicalJson, type JsonObject } from "../kernel/json.ts";
import { INLINE_BYTES_MAX } from "../kernel/limits.ts";
import { blobHashOf } from "./blob-bytes.ts";
import type { EventRecord, Store } from "./port.ts";
import { recordCorrupt } from "./refusal.ts";

/** An event on its way into the journal. */
export interface Unsealed extends Envelope {
  readonly kind: EventKind;
  readonly data: unknown;
}

/** A record, and the whole body when it stands in a blob: that is stored before the record is. */
export interface SealedRecord {
  readonly record: EventRecord;
  readonly spill: Uint8Array | null;
  /** The payload's canonical JSON. */
  readonly data: string;
}

export function sealedRecord(event: Unsealed): SealedRecord {
  const { data: payload, ...envelope } = event;
  const { seq, kind } = event;
  const data = canonicalJson(payload);
  const body = sealedBody(envelope, data);
  if (Buffer.byteLength(body, "utf8") <= INLINE_BYTES_MAX)
    return { record: { seq, kind, hash: hashOf(body), body, blob: null }, spill: null, data };
  const bytes = Buffer.from(body, "utf8");
  const blob = blobHashOf(bytes);
  const stub = canonicalJson({ ...envelope, blob });
  return { record: { seq, kind, hash: hashOf(stub), body: stub, blob }, spill: bytes, data };
}

/**
 * The event as every later reader will see it. What is folded after an append is this, so that the state in memory and the
 * state after a resume are the same.
 * @param sealed what `sealedRecord` made of it
 * @throws HarnessError `internal` when the payload does not fit its schema: nothing is written that cannot be read.
 */
export function asRead(event: Unsealed, { record, data }: SealedRecord): Event {
  try {
    // canonical JSON of an object is an object; an event of a kind and version of today is never unknown
    return parseEvent({ ...event, data: JSON.parse(data) as unknown }, record.hash) as Event;
  } catch (error) {
    if (!(error instanceof HarnessError) && !(error instanceof TypeError)) throw error;
    throw new HarnessError(
      "internal",
      `Event ${event.seq} of session ${event.session} (${event.kind}) was about to be written with a payload that does not fit its schema.`,
      "Nothing was written; report this as a defect of belay.",
      { cause: error },
    );
  }
}

/** Reads an event back. Its place in the chain is the caller's to check. @throws HarnessError `store_corrupt` */
export async function eventOf(
  store: Pick<Store, "getBlob">,
  of: { readonly tenant: TenantId; readonly session: SessionId },
  record: EventRecord,
): Promise<Event | UnknownEvent> {
  if (hashOf(record.body) !== record.hash) throw recordCorrupt(of.session, record.seq, "does not match its checksum");
  const inline = parsedObject(of.session, record.seq, record.body);
  const envelope = record.blob === null ? inline : await spilled(store, of, record, record.blob, inline);
  const placed =
    envelope["tenant"] === of.tenant && envelope["session"] === of.session && envelope["seq"] === record.seq;
  if (!placed || envelope["kind"] !== record.kind) {
    throw recordCorrupt(of.session, record.seq, "stands in the wrong place");
  }
  // The bytes are those that `recordOf` sealed: their hash was checked.
  return parseEvent(envelope as unknown as Envelope & { readonly data: unknown }, record.hash);
}

async function spilled(
  store: Pick<Store, "getBlob">,
  of: { readonly tenant: TenantId; readonly session: SessionId },
  record: EventRecord,
  blob: BlobHash,
  stub: JsonObject,
): Promise<JsonObject> {
  if (stub["blob"] !== blob) throw recordCorrupt(of.session, record.seq, "names another text than its record");
  const bytes = await store.getBlob(of.tenant, blob).catch((error: unknown) => {
    if (!(error instanceof HarnessError) || error.kind !== "blob_missing") throw error;
    throw recordCorrupt(of.session, record.seq, "has lost its text", error);
  });
  // The stub names the text by its hash, and the store checked that hash: what the text says is what was sealed.
  return parsedObject(of.session, record.seq, Buffer.from(bytes).toString("utf8"));
}

function parsedObject(session: SessionId, seq: number, text: string): JsonObject {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) return value as JsonObject; // an object out of JSON.parse is JSON
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw recordCorrupt(session, seq, "is not JSON", error);
  }
  throw recordCorrupt(session, seq, "is not an object");
}
