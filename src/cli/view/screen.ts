/**
 * Where text goes: lines, a stream of text between them, and at a terminal one live line below.
 *
 * V1: without a terminal no escape sequence is written.
 * V2: the live line is drawn only where a line begins, so that it never cuts into streaming text.
 */
import { truncated } from "./width.ts";

export interface Sink {
  write(text: string): void;
  readonly isTerminal: boolean;
  /** Whether colours are wanted. */
  readonly colors: boolean;
  columns(): number;
}

const ERASE_LINE = "\r\u001b[2K";

export class Screen {
  readonly #sink: Sink;
  #atLineStart = true;
  #live: string | null = null;

  constructor(sink: Sink) {
    this.#sink = sink;
  }

  get isTerminal(): boolean {
    return this.#sink.isTerminal;
  }

  /** Columns that a line may take. */
  get columns(): number {
    return this.#sink.columns();
  }

  line(text: string): void {
    this.#erase();
    this.#sink.write(`${this.#atLineStart ? "" : "\n"}${text}\n`);
    this.#atLineStart = true;
  }

  /** Text that goes on where the last one ended. */
  stream(text: string): void {
    if (text === "") return;
    this.#erase();
    this.#sink.write(text);
    this.#atLineStart = text.endsWith("\n");
  }

  /** Ends a line that streaming left open. */
  settle(): void {
    this.#erase();
    if (!this.#atLineStart) this.#sink.write("\n");
    this.#atLineStart = true;
  }

  /** V1, V2. Null takes the live line away. */
  live(text: string | null, style: (text: string) => string = (plain) => plain): void {
    if (!this.#sink.isTerminal) return;
    if (text === null) {
      this.#erase();
      return;
    }
    const fitting = truncated(text, this.columns - 1);
    if (!this.#atLineStart || fitting === this.#live) return;
    this.#sink.write(ERASE_LINE + style(fitting));
    this.#live = fitting;
  }

  #erase(): void {
    if (this.#live !== null) this.#sink.write(ERASE_LINE);
    this.#live = null;
  }
}
