/** One estimate of tokens for everything: four bytes of UTF-8 each. Equal bytes have equal counts, on every machine. */
const BYTES_PER_TOKEN = 4;

export function tokensOf(text: string): number {
  return Math.ceil(Buffer.byteLength(text, "utf8") / BYTES_PER_TOKEN);
}

export function bytesOf(tokens: number): number {
  return tokens * BYTES_PER_TOKEN;
}
