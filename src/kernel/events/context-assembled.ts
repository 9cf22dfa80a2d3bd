/** What a run begins with, part by part, with what each part costs in tokens. Texts of files are in the message that follows. */
import * as z from "zod";
import { lazy } from "../lazy.ts";
import type { EventDefinition } from "./definition.ts";

const schema = lazy(() =>
  z.object({
    parts: z.array(
      z.object({
        name: z.string(),
        kind: z.enum([
          "system",
          "tools",
          "instructions",
          "rules",
          "skills",
          "environment",
          "memory",
          "continuity",
          "file",
          "task",
          "agents",
        ]),
        /** As estimated. */
        tokens: z.int().nonnegative(),
        bytes: z.int().nonnegative(),
        /** SHA-256 of the text, in hex. */
        hash: z.string(),
        /** Who wrote it, for people: `belay`, a path, `user`. */
        origin: z.string(),
      }),
    ),
    /** What was left out or cut, and why. */
    findings: z.array(z.string()),
  }),
);

export const contextAssembled: EventDefinition<z.infer<ReturnType<typeof schema>>> = {
  version: 1,
  schema,
  fold: (state) => state,
};
