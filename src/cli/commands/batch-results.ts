/** `belay batch results`: what is in the file of results, as far as the journal knows of it. */
import { EXIT_TABLE } from "../../kernel/outcome.ts";
import { HarnessError } from "../../kernel/harness-error.ts";
import { LOCAL_TENANT, parseSessionId } from "../../kernel/ids.ts";
import { loadSession } from "../../store/journal.ts";
import { batchOf } from "../../workflow/batch/batch-run.ts";
import { isJobId, type JobPlace, placeOf } from "../../workflow/batch/deferred.ts";
import { driveBatch } from "../../workflow/batch/drive.ts";
import { batchFiles, linesOf, piecesOf } from "../../workflow/batch/files.ts";
import { type BatchParts, withBatches } from "../batch-host.ts";
import type { Face } from "../face.ts";
import { withStore } from "../session-choice.ts";
import { safeText } from "../view/safe-text.ts";

interface ResultsOptions {
  readonly failed?: true;
}

export async function printResults(id: string, options: ResultsOptions, face: Face): Promise<number> {
  if (isJobId(id)) return withBatches(face, (parts) => printAnswer(id, parts));
  return withStore(face, async (store) => {
    const { out } = face;
    const { row, state } = await loadSession(store, LOCAL_TENANT, parseSessionId(id));
    const { results } = batchOf(state);
    if (results.bytes === 0) return 0;
    for await (const { text } of linesOf(piecesOf(batchFiles(row.place.directory).results, results.bytes))) {
      if (out.gone) break;
      if (text === null || (options.failed === true && !/^\{"n":\d+,"id":"(?:[^"\\]|\\.)*","ok":false/.test(text)))
        continue;
      out.json(text);
      await out.ready();
    }
    return 0;
  });
}

/** The answer of one deferred job: the provider is asked where it is not here yet. */
async function printAnswer(id: string, parts: BatchParts): Promise<number> {
  const { face, host, batches, store } = parts;
  const place: JobPlace = await placeOf(parts.queue, id);
  if (place.state === "unknown")
    throw new HarnessError("session_not_found", `There is no job ${id}.`, "`belay batch list` shows the batches.");
  if (place.state === "waiting")
    return later(face, `Job ${id} waits to be flushed: \`belay batch flush --now\` does so.`);
  const { session } = place;
  const { state } = await loadSession(store, LOCAL_TENANT, session);
  if (state.jobs?.ended === false) {
    try {
      await driveBatch(host, batches, { session, until: "idle", signal: new AbortController().signal });
    } catch (error) {
      // Somebody watches it: what is there is looked at.
      if (!(error instanceof HarnessError) || error.kind !== "lease_held") throw error;
    }
  }
  const { row, state: now } = await loadSession(store, LOCAL_TENANT, session);
  const { results } = batchOf(now);
  for await (const { text } of linesOf(piecesOf(batchFiles(row.place.directory).results, results.bytes))) {
    if (text?.includes(`"${id}"`) !== true) continue;
    const result = JSON.parse(text) as Answer; // written by `results.ts`
    if (result.id !== id) continue;
    if (result.ok) face.out.line(safeText(result.text ?? JSON.stringify(result.json)));
    else
      face.err.line(
        `belay: job ${id} failed (${result.error?.kind ?? "unknown"}): ${safeText(result.error?.message ?? "")}`,
      );
    return result.ok ? 0 : EXIT_TABLE.failed.code;
  }
  return later(face, `Job ${id} is in batch ${session} and not answered yet.`);
}

interface Answer {
  readonly id: string;
  readonly ok: boolean;
  readonly text?: string;
  readonly json?: unknown;
  readonly error?: { readonly kind: string; readonly message: string };
}

function later(face: Face, text: string): number {
  face.err.line(`belay: ${text}`);
  return EXIT_TABLE.failed_for_now.code;
}
