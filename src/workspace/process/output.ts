/**
 * Holds what a command writes, in bounded memory: the first half and the last half of the cap, whatever comes.
 *
 * O1: never more than the cap is held, and everything is counted.
 * O2: text is cut between characters, never inside one.
 */
const FIRST_ALLOCATION_BYTES = 4_096;

export class OutputBuffer {
  readonly #head_max: number;
  readonly #tail_max: number;
  #head: Buffer = Buffer.alloc(0);
  #head_bytes = 0;
  /** A ring, allocated when the head is full. */
  #tail: Buffer | null = null;
  #tail_end = 0;
  #bytes = 0;

  constructor(bytes_max: number) {
    this.#head_max = Math.ceil(bytes_max / 2);
    this.#tail_max = bytes_max - this.#head_max;
  }

  /** Everything that was written, held or not. */
  get bytes(): number {
    return this.#bytes;
  }

  get truncated(): boolean {
    return this.#bytes > this.#head_max + this.#tail_max;
  }

  add(chunk: Buffer): void {
    this.#bytes += chunk.length;
    const to_head = Math.min(chunk.length, this.#head_max - this.#head_bytes);
    if (to_head > 0) this.#addToHead(chunk.subarray(0, to_head));
    if (to_head < chunk.length && this.#tail_max > 0) this.#addToTail(chunk.subarray(to_head));
  }

  text(): string {
    const head = this.#head.subarray(0, this.#head_bytes);
    const tail = this.#unrolledTail();
    if (!this.truncated) return Buffer.concat([head, tail]).toString("utf8");
    const first = wholeCharactersAtEnd(head);
    const last = wholeCharactersAtStart(tail);
    const left_out = this.#bytes - first.length - last.length;
    return `${first.toString("utf8")}\n[… ${String(left_out)} bytes left out …]\n${last.toString("utf8")}`;
  }

  #addToHead(chunk: Buffer): void {
    const needed = this.#head_bytes + chunk.length;
    if (needed > this.#head.length) {
      const grown = Buffer.alloc(
        Math.min(this.#head_max, Math.max(needed, this.#head.length * 2, FIRST_ALLOCATION_BYTES)),
      );
      this.#head.copy(grown, 0, 0, this.#head_bytes);
      this.#head = grown;
    }
    chunk.copy(this.#head, this.#head_bytes);
    this.#head_bytes = needed;
  }

  #addToTail(chunk: Buffer): void {
    this.#tail ??= Buffer.alloc(this.#tail_max);
    const kept = chunk.subarray(Math.max(0, chunk.length - this.#tail_max));
    const at = (this.#tail_end + chunk.length - kept.length) % this.#tail_max;
    const until_wrap = Math.min(kept.length, this.#tail_max - at);
    kept.copy(this.#tail, at, 0, until_wrap);
    kept.copy(this.#tail, 0, until_wrap);
    this.#tail_end = (this.#tail_end + chunk.length) % this.#tail_max;
  }

  #unrolledTail(): Buffer {
    if (this.#tail === null) return Buffer.alloc(0);
    const written = this.#bytes - this.#head_bytes;
    if (written <= this.#tail_max) return this.#tail.subarray(0, written);
    return Buffer.concat([this.#tail.subarray(this.#tail_end), this.#tail.subarray(0, this.#tail_end)]);
  }
}

/** Without the beginning of a character whose rest is missing. */
export function wholeCharactersAtEnd(bytes: Buffer): Buffer {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (isContinuation(byte)) continue;
    return lengthOfCharacter(byte) > back ? bytes.subarray(0, bytes.length - back) : bytes;
  }
  return bytes;
}

/** Without the end of a character whose beginning is missing. */
export function wholeCharactersAtStart(bytes: Buffer): Buffer {
  let skip = 0;
  while (skip < 3 && isContinuation(bytes[skip] ?? 0)) skip++;
  return bytes.subarray(skip);
}

function isContinuation(byte: number): boolean {
  return (byte & 0xc0) === 0x80;
}

function lengthOfCharacter(first: number): number {
  if (first >= 0xf0) return 4;
  if (first >= 0xe0) return 3;
  return first >= 0xc0 ? 2 : 1;
}
