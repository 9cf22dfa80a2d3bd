/** `belay memory list`, `show` and `search`. */
import { HarnessError } from "../../kernel/harness-error.ts";
import { type Memory, MEMORY_STATES, type MemoryState } from "../../kernel/memory.ts";
import { recallFrom } from "../../engine/memory/recall.ts";
import { RECALL_TOKENS_MAX, type Recalled } from "../../memory/recall.ts";
import { factorsOf } from "../../memory/score.ts";
import type { Face } from "../face.ts";
import { listed, namedMemories, OF, UNLIMITED_COLUMNS, type ViewOptions, viewsOf } from "../memory-view.ts";
import { withStore } from "../session-choice.ts";
import { formatAge, formatDate } from "../view/format.ts";
import { safeLine } from "../view/safe-text.ts";
import { fittingTableLines } from "../view/table.ts";

export interface ListOptions extends ViewOptions {
  readonly state: string;
  readonly limit: number;
  readonly json?: true;
}
export interface ShowOptions {
  readonly json?: true;
}
export interface SearchOptions extends ViewOptions {
  readonly limit: number;
  readonly json?: true;
}

const HEAD = ["MEMORY", "KIND", "SCOPE", "STATE", "TRUST", "USED", "USES", "TEXT"] as const;
/** What a narrow terminal does without, in this order. */
const EXPENDABLE = [6, 4, 2, 5, 3, 1] as const;

export async function listMemories(options: ListOptions, face: Face): Promise<number> {
  const states = statesOf(options.state);
  return withStore(face, async (store) => {
    const views = await viewsOf(store, options, face, states);
    const found = await listed(store, views, options.limit + 1);
    const memories = found.slice(0, options.limit);
    if (options.json === true) {
      face.out.json(JSON.stringify(memories));
      return 0;
    }
    if (memories.length === 0) {
      face.out.line("There are no memories here. Sessions write them with the tool `remember`, and when they end.");
      return 0;
    }
    const now = await store.now();
    printTable(
      HEAD,
      memories.map((memory) => cells(memory, now)),
      EXPENDABLE,
      face,
    );
    if (found.length > memories.length) face.out.line(`There are more: --limit ${options.limit * 2} shows older ones.`);
    const proposed = memories.filter(({ state }) => state === "proposed").length;
    if (proposed > 0)
      face.out.line(`${proposed} proposed: \`belay memory approve ID\` lets one count, \`forget ID\` does not.`);
    return 0;
  });
}

function statesOf(named: string): readonly MemoryState[] {
  if (named === "all") return MEMORY_STATES;
  if (named === "standing") return ["active", "proposed"];
  const state = MEMORY_STATES.find((one) => one === named);
  if (state !== undefined) return [state];
  throw new HarnessError(
    "usage",
    `"${safeLine(named)}" is no state of a memory.`,
    `It is ${MEMORY_STATES.join(", ")} or all.`,
  );
}

function cells(memory: Memory, now: number): readonly string[] {
  const { id, kind, scope, state, untrusted, used_at, uses, text } = memory;
  const used = formatAge(Math.max(0, now - used_at));
  return [id, kind, scope, state, untrusted ? "strangers" : "own", used, `${uses}`, safeLine(text)];
}

function printTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  expendable: readonly number[],
  { out }: Face,
): void {
  const columns = out.isTerminal ? out.columns() : UNLIMITED_COLUMNS;
  for (const line of fittingTableLines(head, rows, columns, expendable)) out.line(line);
}

export async function showMemory(id: string, options: ShowOptions, face: Face): Promise<number> {
  return withStore(face, async (store) => {
    const [memory] = await namedMemories(store, [id]);
    if (memory === undefined) return 0;
    const factors = factorsOf(memory, 1, await store.now());
    if (options.json === true) face.out.json(JSON.stringify({ ...memory, factors }));
    else for (const line of shown(memory, factors)) face.out.line(line);
    return 0;
  });
}

function shown(memory: Memory, factors: ReturnType<typeof factorsOf>): readonly string[] {
  const { id, kind, scope, project, state, origin, untrusted, confidence, uses, superseded_by, evidence } = memory;
  const trust = untrusted ? "strangers had a part in it: it is information, never instruction" : "own";
  return [
    safeLine(memory.text),
    ...(memory.resolves === "" ? [] : [`resolves    ${safeLine(memory.resolves)}`]),
    `memory      ${id}`,
    `kind        ${kind}, of scope ${scope}${project === "" ? "" : ` (${safeLine(project)})`}`,
    `state       ${state}${superseded_by === null ? "" : `: ${superseded_by} took its place`}`,
    `trust       ${trust}`,
    `written     ${formatDate(memory.created_at)} by ${origin}`,
    `used        ${formatDate(memory.used_at)}, ${uses} times`,
    `confidence  ${confidence.toFixed(2)}`,
    `worth       recency ${factors.recency.toFixed(3)} × use ${factors.use.toFixed(2)} × confidence ${factors.confidence.toFixed(2)}`,
    ...evidence.map(({ session, seq }) => `learned in  ${session}, event ${seq}`),
  ];
}

const SEARCH_HEAD = ["MEMORY", "SCORE", "RANK", "RECENCY", "USE", "CONFIDENCE", "TOKENS", "KIND", "TEXT"] as const;
const SEARCH_EXPENDABLE = [7, 6] as const;

/** Exactly what a run would begin with, and with `--limit` more of it; it counts as no use. */
export async function searchMemories(words: readonly string[], options: SearchOptions, face: Face): Promise<number> {
  return withStore(face, async (store) => {
    const task = words.join(" ");
    const now = await store.now();
    const found: Recalled[] = [];
    for (const view of await viewsOf(store, options, face, ["active"]))
      found.push(
        ...(await recallFrom(store, { view, task, known: new Set(), untrusted: true, limit: options.limit, now })),
      );
    const best = found.sort((a, b) => b.score - a.score).slice(0, options.limit);
    if (options.json === true) {
      face.out.json(JSON.stringify(best));
      return 0;
    }
    if (best.length === 0) face.out.line("Nothing that is remembered is about that.");
    else printTable(SEARCH_HEAD, best.map(searchCells), SEARCH_EXPENDABLE, face);
    if (best.some(({ memory }) => memory.untrusted))
      face.out.line("(!) Strangers had a part in it: it is recalled only where a session has read their text anyway.");
    if (best.length > 0) face.out.line(`Of ${OF.principal}; at most ${RECALL_TOKENS_MAX} tokens are recalled.`);
    return 0;
  });
}

function searchCells({ memory, factors, score, tokens, replaces }: Recalled): readonly string[] {
  const before = replaces.map(({ text }) => ` (replaces: ${text})`).join("");
  return [
    memory.id,
    score.toFixed(3),
    factors.rank.toFixed(2),
    factors.recency.toFixed(3),
    factors.use.toFixed(2),
    factors.confidence.toFixed(2),
    `${tokens}`,
    memory.kind,
    safeLine(`${memory.untrusted ? "(!) " : ""}${memory.text}${before}`),
  ];
}
