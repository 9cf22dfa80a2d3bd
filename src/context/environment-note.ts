/** The facts about the workspace that stand in front of the task. Small, and after the stable prefix. */
import { type TextPart, textPart } from "../kernel/content.ts";
import { neutralise } from "../kernel/neutralise.ts";
import type { WorkspaceMode } from "../kernel/config.ts";

const KIND: { readonly [M in WorkspaceMode]: string } = {
  clone: "a private clone of the user's git repository, with their uncommitted work",
  copy: "a private copy of the user's directory",
  in_place: "the user's own directory",
};

/**
 * @param date ISO day (`2026-01-31`)
 * @param directory where the user stands in the project, relative; empty for its root
 */
export function environmentNote(mode: WorkspaceMode, date: string, directory: string): TextPart {
  const name = neutralise(directory).text.replaceAll(/[\n<]/g, "?"); // whoever made it may have named it
  const standing = directory === "" ? "" : `\nThe user stands in its directory ${name}.`;
  const text = `<environment>\nThe workspace is ${KIND[mode]}.${standing}\nToday is ${date}.\n</environment>`;
  return textPart(text, { from: "belay" });
}
