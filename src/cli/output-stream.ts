/**
 * stdout or stderr. A reader that goes away (`| head`, a closed terminal) is no error of belay's: writing stops, and
 * whoever listens is told. A reader that is slow is waited for within a bound; what may be dropped looks at `behind`.
 */
import { Writable } from "node:stream";
import { jsonWithoutCommands } from "./view/log-text.ts";
import type { Sink } from "./view/screen.ts";

/** Above this what may be dropped is dropped. Bytes. */
export const BEHIND_BYTES_MAX = 1024 * 1024;
/** A reader that is so far behind will not come back. Bytes. */
const LOST_BYTES_MAX = 256 * 1024 * 1024;
/** How long the end waits for a slow reader, in milliseconds. */
const FLUSH_LIMIT_MS = 5_000;
const COLUMNS_DEFAULT = 100;

/** Errors that say that nobody reads on: a closed pipe, a terminal that is gone, a descriptor that was never there. */
const READER_GONE: readonly string[] = ["EPIPE", "EIO", "EBADF", "ERR_STREAM_DESTROYED"];

export interface OutputOptions {
  readonly colors: boolean;
  /** Colours also where there is no terminal. Default no. */
  readonly forceColors?: boolean;
  /** A terminal that cannot redraw counts as none. */
  readonly redraws: boolean;
  /** Changes each line of text, unless a terminal shows it, for a log that takes commands; JSON keeps its value. Default none. */
  readonly guard?: (line: string) => string;
}

type Terminal = Writable & { readonly isTTY?: boolean; readonly columns?: number };

export class OutputStream implements Sink {
  readonly colors: boolean;
  readonly isTerminal: boolean;
  readonly #stream: Terminal;
  readonly #guard: ((line: string) => string) | null;
  readonly #onGone = new Set<() => void>();
  #gone = false;
  #failure: NodeJS.ErrnoException | null = null;

  constructor(stream: Terminal, options: OutputOptions) {
    this.#stream = stream;
    this.isTerminal = stream.isTTY === true && options.redraws;
    this.colors = (stream.isTTY === true || options.forceColors === true) && options.colors;
    this.#guard = stream.isTTY === true ? null : (options.guard ?? null);
    // EPIPE, EIO (the terminal is gone), ENOSPC (a file): whatever it is, nobody reads on.
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (!READER_GONE.includes(error.code ?? "")) this.#failure ??= error;
      this.#lose();
    });
  }

  /** Why what was written is incomplete although its reader wanted all of it: a full disk, say. */
  get failure(): NodeJS.ErrnoException | null {
    return this.#failure;
  }

  get gone(): boolean {
    return this.#gone;
  }

  /** Whether the reader is so slow that what may be dropped should be. */
  get behind(): boolean {
    return this.#stream.writableLength > BEHIND_BYTES_MAX;
  }

  columns(): number {
    return this.#stream.columns ?? COLUMNS_DEFAULT;
  }

  write(text: string): void {
    if (this.#gone) return;
    this.#stream.write(text);
    if (this.#stream.writableLength > LOST_BYTES_MAX) this.#lose();
  }

  /** For what is no text: to the byte, at the reader's pace. Its end does not end this stream. */
  sink(): Writable {
    return new Writable({
      write: (piece: Uint8Array, _encoding, done) => {
        this.#stream.write(piece, (error) => done(error));
      },
    });
  }

  line(text: string): void {
    this.write(`${this.#guarded(text)}\n`);
  }

  /** JSON, and a newline: the same value also in a log that takes commands. @returns whether its bytes were changed */
  json(text: string): boolean {
    const safe = this.#guard === null ? text : jsonWithoutCommands(text);
    this.write(`${safe}\n`);
    return safe !== text;
  }

  /** Text for programs: to the byte, but in a log that would take commands from it. @returns whether it was changed */
  exactly(text: string): boolean {
    const safe = this.#guarded(text);
    this.write(safe);
    return safe !== text;
  }

  #guarded(text: string): string {
    return this.#guard === null ? text : text.split("\n").map(this.#guard).join("\n");
  }

  /** Resolves when a reader has taken what was written, or is gone. For those who produce more than fits. */
  async ready(): Promise<void> {
    if (this.#gone || !this.#stream.writableNeedDrain) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        this.#stream.off("drain", done);
        this.#onGone.delete(done);
        resolve();
      };
      this.#stream.once("drain", done);
      this.#onGone.add(done);
    });
  }

  /** Called once, when nobody reads any more. */
  onGone(listener: () => void): void {
    if (this.#gone) listener();
    else this.#onGone.add(listener);
  }

  /** Waits until everything is handed over, within a limit. A file is written at once, but its failure comes a turn later. */
  async flush(): Promise<void> {
    if (this.#gone) return;
    await new Promise<void>((resolve) => {
      const limit = setTimeout(resolve, FLUSH_LIMIT_MS);
      this.#stream.write("", () => {
        clearTimeout(limit);
        resolve();
      });
    });
  }

  #lose(): void {
    if (this.#gone) return;
    this.#gone = true;
    for (const listener of [...this.#onGone]) listener();
    this.#onGone.clear();
  }
}
