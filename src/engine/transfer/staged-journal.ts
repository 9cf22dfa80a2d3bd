/**
 * The journal of a session's file, looked at before it is stored: every hash, the chain, whose it is, that all it names is
 * there and nothing else, and that no name in it could be taken for anything but an object of git.
 */
import { FIRST_HASH } from "../../kernel/envelope.ts";
import type { Event, UnknownEvent } from "../../kernel/events/index.ts";
import { emptyState, isUnknown } from "../../kernel/fold.ts";
import { HarnessError } from "../../kernel/harness-error.ts";
import { parseTreeHash, type TreeHash } from "../../kernel/ids.ts";
import type { SessionState } from "../../kernel/state.ts";
import { eventOf } from "../../store/event-record.ts";
import { invalid } from "./archive-read.ts";
import { type FilesAt, filesAfter, NO_FILES } from "./files-at.ts";
import { addRecord, addResealed, type Identity, newJournal, type NewJournal } from "./new-journal.ts";
import type { Staged } from "./stage.ts";

export interface StagedJournal {
  readonly journal: NewJournal;
  readonly state: SessionState;
}

const OBJECT = /^[0-9a-f]{40}$/;
/** Members of payloads that become arguments of git. */
const OBJECT_MEMBERS = ["tree", "base", "head", "commit"] as const;
const TOKEN = /\[secret:[A-Za-z0-9_-]{1,64}:[0-9a-f]{8}\]/;

/**
 * @param of whose the events are in the file
 * @param to whose they become; the same: they are stored byte for byte
 * @throws HarnessError `archive_invalid`
 */
export async function checkedJournal(staged: Staged, of: Identity, to: Identity): Promise<StagedJournal> {
  const asTheyAre = of.session === to.session;
  const original = newJournal(emptyState(of));
  const copy = asTheyAre ? original : newJournal(emptyState(to));
  let files = NO_FILES;
  for (const record of staged.records) {
    const event = await believed(staged, of, record);
    const { seq, hash } = original.state;
    if (record.seq !== seq + 1 || event.prev_hash !== (seq === 0 ? FIRST_HASH : hash))
      throw invalid(`Event ${seq + 1} of its journal is missing or does not follow the one before.`);
    if (event.principal !== of.principal || event.root !== of.root || event.trace !== of.trace)
      throw invalid(`Event ${record.seq} of its journal belongs to another session.`);
    requireObjectNames(event);
    files = filesAfter(files, event);
    addRecord(original, record, event);
    if (!asTheyAre) addResealed(copy, known(event), to, { session: of.session, call: null });
  }
  const { state } = original;
  if (state.seq !== staged.head.seq || state.hash !== staged.head.hash) throw invalid("Its journal is not whole.");
  requireSameBlobs(staged, original);
  requireSameFiles(staged, state, files);
  return { journal: copy, state };
}

async function believed(
  staged: Staged,
  of: Identity,
  record: Staged["records"][number],
): Promise<Event | UnknownEvent> {
  try {
    return await eventOf(staged, of, record);
  } catch (error) {
    if (!(error instanceof HarnessError) || error.kind !== "store_corrupt") throw error;
    throw invalid(error.happened, error);
  }
}

function known(event: Event | UnknownEvent): Event {
  if (!isUnknown(event)) return event;
  throw new HarnessError(
    "event_unknown",
    `The file holds events of the kind ${event.kind}, which this version does not know.`,
    "Import it under its own id (without --as-new) to read it, or use a newer version.",
  );
}

function requireObjectNames(event: Event | UnknownEvent): void {
  if (isUnknown(event)) return;
  const data: object = event.data;
  const inner: object =
    "workspace" in data && typeof data.workspace === "object" && data.workspace !== null ? data.workspace : {};
  const from = event.kind === "RolledBack" ? { tree: event.data.from } : {};
  const members = [data, inner, from].flatMap((place) => Object.entries(place) as [string, unknown][]); // entries of any object
  const unsafe = members.some(
    ([name, value]) => isObjectMember(name) && typeof value === "string" && !OBJECT.test(value),
  );
  if (unsafe) throw invalid(`Event ${event.seq} of its journal names an object that is none.`);
}

function isObjectMember(name: string): boolean {
  return OBJECT_MEMBERS.some((member) => member === name);
}

/** Everything that is named is there, and nothing came along that nothing names. */
function requireSameBlobs({ blobs }: Staged, { blobs: named }: NewJournal): void {
  const missing = [...named].find((name) => !blobs.has(name));
  if (missing !== undefined) throw invalid(`The text ${missing} is missing in it.`);
  if (blobs.size > named.size) throw invalid("It holds texts that nothing in its journal names.");
}

function requireSameFiles({ head }: Staged, { workspace, checkpoints }: SessionState, files: FilesAt): void {
  if (head.workspace === null) return;
  const { base, tree, trees } = head.workspace;
  const had = new Set<string>(trees);
  const same = workspace?.base === base && files.tree === tree && files.exact === head.workspace.exact;
  if (!same || checkpoints.some((checkpoint) => !had.has(checkpoint.tree)))
    throw invalid("Its files are not those that its journal names.");
}

/** Whether thinking that a provider signed held a secret, which did not come along. */
export function hasCutThinking({ messages }: SessionState): boolean {
  return messages.some(
    ({ role, parts }) =>
      role === "assistant" && parts.some((part) => part.type === "thinking" && TOKEN.test(part.text)),
  );
}

export function treesOf({ head }: Staged): readonly TreeHash[] {
  return (head.workspace?.trees ?? []).map(parseTreeHash);
}
