/**
 * A real pipe for a command's output. What the runtime itself makes is a socket pair, and a socket cannot be opened by
 * name: `echo … > /dev/stderr` would fail in every script. One pipe takes both streams, so their order is kept.
 */
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { closeSync, constants, openSync, rmSync, unlinkSync } from "node:fs";
import { Socket } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { HarnessError } from "../../kernel/harness-error.ts";

/** For `mkfifo` to do its work. */
const MKFIFO_LIMIT_MS = 5_000;

export interface OutputPipe {
  readonly reader: Socket;
  /** To be handed to the child, then closed. */
  readonly write_fd: number;
}

/** Pipes that are made at a time: that takes a process, and most commands are followed by another. */
const PIPES_AT_ONCE = 8;

/** Both ends of a pipe that nobody uses yet. It has no name any more, so it belongs to no place. */
interface Ends {
  readonly read_fd: number;
  readonly write_fd: number;
}

/** At most `PIPES_AT_ONCE - 1` for each start that was under way at the same time. */
const spare: Ends[] = [];

/** @param directory a private one; a pipe's name is gone from it before anything can run there. @throws `process_failed` */
export async function openOutputPipe(directory: string): Promise<OutputPipe> {
  const { read_fd, write_fd } = spare.pop() ?? (await makePipes(directory));
  return { reader: new Socket({ fd: read_fd, readable: true, writable: false }), write_fd };
}

async function makePipes(directory: string): Promise<Ends> {
  const paths = Array.from({ length: PIPES_AT_ONCE }, () => join(directory, `.pipe-${randomBytes(8).toString("hex")}`));
  try {
    await promisify(execFile)("mkfifo", ["-m", "600", ...paths], {
      timeout: MKFIFO_LIMIT_MS,
      env: { PATH: "/usr/bin:/bin" },
    });
    const first = openBothEnds(paths.pop() ?? directory);
    for (const path of paths) spare.push(openBothEnds(path));
    return first;
  } catch (cause) {
    for (const path of paths) rmSync(path, { force: true });
    throw new HarnessError(
      "process_failed",
      `A pipe could not be made in ${directory}.`,
      "Look at the cause: a full disk or a missing directory.",
      { cause },
    );
  }
}

function openBothEnds(path: string): Ends {
  // Not blocking, or the opening would wait for a writer.
  const read_fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const write_fd = openSync(path, constants.O_WRONLY);
  unlinkSync(path);
  return { read_fd, write_fd };
}

export function closeWriteEnd(pipe: OutputPipe): void {
  closeSync(pipe.write_fd);
}
