/** The end of a run at a terminal: the work is there, and a person decides what becomes of it. */
import type { Host } from "../engine/host.ts";
import { deliverSession, diffSession } from "../engine/operations.ts";
import { HarnessError } from "../kernel/harness-error.ts";
import type { SessionId } from "../kernel/ids.ts";
import type { Face } from "./face.ts";
import { failureText } from "./failure.ts";
import { askLine } from "./question.ts";
import { plural } from "./view/format.ts";
import { patchText } from "./view/patch.ts";
import { paintFor } from "./view/paint.ts";

/** Unclear answers are asked again, at most so often; then the work is kept where it is. */
const ASKS_MAX = 10;

export async function offerWork(face: Face, host: Host, session: SessionId, mode: "clone" | "copy"): Promise<void> {
  const paint = paintFor(face.out.colors);
  // A directory without a repository has no branch to merge into.
  const merge = mode === "clone" ? " [m]erge," : "";
  for (let asks = 0; asks < ASKS_MAX; asks++) {
    const answer = (await askLine(face, `\n${paint.bold("The work:")} [a]pply,${merge} [d]iff or [k]eep? [k] `))
      .trim()
      .toLowerCase();
    if ("diff".startsWith(answer) && answer !== "") {
      face.out.write(patchText((await diffSession(host, session)).patch, paint));
      continue;
    }
    if ("apply".startsWith(answer) && answer !== "") return deliver(face, host, session, "apply");
    if (mode === "clone" && "merge".startsWith(answer) && answer !== "") return deliver(face, host, session, "merge");
    if ("keep".startsWith(answer)) return;
  }
}

/** A conflict is no failure of the run: it is said, and the work stays where it is. */
async function deliver(face: Face, host: Host, session: SessionId, how: "merge" | "apply"): Promise<void> {
  try {
    face.out.line(deliveredText(how, await deliverSession(host, session, how)));
  } catch (error) {
    if (!(error instanceof HarnessError)) throw error;
    face.err.line(failureText(error, false));
  }
}

export function deliveredText(
  how: "merge" | "apply",
  { files, commit }: { readonly files: readonly string[]; readonly commit: string | null },
): string {
  if (files.length === 0) return "There is nothing to bring back.";
  return how === "merge"
    ? `merged ${plural(files.length, "file")}${commit === null ? "" : ` as commit ${commit.slice(0, 10)}`}`
    : `applied ${plural(files.length, "file")}, uncommitted`;
}
