/**
 * Can the simulation find anything? Defects are planted in the engine, one at a time, as its files are loaded; each must be
 * found. Five of them are defects that it had found in this engine: their corrections are taken back here.
 */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { MUTANTS } from "./mutants.ts";

const LONG = process.env["BELAY_TEST_LONG"] === "1";
const SEEDS_MAX = 3_000;

interface Hunt {
  /** Whether the text to change was found, once. */
  readonly planted: boolean;
  readonly found: { readonly seed: number; readonly violation: string } | null;
}

describe.concurrent("the simulation finds a planted defect", { timeout: 600_000 }, () => {
  for (const [index, { symptom, file, rare = false }] of MUTANTS.entries()) {
    if (rare && !LONG) continue;
    it(symptom, async () => {
      const child = join(import.meta.dirname, "mutant-child.ts");
      const { stdout } = await promisify(execFile)(process.execPath, [child, String(index), String(SEEDS_MAX)]);
      const hunt = JSON.parse(stdout) as Hunt; // what the child prints
      expect(hunt.planted, `the text of this mutant is no longer in ${file}: adapt it`).toBe(true);
      expect(hunt.found, `not within ${SEEDS_MAX} seeds`).not.toBeNull();
    });
  }
});
