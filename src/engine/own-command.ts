/** A command of belay's own steps (set-up, verification): held, journaled, limited, and stopped with the run. */
import type { CommandNetwork } from "../workspace/shell.ts";
import type { CommandEnd } from "../workspace/shell.ts";
import { TOOL_OUTPUT_BYTES_MAX } from "../kernel/limits.ts";
import type { Drive } from "./run.ts";

export interface OwnCommand {
  readonly command: string;
  readonly network: CommandNetwork;
  readonly limit_ms: number;
}

export interface OwnCommandEnd extends CommandEnd {
  readonly duration_ms: number;
}

export async function runOwnCommand(own: OwnCommand, run: Drive): Promise<OwnCommandEnd> {
  const { clock } = run.host;
  const shell = await run.shell();
  const workspace = await run.workspace();
  const started = clock.monotonic();
  const running = await shell.start({
    command: run.redactor.restore(own.command),
    cwd: workspace.root,
    interactive: false,
    network: own.network,
    output_bytes_max: TOOL_OUTPUT_BYTES_MAX,
    onHeld: async (process) => {
      await run.record([{ kind: "ToolProcessStarted", data: { call: null, process } }]);
    },
    onOutput: () => undefined,
  });
  const over = new AbortController();
  const stop = (): void => void running.kill("canceled");
  run.signal.addEventListener("abort", stop, { once: true });
  if (run.signal.aborted) stop();
  void clock.sleep(own.limit_ms, over.signal).then(() => (over.signal.aborted ? undefined : running.kill("timed_out")));
  try {
    return { ...(await running.ended), duration_ms: Math.round(clock.monotonic() - started) };
  } finally {
    over.abort();
    run.signal.removeEventListener("abort", stop);
  }
}
