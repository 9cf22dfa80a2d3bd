/** `belay sessions show`: a session told from its journal. */
import { emptyState } from "../../kernel/fold.ts";
import { HarnessError } from "../../kernel/harness-error.ts";
import { LOCAL_TENANT } from "../../kernel/ids.ts";
import { loadSession, readEvents } from "../../store/journal.ts";
import type { Face } from "../face.ts";
import { chosenSession, withStore } from "../session-choice.ts";
import { labelLines } from "../view/label-view.ts";
import { versionLines } from "../view/version-view.ts";
import { words } from "../view/notice.ts";
import { paintFor } from "../view/paint.ts";
import { RESULT_LINES_DEFAULT, story } from "../view/story.ts";
import { stateOf } from "./sessions-list.ts";

export interface ShowOptions {
  readonly full?: true;
  readonly labels?: true;
  readonly review?: true;
  readonly versions?: true;
  readonly json?: true;
}

export async function showSession(id: string | undefined, options: ShowOptions, face: Face): Promise<number> {
  if (options.review === true) return showReview(id, options, face);
  return withStore(face, async (store) => {
    const session = await chosenSession(store, id, face.cwd);
    const { row, state } = await loadSession(store, LOCAL_TENANT, session);
    const { out } = face;
    if (options.labels === true) {
      const { labelReport } = await import("../../observe/labels.ts");
      const report = await labelReport(readEvents(store, LOCAL_TENANT, session), emptyState(row));
      if (options.json === true) out.json(JSON.stringify(report));
      else for (const line of labelLines(report, paintFor(out.colors))) out.line(line);
      return 0;
    }
    if (options.versions === true) {
      const { versionReport } = await import("../../observe/prompt-versions.ts");
      const report = await versionReport(readEvents(store, LOCAL_TENANT, session));
      if (options.json === true) out.json(JSON.stringify({ session, ...report }));
      else for (const line of versionLines(report)) out.line(line);
      return 0;
    }
    if (options.json === true) {
      out.json(JSON.stringify({ place: row.place, state }));
      return 0;
    }
    const paint = paintFor(out.colors);
    const lines = story(readEvents(store, LOCAL_TENANT, session), {
      paint,
      resultLines: options.full === true ? Infinity : RESULT_LINES_DEFAULT,
    });
    for await (const line of lines) {
      if (out.gone) return 0;
      out.line(line);
      await out.ready();
    }
    const now = stateOf(row);
    if (state.jobs !== null) {
      if (!state.jobs.ended && now !== "running")
        out.line(`\n${paint.yellow("under way")}: \`belay batch resume ${session}\` watches it`);
      return 0;
    }
    if (now === "running" || now === "cut_off")
      out.line(`\n${paint.yellow(words(now))}${now === "cut_off" ? `: \`belay resume ${session}\` goes on` : ""}`);
    return 0;
  });
}

/** What a person looks at before the session goes on; also of one that waits for nobody. */
async function showReview(id: string | undefined, options: ShowOptions, face: Face): Promise<number> {
  const [{ withHost }, { changesOfSession }, { reviewReport }, { reviewLines }] = await Promise.all([
    import("../host-session.ts"),
    import("../../engine/operations.ts"),
    import("../../observe/review/report.ts"),
    import("../view/review-view.ts"),
  ]);
  return withHost(face, id, async (host, session) => {
    const { state } = await loadSession(host.store, LOCAL_TENANT, session);
    const files = await changesOfSession(host, session).catch((error: unknown) => {
      if (error instanceof HarnessError) return null; // its files are gone: the rest is in the journal
      throw error;
    });
    const report = reviewReport(state, files);
    const { out } = face;
    if (options.json === true) out.json(JSON.stringify(report));
    else for (const line of reviewLines(report, paintFor(out.colors)).slice(1)) out.line(line);
    return 0;
  });
}
