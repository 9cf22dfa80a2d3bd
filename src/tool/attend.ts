/**
 * Watches over a running command for the length of one tool call: its end, its waiting for input, its silence, and the
 * call's own signal.
 *
 * A1: when the call's signal aborts, the command is killed with the signal's reason, and the call lasts until it is gone.
 */
import type { RunningCommand } from "../workspace/shell.ts";
import type { ToolContext } from "./tool.ts";

/** A command waits for input when it has done so for this long without a break. Milliseconds. */
export const WAITS_FOR_INPUT_MS = 1_000;
/** Silence after which people are told. Milliseconds. */
export const STALL_HINT_MS = 45_000;
const POLL_MS = 200;

/** What is remembered of a command from call to call. */
export interface Attended {
  /** Where its progress goes: to the call that attends it now. */
  show: (text: string) => void;
  /** Of its output, what the model has seen. */
  shown_chars: number;
  /** Hosts that it asked for and may not reach, as sentences; those that the model was told are taken out. */
  readonly blocked: string[];
}

export async function attend(
  running: RunningCommand,
  state: Attended,
  interactive: boolean,
  context: ToolContext,
): Promise<"ended" | "waits"> {
  state.show = context.onProgress;
  const watch = new AbortController();
  const kill = (): void => {
    void running.kill(reasonOf(context.signal));
  };
  context.signal.addEventListener("abort", kill, { once: true });
  if (context.signal.aborted) kill();
  try {
    const ended = running.ended.then(() => "ended" as const);
    const watched = watchOver(running, interactive, context, watch.signal);
    return await Promise.race([ended, watched.then((waits) => (waits && !context.signal.aborted ? "waits" : ended))]);
  } finally {
    watch.abort("ended");
    context.signal.removeEventListener("abort", kill);
    state.show = () => undefined;
  }
}

/** Anything but a time limit is a cancel. */
function reasonOf(signal: AbortSignal): "timed_out" | "canceled" {
  return signal.reason === "timed_out" ? "timed_out" : "canceled";
}

/** True when it waits for input; false when told to stop watching. */
async function watchOver(
  running: RunningCommand,
  interactive: boolean,
  context: ToolContext,
  stop: AbortSignal,
): Promise<boolean> {
  const { clock } = context;
  let waits_since: number | null = null;
  let hinted = false;
  for (;;) {
    await clock.sleep(POLL_MS, stop);
    if (stop.aborted) return false;
    const waits = interactive && (await running.waitsForInput());
    waits_since = waits ? (waits_since ?? clock.monotonic()) : null;
    if (waits_since !== null && clock.monotonic() - waits_since >= WAITS_FOR_INPUT_MS) return true;
    const silent = running.silentFor() >= STALL_HINT_MS;
    if (silent && !hinted) context.onProgress(`\n[no output for ${String(STALL_HINT_MS / 1_000)} s; it still runs]\n`);
    hinted = silent;
  }
}
