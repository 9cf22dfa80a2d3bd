/**
 * A directory beside those of the sessions, for the time of an export or an import. What a killed one left is removed by a
 * later one, when nobody can be at work in it any more.
 */
import { lstatSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Host } from "../host.ts";

const NAME = /^\.(?:export|import)-[0-9a-f]+$/;
/** How long an export or an import may take, in milliseconds. */
const STAGE_MS_MAX = 24 * 3_600_000;

export async function withStage<T>(
  host: Pick<Host, "ids" | "clock">,
  sessions: string,
  what: "export" | "import",
  work: (stage: string) => Promise<T>,
): Promise<T> {
  const stage = join(sessions, `.${what}-${host.ids.span()}`);
  mkdirSync(sessions, { recursive: true, mode: 0o700 });
  removeLeft(sessions, host.clock.now() - STAGE_MS_MAX);
  mkdirSync(stage, { mode: 0o700 });
  try {
    return await work(stage);
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
}

function removeLeft(sessions: string, before: number): void {
  for (const name of readdirSync(sessions)) {
    const path = join(sessions, name);
    const found = NAME.test(name) ? lstatSync(path, { throwIfNoEntry: false }) : undefined;
    if (found?.isDirectory() === true && found.mtimeMs < before) rmSync(path, { recursive: true, force: true });
  }
}
