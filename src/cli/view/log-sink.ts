/**
 * A log of continuous integration as a place for text: whole lines only, none of them a command to the service (`log-text.ts`),
 * and it knows how long nothing was written.
 */
import type { Sink } from "./screen.ts";
import { withoutCommands } from "./log-text.ts";

/** A line without an end is ended here. Characters. */
export const LINE_CHARS_MAX = 64 * 1024;

export interface LogSinkParts {
  readonly write: (text: string) => void;
  readonly colors: boolean;
  readonly columns: () => number;
  /** Milliseconds from any start, never going back. */
  readonly monotonic: () => number;
}

export class LogSink implements Sink {
  readonly isTerminal: boolean = false;
  readonly colors: boolean;
  readonly columns: () => number;
  readonly #write: (text: string) => void;
  readonly #monotonic: () => number;
  #partial = "";
  #last: number;

  constructor({ write, colors, columns, monotonic }: LogSinkParts) {
    this.#write = write;
    this.colors = colors;
    this.columns = columns;
    this.#monotonic = monotonic;
    this.#last = monotonic();
  }

  write(text: string): void {
    const lines = (this.#partial + text).split("\n");
    this.#partial = lines.pop() ?? "";
    if (this.#partial.length > LINE_CHARS_MAX) {
      lines.push(this.#partial);
      this.#partial = "";
    }
    for (const line of lines) this.#line(withoutCommands(line));
  }

  /** A command of belay's own to the service. */
  command(line: string): void {
    if (this.#partial !== "") this.write("\n");
    this.#line(line);
  }

  silentFor(): number {
    return this.#monotonic() - this.#last;
  }

  #line(line: string): void {
    this.#write(`${line}\n`);
    this.#last = this.#monotonic();
  }
}
