/** Tells text from binary data by the bytes; a name proves nothing. */
const SNIFFED_BYTES = 8_000;

const SIGNATURES: readonly (readonly [kind: string, bytes: readonly (number | null)[]])[] = [
  ["a PNG image", [0x89, 0x50, 0x4e, 0x47]],
  ["a JPEG image", [0xff, 0xd8, 0xff]],
  ["a GIF image", [0x47, 0x49, 0x46, 0x38]],
  ["a WebP image", [0x52, 0x49, 0x46, 0x46, null, null, null, null, 0x57, 0x45, 0x42, 0x50]],
  ["a PDF document", [0x25, 0x50, 0x44, 0x46, 0x2d]],
  ["a zip archive", [0x50, 0x4b, 0x03, 0x04]],
  ["a gzip archive", [0x1f, 0x8b]],
  ["a program", [0x7f, 0x45, 0x4c, 0x46]],
  ["UTF-16 text", [0xff, 0xfe]],
  ["UTF-16 text", [0xfe, 0xff]],
];

/** `text`, or a noun for what it is instead. */
export function kindOfBytes(bytes: Uint8Array): string {
  const known = SIGNATURES.find(([, signature]) =>
    signature.every((byte, index) => byte === null || bytes[index] === byte),
  );
  if (known !== undefined && bytes.length > 2) return known[0];
  return bytes.subarray(0, SNIFFED_BYTES).includes(0) ? "binary data" : "text";
}

/** The text of bytes that are UTF-8 throughout, a byte order mark included; null when writing it back would change them. */
export function exactText(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    if (error instanceof TypeError) return null;
    throw error;
  }
}
