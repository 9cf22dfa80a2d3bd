/** What the tool `skill` answers from: the skills that the session offers, found when it began. */
import type { Origin } from "../kernel/content.ts";

export interface SkillReader {
  /** Never throws for what a file is. @param file below the skill's directory; null is its text itself */
  read(name: string, file: string | null): Promise<SkillAnswer>;
}

export type SkillAnswer =
  | {
      readonly found: "text";
      readonly text: string;
      readonly origin: Origin;
      /** Where its files are in the workspace; null where they lie outside. */
      readonly directory: string | null;
    }
  | {
      readonly found: "nothing";
      /** A sentence for the model. */
      readonly why: string;
    };
