/**
 * Identifiers. An id is a branded string `<prefix>_<26 characters of Crockford base 32>` whose first ten characters are
 * the time in milliseconds, so ids of one kind sort by age. They are minted by the `Ids` that is handed in and parsed in
 * one place, here; everything inside may trust the brand.
 */
import { HarnessError } from "./harness-error.ts";

declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

export type TenantId = Branded<"tenant">;
export type PrincipalId = Branded<"principal">;
export type SessionId = Branded<"session">;
export type RunId = Branded<"run">;
/** One model call: an attempt of its own, so that a retry has a new id. */
export type ModelCallId = Branded<"model call">;
/** One tool call. Ours, never the provider's: providers reuse and forget theirs. */
export type ToolCallId = Branded<"tool call">;
export type CheckpointId = Branded<"checkpoint">;
export type MemoryId = Branded<"memory">;
export type TraceId = Branded<"trace">;
export type SpanId = Branded<"span">;
/** `sha256:<64 hex>` of the bytes. */
export type BlobHash = Branded<"blob">;
/** A git tree object name, 40 hex digits. Content-addressed, so it means the same on every machine. */
export type TreeHash = Branded<"tree">;

/** Where ids come from. `random` are at least 80 bits of entropy in production, a counter in tests. */
export interface Ids {
  session(): SessionId;
  run(): RunId;
  modelCall(): ModelCallId;
  toolCall(): ToolCallId;
  checkpoint(): CheckpointId;
  memory(): MemoryId;
  trace(): TraceId;
  span(): SpanId;
}

const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";

/** @param random returns `n` random bytes; @param nowMs milliseconds since the epoch. */
export function createIds(nowMs: () => number, random: (n: number) => Uint8Array): Ids {
  const mint = (prefix: string): string => `${prefix}_${encodeTime(nowMs())}${encodeRandom(random(16))}`;
  const hex = (bytes: number): string => Buffer.from(random(bytes)).toString("hex");
  // The casts below are the one place where a brand is put on: the strings were made here.
  return {
    session: () => mint("ses") as SessionId,
    run: () => mint("run") as RunId,
    modelCall: () => mint("mdl") as ModelCallId,
    toolCall: () => mint("call") as ToolCallId,
    checkpoint: () => mint("chk") as CheckpointId,
    memory: () => mint("mem") as MemoryId,
    trace: () => hex(16) as TraceId,
    span: () => hex(8) as SpanId,
  };
}

function encodeTime(ms: number): string {
  let rest = ms;
  let text = "";
  for (let i = 0; i < 10; i++) {
    text = ALPHABET.charAt(rest % 32) + text;
    rest = Math.floor(rest / 32);
  }
  return text;
}

function encodeRandom(bytes: Uint8Array): string {
  let text = "";
  for (let i = 0; i < 16; i++) text += ALPHABET.charAt((bytes[i] ?? 0) % 32);
  return text;
}

/** Every id that reaches a path, a query or a command line has passed this shape. */
const SAFE_ID = /^[A-Za-z0-9_-]{4,64}$/;

/** @throws HarnessError `usage` when the text is not the shape of an id. */
export function parseSessionId(text: string): SessionId {
  if (!SAFE_ID.test(text)) {
    throw new HarnessError(
      "usage",
      `"${text.slice(0, 80)}" is not a session id.`,
      "List the sessions with `belay sessions list`.",
    );
  }
  return text as SessionId; // the shape was checked on the line above
}

/** @throws HarnessError `usage` when the text is not the shape of a checkpoint id. */
export function parseCheckpointId(text: string): CheckpointId {
  if (!SAFE_ID.test(text)) {
    throw new HarnessError(
      "usage",
      `"${text.slice(0, 80)}" is not a checkpoint id.`,
      "`belay sessions show ID` lists the checkpoints.",
    );
  }
  return text as CheckpointId; // the shape was checked on the line above
}

/** @throws HarnessError `usage` when the text is not the shape of a memory's id. */
export function parseMemoryId(text: string): MemoryId {
  if (!/^mem_[a-z0-9]{4,60}$/.test(text)) {
    throw new HarnessError(
      "usage",
      `"${text.slice(0, 80)}" is not the id of a memory.`,
      "`belay memory list` lists them.",
    );
  }
  return text as MemoryId; // the shape was checked on the line above
}

const TREE = /^[0-9a-f]{40}$/;

/** @throws HarnessError `internal`: a tree name comes from git or from the journal, so a bad one is our defect. */
export function parseTreeHash(text: string): TreeHash {
  if (!TREE.test(text)) {
    throw new HarnessError(
      "internal",
      `"${text.slice(0, 80)}" is not a git tree name.`,
      "Report this as a defect of belay.",
    );
  }
  return text as TreeHash; // the shape was checked on the line above
}

/** The tenant and principal of a single-user machine. Many tenants come with the server. */
export const LOCAL_TENANT = "local" as TenantId;
export const LOCAL_PRINCIPAL = "local-user" as PrincipalId;
