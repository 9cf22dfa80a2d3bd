/**
 * What a call brings into the session: decided before it runs, by what it is, and journaled with the judgement. Text of the
 * user's own history is theirs; what came from elsewhere since (downloads, packages, a command that could fetch) is strangers'.
 */
import type { SandboxMode } from "../../kernel/config.ts";
import type { JsonObject } from "../../kernel/json.ts";
import { isSecretPath } from "../../kernel/secret-paths.ts";
import type { CallReading } from "../call-reading.ts";

export interface BringsIn {
  /** Why its result is text of strangers; null where it is not. */
  readonly untrusted: string | null;
  /** Why its result holds secrets; null where nothing says so. */
  readonly secret: string | null;
}

/** Directories that package managers fill with code of strangers. */
const NAMES =
  "node_modules|bower_components|jspm_packages|\\.pnpm-store|\\.yarn\\/cache|site-packages|dist-packages|\\.venv|__pypackages__|" +
  "\\.cargo\\/(?:registry|git)|pkg\\/mod|\\.m2\\/repository|\\.gradle\\/caches|\\.bundle|Pods";
const DEPENDENCIES = new RegExp(`(^|[\\s/'"=*{(,])(${NAMES})(/|[\\s'"*,})]|$)`, "i");
/** Of a command, what names them and reads nothing of theirs: it leaves them out, removes them, or runs one of their programs. */
const LEFT_OUT =
  /--(?:exclude(?:-dir)?|ignore(?:-path)?)[= ]\S+|(?:!|-not)\s+-path\s+\S+|-path\s+\S+\s+-prune|(?:-g|--glob)[= ]?['"]?!\S+|\brm\s+(?:-[rf]+\s+)+\S+|node_modules\/\.bin\/\S+/g;
/** A line of output that begins with a file of theirs: what `grep -r`, `find` and `ls` print. */
const THEIR_LINE = new RegExp(`^(?:[^\\s:]*/)?(?:${NAMES})/`, "im");

export function bringsIn(
  { tool, effect, input }: { readonly tool: string; readonly effect: string; readonly input: JsonObject },
  network: boolean,
  mode: SandboxMode,
  reading: CallReading | null,
): BringsIn {
  const path = typeof input["path"] === "string" ? input["path"] : "";
  const secret = effect === "read" && isSecretPath(path) ? `the file ${path}` : null;
  if (effect === "network") return { untrusted: tool, secret };
  if (effect === "read") {
    const theirs = [path, input["pattern"], input["glob"]].find(
      (one) => typeof one === "string" && DEPENDENCIES.test(one),
    );
    return { untrusted: theirs === undefined ? null : `downloaded code (${String(theirs)})`, secret };
  }
  if (effect !== "execute") return { untrusted: null, secret };
  const command = typeof input["command"] === "string" ? input["command"] : "";
  if (DEPENDENCIES.test(command.replaceAll(LEFT_OUT, " ")))
    return { untrusted: "a command that reads downloaded code", secret };
  if (!network || reading === null) return { untrusted: null, secret };
  // Without a sandbox of ours every command could fetch: there only what is made for it counts.
  const fetches = mode === "bwrap" ? !reading.offline : reading.fetches;
  return { untrusted: fetches ? "a command with network" : null, secret };
}

/** What a result that was not expected to turns out to bring in: files of strangers that a search came across. */
export function cameAcross(texts: readonly string[]): string | null {
  return texts.some((text) => THEIR_LINE.test(text)) ? "downloaded code" : null;
}
