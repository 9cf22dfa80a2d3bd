/**
 * The texts that a session is held to: system prompt and tool schemas, kept as blobs when it begins.
 *
 * V1: a run sends what the session is held to, whatever this version of belay says by itself; only a person's wish (`repin`)
 *     changes that. So a resume under another version breaks no prefix that the provider has cached (G13).
 * V2: the event that names the texts is journaled with them: never one without the other.
 */
import type { SessionConfig } from "../kernel/config.ts";
import type { Draft, Event, EventOf } from "../kernel/events/index.ts";
import { hashOf } from "../kernel/envelope.ts";
import { HarnessError } from "../kernel/harness-error.ts";
import type { BlobHash, TenantId } from "../kernel/ids.ts";
import { canonicalJson } from "../kernel/json.ts";
import type { PinnedPrompt, SessionState } from "../kernel/state.ts";
import type { Journal } from "../store/journal.ts";
import type { Store } from "../store/port.ts";
import type { ToolSchema } from "../tool/registry.ts";
import type { Host } from "./host.ts";
import { partsOf, type Prompt, promptFrom, promptOf, type PromptPart } from "./prompt.ts";

/** Parts that one event names; of a name no more than so many characters. */
const PARTS_MAX = 500;
const NAME_CHARS_MAX = 200;

type Pinned = Pick<SessionState, "tenant" | "session" | "pinned">;
type TextsOf = Pick<Host, "store" | "tools">;

/** What the session sends: what it is held to, or what this version says where it is held to nothing. @throws `blob_missing`, `store_corrupt` */
export async function promptOfSession({ tenant, session, pinned }: Pinned, host: TextsOf): Promise<Prompt> {
  const current = promptOf(host.tools);
  if (pinned === null || isHeldTo(pinned, current)) return current;
  try {
    return await loadTexts(host.store, tenant, pinned);
  } catch (error) {
    if (!(error instanceof HarnessError) || error.kind !== "blob_missing") throw error;
    throw new HarnessError(
      "blob_missing",
      `The prompt that session ${session} is held to is not in the store any more.`,
      `Go on under this version's prompt: \`belay resume ${session} --repin\`.`,
      { cause: error },
    );
  }
}

/** For readers of a journal, who ask the same again and again: where a text is gone, this version's takes its place. */
export function knownPrompts(host: TextsOf): (state: Pinned) => Promise<Prompt> {
  const known = new Map<string, Promise<Prompt>>();
  return (state) => {
    const key = state.pinned === null ? "" : `${state.pinned.system} ${state.pinned.tools}`;
    const found =
      known.get(key) ??
      promptOfSession(state, host).catch((error: unknown) => {
        if (!(error instanceof HarnessError) || error.kind !== "blob_missing") throw error;
        return promptOf(host.tools);
      });
    known.set(key, found);
    return found;
  };
}

/** @throws `blob_missing`, `store_corrupt` */
export async function loadTexts(store: Store, tenant: TenantId, { system, tools }: PinnedPrompt): Promise<Prompt> {
  const [prompt, printed] = await Promise.all(
    [system, tools].map(async (hash) => new TextDecoder().decode(await store.getBlob(tenant, hash))),
  );
  // Written by `storeTexts` from a list of schemas, and found by its hash.
  const schemas = JSON.parse(printed ?? "[]") as readonly ToolSchema[];
  return promptFrom(prompt ?? "", schemas, printed ?? "[]");
}

export function isHeldTo(pinned: PinnedPrompt, prompt: Prompt): boolean {
  const { system, tools } = namesOf(prompt);
  return pinned.system === system && pinned.tools === tools;
}

/** What their blobs are called. */
export function namesOf({ versions }: Pick<Prompt, "versions">): PinnedPrompt {
  // The hash of a blob is that of its bytes, and that of a text is of its UTF-8.
  return { system: `sha256:${versions.prompt}` as BlobHash, tools: `sha256:${versions.tools}` as BlobHash };
}

export interface PinRequest {
  readonly prompt: Prompt;
  readonly config: Pick<SessionConfig, "versions" | "agents">;
  /** What the caller knows to shape behaviour besides: skills, rules, instruction files. */
  readonly more?: readonly PromptPart[];
  readonly reason: EventOf<"PromptPinned">["data"]["reason"];
}

export function pinDraft({ prompt, config, more = [], reason }: PinRequest): Draft {
  const parts = [
    ...partsOf(prompt),
    { kind: "rules", name: "permissions", hash: config.versions.rules },
    ...config.agents.defined.map((one) => ({ kind: "agent", name: one.name, hash: hashOf(canonicalJson(one)) })),
    ...more,
  ];
  const named = parts.slice(0, PARTS_MAX).map((part) => ({ ...part, name: part.name.slice(0, NAME_CHARS_MAX) }));
  return { kind: "PromptPinned", data: { ...namesOf(prompt), parts: named, reason } };
}

/**
 * Appends drafts that may hold a session to these texts. Nearly always the store has the texts from an earlier session, and the
 * append that refers to them is all that is written; where it has not, the append was refused whole and is made again. V2.
 */
export async function appendPinned(
  journal: Pick<Journal, "append" | "state">,
  store: Store,
  prompt: Prompt,
  drafts: readonly Draft[],
): Promise<readonly Event[]> {
  try {
    return await journal.append(drafts);
  } catch (error) {
    const pins = drafts.some(({ kind }) => kind === "PromptPinned");
    if (!pins || !(error instanceof HarnessError) || error.kind !== "blob_missing") throw error;
    await storeTexts(store, journal.state.tenant, prompt);
    return journal.append(drafts);
  }
}

async function storeTexts(store: Store, tenant: TenantId, { system, printed }: Prompt): Promise<void> {
  for (const text of [system, printed]) await store.putBlob(tenant, new TextEncoder().encode(text));
}
