/** Random bytes, drawn in portions: asking the system for eight at a time takes longer than all else an event's id needs. */

/** Drawn at a time. Bytes. */
const PORTION_BYTES = 1_024;

/** Each byte is handed out once. @param draw a source of `n` random bytes */
export function randomPool(draw: (bytes: number) => Uint8Array): (bytes: number) => Uint8Array {
  let portion: Uint8Array = new Uint8Array();
  let used = 0;
  return (bytes) => {
    if (bytes > PORTION_BYTES) return draw(bytes);
    if (used + bytes > portion.byteLength) {
      portion = draw(PORTION_BYTES);
      used = 0;
    }
    used += bytes;
    return portion.subarray(used - bytes, used);
  };
}
