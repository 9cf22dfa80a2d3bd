/**
 * Passes output on while it comes, for people: a few times a second, and of a flood only its newest part. Nothing
 * depends on it, so it may drop; the whole output is the business of `process-output.ts`.
 */
import type { Clock } from "../../kernel/clock.ts";
import { wholeCharactersAtEnd, wholeCharactersAtStart } from "./output.ts";

/** Between two calls. Milliseconds. */
export const PROGRESS_INTERVAL_MS = 100;
/** Of one call. */
export const PROGRESS_BYTES_MAX = 8 * 1024;

/** A longer one is shown in pieces. Bytes. */
const WORD_BYTES_MAX = 4 * 1024;
const BLANKS: ReadonlySet<number> = new Set([0x09, 0x0a, 0x0d, 0x20]);

export class ProgressFeed {
  readonly #clock: Clock;
  readonly #show: (text: string) => void;
  #pending: Buffer = Buffer.alloc(0);
  #waiting = false;

  constructor(clock: Clock, show: (text: string) => void) {
    this.#clock = clock;
    this.#show = show;
  }

  add(chunk: Buffer): void {
    const both = Buffer.concat([this.#pending, chunk.subarray(-PROGRESS_BYTES_MAX)]);
    this.#pending =
      both.length > PROGRESS_BYTES_MAX ? wholeCharactersAtStart(both.subarray(-PROGRESS_BYTES_MAX)) : both;
    if (this.#waiting) return;
    this.#waiting = true;
    void this.#clock.sleep(PROGRESS_INTERVAL_MS).then(() => {
      this.#waiting = false;
      this.#showWholeWords();
    });
  }

  /** Shows what is left, also half a character. */
  end(): void {
    const rest = this.#pending;
    this.#pending = Buffer.alloc(0);
    if (rest.length > 0) this.#show(rest.toString("utf8"));
  }

  /** A word may be a secret, which is only found when it is whole: what follows the last blank waits for the rest. */
  #showWholeWords(): void {
    const blank = this.#pending.findLastIndex((byte) => BLANKS.has(byte));
    const whole = wholeCharactersAtEnd(
      this.#pending.length > WORD_BYTES_MAX ? this.#pending : this.#pending.subarray(0, blank + 1),
    );
    this.#pending = this.#pending.subarray(whole.length);
    if (whole.length > 0) this.#show(whole.toString("utf8"));
  }
}
