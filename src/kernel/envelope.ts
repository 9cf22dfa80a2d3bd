/**
 * The envelope of every event, and the chain that makes damage visible: each event carries the hash of the one before,
 * and its own hash is that of its canonical bytes.
 */
import { createHash } from "node:crypto";
import { invariant } from "./harness-error.ts";
import type { PrincipalId, RunId, SessionId, SpanId, TenantId, ToolCallId, TraceId } from "./ids.ts";
import { canonicalJson } from "./json.ts";

/** Who caused an event. */
export type Actor = "belay" | "model" | "user" | "tool";

/** The session that this one came from; `call` is null for a fork by a person. */
export interface Parent {
  readonly session: SessionId;
  readonly call: ToolCallId | null;
}

export interface Envelope {
  readonly tenant: TenantId;
  readonly principal: PrincipalId;
  readonly session: SessionId;
  /** The first session of the tree; itself when it has no parent. */
  readonly root: SessionId;
  readonly parent: Parent | null;
  readonly run: RunId | null;
  /** Turn of the session, from 1; 0 before the first. */
  readonly turn: number;
  readonly phase: string | null;
  /** Position in the session, from 1, without gaps. */
  readonly seq: number;
  /** The lease's epoch under which it was written. */
  readonly epoch: number;
  readonly kind: string;
  /** Version of the payload's shape. */
  readonly version: number;
  /** Milliseconds since the epoch, by the store's clock. */
  readonly at: number;
  /** `seq` of the event that caused this one, when one did. */
  readonly causation: number | null;
  readonly actor: Actor;
  readonly trace: TraceId;
  readonly span: SpanId;
  /** How many secrets were replaced in this event before it was written. */
  readonly redactions: number;
  /** `hash` of the event before; 64 zeros for the first. */
  readonly prev_hash: string;
}

export const FIRST_HASH = "0".repeat(64);

/** Canonical bytes of an event, and their SHA-256 in hex. */
export function sealEvent(event: Envelope & { readonly data: unknown }): {
  readonly body: string;
  readonly hash: string;
} {
  const { data, ...envelope } = event;
  const body = sealedBody(envelope, canonicalJson(data));
  return { body, hash: hashOf(body) };
}

/** The canonical bytes of an event whose payload is canonical JSON already: the longest part is written once. */
export function sealedBody(envelope: Envelope, data: string): string {
  const text = canonicalJson({ ...envelope, data: null });
  // Members stand in the order of their names, and no value before this one can hold a quote that is not escaped.
  const at = text.indexOf(DATA_MEMBER);
  invariant(at > 0, "invariant J0: an event has a payload");
  return `${text.slice(0, at)},"data":${data}${text.slice(at + DATA_MEMBER.length)}`;
}

const DATA_MEMBER = ',"data":null';

export function hashOf(text: string): string {
  return createHash("sha256").update(text, "utf8").digest("hex");
}
