/** The facts about the workspace that stand in front of the task. Small, and after the stable prefix. */
import { type TextPart, textPart } from "../kernel/content.ts";
import type { WorkspaceMode } from "../kernel/config.ts";

const KIND: { readonly [M in WorkspaceMode]: string } = {
  clone: "a private clone of the user's git repository, with their uncommitted work",
  copy: "a private copy of the user's directory",
  in_place: "the user's own directory",
};

/** @param date ISO day (`2026-01-31`) */
export function environmentNote(mode: WorkspaceMode, date: string): TextPart {
  return textPart(`<environment>\nThe workspace is ${KIND[mode]}.\nToday is ${date}.\n</environment>`, {
    from: "belay",
  });
}
