/** What one fetch may cost. Every wait and every buffer of it is here. */
const MIB = 1024 * 1024;

export interface FetchLimits {
  /** From the first connection until the headers of an answer are there, for each address on the way. Milliseconds. */
  readonly header_ms: number;
  /** Of all of it, redirects included. Milliseconds. */
  readonly total_ms: number;
  /** Of a body as it is shown, that is after decompression; what comes after is left out and that is said. */
  readonly body_bytes: number;
  /** Of the headers of one answer. */
  readonly header_bytes: number;
  readonly redirects: number;
}

export const FETCH_LIMITS: FetchLimits = {
  header_ms: 15_000,
  total_ms: 45_000,
  body_bytes: 10 * MIB,
  header_bytes: 16 * 1024,
  redirects: 5,
};
