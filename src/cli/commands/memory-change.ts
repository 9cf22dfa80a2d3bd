/** `belay memory edit`, `approve` and `forget`. */
import { placed } from "../../engine/memory/supersede.ts";
import { HarnessError } from "../../kernel/harness-error.ts";
import { type Memory, MEMORY_CHARS_MAX, MEMORY_STATES, type MemoryKind } from "../../kernel/memory.ts";
import { neutralise } from "../../kernel/neutralise.ts";
import { termsOf } from "../../memory/terms.ts";
import { wordsOf } from "../../store/search-words.ts";
import type { Face } from "../face.ts";
import { namedMemories, OF, type ViewOptions, viewsOf } from "../memory-view.ts";
import { askLine, hasPerson } from "../question.ts";
import { withStore } from "../session-choice.ts";
import type { Store } from "../../store/port.ts";
import { safeLine } from "../view/safe-text.ts";

export interface EditOptions {
  readonly text?: string;
  readonly resolves?: string;
  readonly kind?: MemoryKind;
  readonly confidence?: string;
}
export interface ApproveOptions {
  readonly json?: true;
}
export interface ForgetOptions extends ViewOptions {
  readonly query?: string;
  readonly yes?: true;
}

/** What a query may forget at once: more is a mistake, or a list of ids. */
const FORGET_HITS_MAX = 1_000;
/** Shown before the question. */
const SHOWN_MAX = 20;

export async function editMemory(id: string, options: EditOptions, face: Face): Promise<number> {
  const { text, resolves, kind, confidence } = options;
  if (text === undefined && resolves === undefined && kind === undefined && confidence === undefined)
    throw new HarnessError("usage", "Nothing was named to change.", 'Say, for instance: --text "…".');
  const share = confidence === undefined ? undefined : shareOf(confidence);
  return withStore(face, async (store) => {
    const [memory] = await namedMemories(store, [id]);
    if (memory === undefined) return 0;
    const said = text !== undefined || resolves !== undefined;
    const put: Memory = {
      ...memory,
      ...(text === undefined ? {} : { text: written(text, "--text") }),
      ...(resolves === undefined ? {} : { resolves: resolves === "" ? "" : written(resolves, "--resolves") }),
      ...(kind === undefined ? {} : { kind }),
      ...(share === undefined ? {} : { confidence: share }),
      // Who writes it anew says it.
      ...(said ? { origin: "user", untrusted: false, used_at: await store.now() } : {}),
    };
    await store.changeMemories(OF, { put: [], revise: [put], forget: [], used: [] });
    face.out.line(`Changed ${memory.id}.`);
    return 0;
  });
}

function written(text: string, option: string): string {
  const clean = neutralise(text.trim()).text;
  if (clean !== "" && clean.length <= MEMORY_CHARS_MAX) return clean;
  throw new HarnessError(
    "usage",
    `${option} has ${clean.length} characters.`,
    `A memory has 1 to ${MEMORY_CHARS_MAX}.`,
  );
}

function shareOf(text: string): number {
  const share = /^(?:0|1|0?\.\d+|1\.0+|0\.\d*)$/.test(text) ? Number(text) : Number.NaN;
  if (share >= 0 && share <= 1) return share;
  throw new HarnessError("usage", `"${safeLine(text)}" is no confidence.`, "Name a number from 0 to 1, such as 0.8.");
}

/** A person has read it: from now on it is theirs, and takes the place of what it contradicts. */
export async function approveMemories(ids: readonly string[], options: ApproveOptions, face: Face): Promise<number> {
  return withStore(face, async (store) => {
    const memories = await namedMemories(store, ids);
    const other = memories.find(({ state }) => state !== "proposed");
    if (other !== undefined)
      throw new HarnessError(
        "usage",
        `${other.id} is ${other.state}, not proposed.`,
        "`belay memory list --state proposed` lists those that wait.",
      );
    const approved: { id: string; supersedes: readonly string[] }[] = [];
    for (const memory of memories) {
      const active: Memory = { ...memory, state: "active", untrusted: false, used_at: await store.now() };
      const { memory: put, older, supersedes } = await placed(active, store);
      await store.changeMemories(OF, { put: [], revise: [put, ...older], forget: [], used: [] });
      approved.push({ id: memory.id, supersedes });
      const instead = supersedes.length === 0 ? "" : `, in place of ${supersedes.join(", ")}`;
      if (options.json !== true) face.out.line(`Approved ${memory.id}${instead}: ${safeLine(memory.text)}`);
    }
    if (options.json === true) face.out.json(JSON.stringify(approved));
    return 0;
  });
}

export async function forget(ids: readonly string[], options: ForgetOptions, face: Face): Promise<number> {
  if ((ids.length === 0) === (options.query === undefined))
    throw new HarnessError("usage", "Name memories, or --query.", "`belay memory list` lists them.");
  return withStore(face, async (store) => {
    const memories = options.query === undefined ? await namedMemories(store, ids) : await found(store, options, face);
    if (memories.length === 0) {
      face.out.line("Nothing that is remembered holds these words.");
      return 0;
    }
    if (options.query !== undefined && !(await confirmed(memories, options, face))) return 1;
    await store.changeMemories(OF, { put: [], forget: memories.map(({ id }) => id), used: [] });
    for (const { id } of memories) face.out.line(`Forgot ${id}.`);
    return 0;
  });
}

/** All words have to be there: what is gone is gone. */
async function found(store: Store, options: ForgetOptions, face: Face): Promise<readonly Memory[]> {
  const query = options.query ?? "";
  const wanted = [...new Set(wordsOf(query))];
  if (wanted.length === 0)
    throw new HarnessError("usage", "--query has no word to look for.", "Name words that the memories hold.");
  const all: Memory[] = [];
  for (const view of await viewsOf(store, options, face, MEMORY_STATES))
    for (const { memory } of await store.searchMemories(view, query, FORGET_HITS_MAX)) all.push(memory);
  return all.filter(({ text, resolves }) => holdsAll(`${text} ${resolves}`, wanted));
}

/** Also the words that say nothing about a subject: who says "version 2" does not mean all that says "version". */
function holdsAll(text: string, wanted: readonly string[]): boolean {
  const words = new Set(wordsOf(text));
  const terms = new Set(termsOf(text));
  return wanted.every((word) => words.has(word) || termsOf(word).some((term) => terms.has(term)));
}

async function confirmed(memories: readonly Memory[], { yes }: ForgetOptions, face: Face): Promise<boolean> {
  if (yes === true) return true;
  for (const { id, text } of memories.slice(0, SHOWN_MAX)) face.out.line(`${id}  ${safeLine(text)}`);
  if (memories.length > SHOWN_MAX) face.out.line(`… and ${memories.length - SHOWN_MAX} more`);
  if (!hasPerson(face))
    throw new HarnessError("usage", "Nobody is there to say yes.", "Look at the list, and add --yes.");
  return /^y(es)?$/i.test((await askLine(face, `Forget ${memories.length} for good? [y/N] `)).trim());
}
