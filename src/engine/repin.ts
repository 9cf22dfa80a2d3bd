/** Holding a session to other texts between its runs. */
import { isUnknown } from "../kernel/fold.ts";
import { HarnessError } from "../kernel/harness-error.ts";
import { LOCAL_TENANT, type SessionId } from "../kernel/ids.ts";
import type { PinnedPrompt } from "../kernel/state.ts";
import type { Draft, EventOf } from "../kernel/events/index.ts";
import { loadSession, readEvents } from "../store/journal.ts";
import type { Host } from "./host.ts";
import { requireNoBatch } from "./no-batch.ts";
import { appendPinned, isHeldTo, loadTexts, namesOf, pinDraft } from "./pinned.ts";
import { type Prompt, promptOf } from "./prompt.ts";
import { claimSession, openForWriting, versionsOf } from "./session.ts";

export interface Repinned {
  readonly session: SessionId;
  /** What it is held to from now on. */
  readonly pinned: PinnedPrompt;
  /** False where it was held to these already: nothing was written. */
  readonly changed: boolean;
}

/**
 * @param from another session whose texts are taken; null: those of this version
 * @throws `session_not_found`, `lease_held`, `config_changed`, `usage`, `blob_missing`
 */
export async function repinSession(host: Host, session: SessionId, from: SessionId | null): Promise<Repinned> {
  const source = from === null ? null : await pinOf(host, from);
  const prompt = source === null ? promptOf(host.tools) : await loadTexts(host.store, LOCAL_TENANT, source);
  const { row } = await loadSession(host.store, LOCAL_TENANT, session);
  const lease = await claimSession(host, session);
  const { journal } = await openForWriting(host, lease, row.place);
  try {
    const { config, pinned } = journal.state;
    requireNoBatch(journal.state, "its jobs carry their own prompts");
    if (config === null) throw notConfigured(session);
    if (pinned !== null && isHeldTo(pinned, prompt)) return { session, pinned, changed: false };
    const versions = versionsOf(host, config, prompt);
    const wanted = { ...config, versions };
    const pin: Draft =
      source === null
        ? pinDraft({ prompt, config: wanted, reason: "repin" })
        : { kind: "PromptPinned", data: { ...source, parts: [...source.parts], reason: "repin" } };
    await appendPinned(journal, host.store, prompt, [
      { ...pin, actor: "user" },
      { kind: "SettingsChanged", actor: "user", data: { config: wanted, changed: ["versions"] } },
    ]);
    return { session, pinned: namesOf(prompt), changed: true };
  } finally {
    await journal.close();
  }
}

type PinnedParts = Pick<EventOf<"PromptPinned">["data"], "system" | "tools" | "parts">;

/** The last pin of a session. */
export async function pinOf(host: Pick<Host, "store">, session: SessionId): Promise<PinnedParts> {
  await loadSession(host.store, LOCAL_TENANT, session); // says where there is none
  let found: PinnedParts | null = null;
  for await (const event of readEvents(host.store, LOCAL_TENANT, session))
    if (!isUnknown(event) && event.kind === "PromptPinned") found = event.data;
  if (found !== null) return { system: found.system, tools: found.tools, parts: found.parts };
  throw new HarnessError(
    "usage",
    `Session ${session} is held to no prompt: it is of a version before they were kept.`,
    `Resume it once, or hold it to this version's with \`belay prompts pin ${session}\`.`,
  );
}

/** The texts that a session is held to. @throws as `pinOf`, and `blob_missing` */
export async function textsOfSession(host: Pick<Host, "store">, session: SessionId): Promise<Prompt> {
  const pin = await pinOf(host, session);
  try {
    return await loadTexts(host.store, LOCAL_TENANT, pin);
  } catch (error) {
    if (!(error instanceof HarnessError) || error.kind !== "blob_missing") throw error;
    throw new HarnessError(
      "blob_missing",
      `The texts that session ${session} is held to are not in the store any more.`,
      `Their hashes are: \`belay sessions show ${session} --versions\`. \`belay prompts pin ${session}\` holds it to this version's.`,
      { cause: error },
    );
  }
}

function notConfigured(session: SessionId): HarnessError {
  return new HarnessError(
    "config_changed",
    `Session ${session} ended before it was configured.`,
    "Start a new session.",
  );
}
