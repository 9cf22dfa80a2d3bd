/**
 * The clock that files are stamped with. It moves in ticks of some milliseconds, so an instant of it separates what
 * happened before from what happens after only once the clock has moved past it.
 */
import { rmSync, statSync, writeFileSync } from "node:fs";
import type { Clock } from "../../kernel/clock.ts";
import { HarnessError } from "../../kernel/harness-error.ts";
import type { FileClockMark } from "../workspace.ts";

/** Ticks are 1 to 10 ms; a file system whose clock stands still longer than this is not to be trusted. Milliseconds. */
const TICK_MS_MAX = 2_500;

/** Everything stamped later than `at_ms` happens after `passed` resolved, everything else happened before this call. */
export function markFileClock(marker: string, clock: Clock): FileClockMark {
  const at_ms = touch(marker);
  return { at_ms, passed: waitPast(at_ms, marker, clock) };
}

async function waitPast(at_ms: number, marker: string, clock: Clock): Promise<void> {
  const since = clock.monotonic();
  while (touch(marker) <= at_ms) {
    if (clock.monotonic() - since > TICK_MS_MAX) {
      throw new HarnessError(
        "snapshot_failed",
        `The clock of the file system at ${marker} stands still.`,
        "Set BELAY_HOME to a local disk.",
      );
    }
    await clock.sleep(1);
  }
  rmSync(marker, { force: true });
}

/** The present instant of the clock that stamps files beside the marker, in milliseconds. */
export function fileClockNow(marker: string): number {
  return touch(marker);
}

/** Creates the marker anew, so that its time is the present one; as `ctime` in milliseconds. */
function touch(marker: string): number {
  writeFileSync(marker, "");
  return statSync(marker).ctimeMs;
}
