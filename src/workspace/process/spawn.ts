/** Starts a held command's process, and turns what the system has against it into an error that says what to do. */
import { type ChildProcess, spawn } from "node:child_process";
import { HarnessError } from "../../kernel/harness-error.ts";
import { closeWriteEnd, type OutputPipe } from "./pipe.ts";

export interface SpawnRequest {
  readonly program: string;
  readonly arguments: readonly string[];
  readonly cwd: string;
  readonly detached: boolean;
  /** With a pipe as standard input; otherwise it is empty. */
  readonly interactive: boolean;
  /** Pipes beside the first three descriptors. */
  readonly channels: number;
  readonly environment: Readonly<Record<string, string>>;
  readonly pipe: OutputPipe;
}

/** Owns the pipe's write end from here on. @throws `process_failed`; some failures come as the child's `error` event */
export function spawnHeld(request: SpawnRequest): ChildProcess {
  const channels = Array.from({ length: request.channels }, () => "pipe" as const);
  try {
    return spawn(request.program, request.arguments, {
      cwd: request.cwd,
      detached: request.detached,
      stdio: [request.interactive ? "pipe" : "ignore", request.pipe.write_fd, "pipe", ...channels],
      env: { ...request.environment },
    });
  } catch (cause) {
    request.pipe.reader.destroy();
    const too_long = cause instanceof Error && "code" in cause && cause.code === "E2BIG";
    const todo = too_long
      ? "It is too long for the system: write it to a file and run that."
      : "Look at the limits on processes and memory.";
    throw new HarnessError("process_failed", `The command could not be started (${String(cause)}).`, todo, { cause });
  } finally {
    closeWriteEnd(request.pipe);
  }
}
