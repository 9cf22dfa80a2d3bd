/** The refusals of a store, in words. One place, so that every back-end says the same. */
import { HarnessError } from "../kernel/harness-error.ts";
import type { BlobHash, SessionId } from "../kernel/ids.ts";
import type { Owner } from "./port.ts";

export function sessionNotFound(session: SessionId): HarnessError {
  return new HarnessError(
    "session_not_found",
    `There is no session ${session}.`,
    "List them with `belay sessions list`.",
  );
}

export function sessionExists(session: SessionId): HarnessError {
  return new HarnessError("session_exists", `A session ${session} exists already.`, "Choose another id.");
}

export function leaseHeld(session: SessionId, owner: Owner): HarnessError {
  return new HarnessError(
    "lease_held",
    `Session ${session} is driven by process ${owner.pid} on ${owner.host}.`,
    `Wait for it, or cancel it with \`belay sessions cancel ${session}\`.`,
  );
}

export function fenced(session: SessionId): HarnessError {
  return new HarnessError(
    "fenced",
    `Another process has taken session ${session} over, or has written to it.`,
    "This process stops without writing; follow the session from the other one.",
  );
}

export function blobMissing(hash: BlobHash): HarnessError {
  return new HarnessError(
    "blob_missing",
    `The stored text ${hash} is missing.`,
    "Restore the store from a backup if it is needed.",
  );
}

export function blobCorrupt(hash: BlobHash): HarnessError {
  return corrupt(`The bytes of ${hash} do not match their name.`);
}

export function recordCorrupt(session: SessionId, seq: number, what: string, cause?: unknown): HarnessError {
  return corrupt(`Event ${seq} of session ${session} ${what}.`, cause);
}

/** @param happened one sentence: what is damaged. */
export function corrupt(happened: string, cause?: unknown): HarnessError {
  return new HarnessError(
    "store_corrupt",
    happened,
    "Restore the store from a backup; events before the damage can be exported.",
    cause === undefined ? undefined : { cause },
  );
}

export function storeClosed(): HarnessError {
  return new HarnessError("internal", "The store was used after it was closed.", "Report this as a defect of belay.");
}
