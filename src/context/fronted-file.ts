/** How rules, skills and kinds of sub-agents are read: Markdown files with front matter, of the user or of a project. */
import { HarnessError } from "../kernel/harness-error.ts";
import { neutralise } from "../kernel/neutralise.ts";
import { isSecretPath } from "../kernel/secret-paths.ts";
import { type ContextFiles, type ContextPlace, shownPath } from "./context-files.ts";
import { line, markedNote } from "./frame.ts";
import { type FrontMatter, readFrontMatter } from "./front-matter.ts";

export interface FrontedFile extends FrontMatter {
  /** Its path, as shown. */
  readonly shown: string;
  /** SHA-256 of its bytes. */
  readonly hash: string;
}

export interface FrontedReading {
  readonly files: ContextFiles;
  readonly bytes_max: number;
  /** What was refused, marked or left out is added here. */
  readonly findings: string[];
}

/**
 * @param understood what the file is taken for; null, or a HarnessError `config_invalid`, leaves it out
 * @returns null for what is not there or is left out
 */
export async function readFronted<T>(
  place: ContextPlace,
  { files, bytes_max, findings }: FrontedReading,
  understood: (file: FrontedFile) => T | null,
): Promise<T | null> {
  const shown = line(shownPath(place));
  const found = files.read(place, bytes_max);
  if (found.found === "refused") findings.push(`${shown} was not read: ${found.why}`);
  if (found.found !== "text") return null;
  if (isSecretPath(found.at)) {
    findings.push(`${shown} leads to a file that holds secrets: it was not read`);
    return null;
  }
  const clean = neutralise(found.text);
  const marked = markedNote(clean.found);
  if (marked !== null) findings.push(`${shown}: ${marked}`);
  try {
    return understood({ shown, hash: found.hash, ...(await readFrontMatter(clean.text, shown)) });
  } catch (error) {
    if (!(error instanceof HarnessError) || error.kind !== "config_invalid") throw error;
    findings.push(`${shown} is left out: ${error.happened}`);
    return null;
  }
}
