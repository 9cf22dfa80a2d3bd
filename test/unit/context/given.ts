/** A project and a user's home on the disk, and the reader that sessions use. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { ContextFiles } from "../../../src/context/context-files.ts";
import { createContextFiles } from "../../../src/engine/context-files.ts";
import { type Files, temporaryDirectory, writeFiles } from "../workspace/given.ts";

export interface Given {
  readonly files: ContextFiles;
  readonly top: string;
  readonly home: string;
}

/** @param user below the home: `.claude/CLAUDE.md` */
export function given(project: Files, user: Files = {}): Given {
  const top = join(temporaryDirectory(), "project");
  const home = join(temporaryDirectory(), "home");
  for (const directory of [top, home]) mkdirSync(directory);
  writeFiles(top, project);
  writeFiles(home, user);
  const files = createContextFiles({ project: top, claude: join(home, ".claude"), belay: join(home, ".belay") });
  return { files, top, home };
}
