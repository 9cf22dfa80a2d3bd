/** `belay memory export` and `import`: JSON Lines, a memory a line. */
import { randomBytes } from "node:crypto";
import { createReadStream } from "node:fs";
import { resolve } from "node:path";
import { createInterface } from "node:readline";
import * as z from "zod";
import { HarnessError } from "../../kernel/harness-error.ts";
import { createIds, parseMemoryId, type SessionId } from "../../kernel/ids.ts";
import { lazy } from "../../kernel/lazy.ts";
import {
  type Memory,
  MEMORY_CHARS_MAX,
  MEMORY_EVIDENCE_MAX,
  MEMORY_STATES,
  memoryKindSchema,
  memoryScopeSchema,
} from "../../kernel/memory.ts";
import { neutralise } from "../../kernel/neutralise.ts";
import { MEMORIES_MAX } from "../../store/memories.ts";
import type { Store } from "../../store/port.ts";
import type { Face } from "../face.ts";
import { systemClock } from "../../host/system-clock.ts";
import { listed, OF, type ViewOptions, viewsOf } from "../memory-view.ts";
import { projectKey } from "../project-key.ts";
import { withStore } from "../session-choice.ts";
import { plural } from "../view/format.ts";
import { safeLine } from "../view/safe-text.ts";

export type { ViewOptions } from "../memory-view.ts";
export interface ImportOptions {
  readonly trusted?: true;
  readonly json?: true;
}

/** A line that is longer is no memory. Characters. */
const LINE_CHARS_MAX = 32_000;
/** Lines that are named as wrong. */
const PROBLEMS_MAX = 10;

export async function exportMemories(options: ViewOptions, face: Face): Promise<number> {
  return withStore(face, async (store) => {
    const views = await viewsOf(
      store,
      options,
      face,
      MEMORY_STATES.filter((state) => state !== "pending"),
    );
    for (const memory of await listed(store, views, MEMORIES_MAX)) {
      const { tenant: _tenant, principal: _principal, ...said } = memory;
      face.out.json(JSON.stringify(said));
      await face.out.ready();
      if (face.out.gone) break;
    }
    return 0;
  });
}

const text = lazy(() => z.string().trim().max(MEMORY_CHARS_MAX));
const lineSchema = lazy(() =>
  z.object({
    id: z
      .string()
      .regex(/^mem_[a-z0-9]{4,60}$/)
      .optional(),
    kind: memoryKindSchema(),
    scope: memoryScopeSchema().default("project"),
    text: text().min(1),
    resolves: text().default(""),
    confidence: z.number().min(0).max(1).default(0.5),
    evidence: z
      .array(z.object({ session: z.string().max(64), seq: z.int().nonnegative() }))
      .max(MEMORY_EVIDENCE_MAX)
      .default([]),
    created_at: z.int().nonnegative().optional(),
    used_at: z.int().nonnegative().optional(),
    uses: z.int().nonnegative().default(0),
  }),
);
type Line = z.infer<ReturnType<typeof lineSchema>>;

/** Every line is read before anything is written: nothing is taken in of a file with a bad line. */
export async function importMemories(file: string, options: ImportOptions, face: Face): Promise<number> {
  const lines = await readLines(file, face);
  return withStore(face, async (store) => {
    const now = await store.now();
    const ids = createIds(
      () => systemClock.now(),
      (n) => randomBytes(n),
    );
    const project = await projectKey(store, { directory: face.cwd, path: face.environment.all["PATH"] });
    const taken = await takenIds(store, lines);
    const put = lines.map((line): Memory => {
      const id = line.id === undefined || taken.has(line.id) ? ids.memory() : parseMemoryId(line.id);
      taken.add(id);
      return imported(line, { id, project, now, trusted: options.trusted === true });
    });
    await store.changeMemories(OF, { put, forget: [], used: [] });
    if (options.json === true) face.out.json(JSON.stringify({ imported: put.map(({ id }) => id) }));
    else {
      const waits = options.trusted === true ? "" : " They are proposals: `belay memory approve ID` lets one count.";
      face.out.line(`Imported ${plural(put.length, "memory").replace(/memorys$/, "memories")}.${waits}`);
    }
    return 0;
  });
}

/** Strangers may have written the file: what it says of its own trust, state and origin is not believed. */
function imported(
  line: Line,
  {
    id,
    project,
    now,
    trusted,
  }: { readonly id: Memory["id"]; readonly project: string; readonly now: number; readonly trusted: boolean },
): Memory {
  return {
    ...OF,
    id,
    kind: line.kind,
    scope: line.scope,
    project: line.scope === "user" ? "" : project,
    text: neutralise(line.text).text.slice(0, MEMORY_CHARS_MAX).toWellFormed(),
    resolves: neutralise(line.resolves).text.slice(0, MEMORY_CHARS_MAX).toWellFormed(),
    origin: "import",
    untrusted: !trusted,
    confidence: line.confidence,
    state: trusted ? "active" : "proposed",
    evidence: line.evidence.map(({ session, seq }) => ({ session: session as SessionId, seq })), // a name from elsewhere, only shown
    created_at: Math.min(now, line.created_at ?? now),
    used_at: Math.min(now, line.used_at ?? now),
    uses: line.uses,
    superseded_by: null,
  };
}

async function takenIds(store: Store, lines: readonly Line[]): Promise<Set<string>> {
  const named = lines.flatMap(({ id }) => (id === undefined ? [] : [parseMemoryId(id)]));
  return new Set<string>((await store.getMemories(OF, named)).map(({ id }) => id));
}

async function readLines(file: string, face: Face): Promise<readonly Line[]> {
  const input = file === "-" ? face.stdin : createReadStream(resolve(face.cwd, file));
  const lines: Line[] = [];
  const problems: string[] = [];
  let number = 0;
  try {
    for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
      number += 1;
      if (line.trim() === "") continue;
      if (lines.length >= MEMORIES_MAX) problems.push(`line ${number}: more than ${MEMORIES_MAX} memories`);
      else readLine(line, number, lines, problems);
      if (problems.length >= PROBLEMS_MAX) break;
    }
  } catch (cause) {
    if (!(cause instanceof Error && "code" in cause)) throw cause;
    const happened = `${safeLine(file)} could not be read (${String(cause.code)}).`;
    throw new HarnessError("usage", happened, "`belay memory export > FILE` writes one.", { cause });
  }
  if (problems.length === 0) return lines;
  throw new HarnessError(
    "usage",
    `Nothing was imported: ${problems.join("; ")}.`,
    "Correct these lines and import again.",
  );
}

function readLine(line: string, number: number, lines: Line[], problems: string[]): void {
  const said = line.length > LINE_CHARS_MAX ? null : jsonIn(line);
  if (said === null) {
    problems.push(`line ${number}: no JSON, or more than ${LINE_CHARS_MAX} characters`);
    return;
  }
  const parsed = lineSchema().safeParse(said.value);
  if (parsed.success) lines.push(parsed.data);
  else
    problems.push(
      ...parsed.error.issues
        .slice(0, 1)
        .map(({ path, message }) => `line ${number}: ${safeLine(path.join("."))}: ${message}`),
    );
}

function jsonIn(line: string): { readonly value: unknown } | null {
  try {
    return { value: JSON.parse(line) as unknown };
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
