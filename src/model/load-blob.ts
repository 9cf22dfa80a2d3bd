/** Images of a request, as text: every provider takes them in base64. */
import type { ImagePart } from "../kernel/content.ts";
import type { BlobHash } from "../kernel/ids.ts";

/** @returns null where the blob is not to be had: the model then reads that an image is missing. */
export type LoadBlob = (blob: BlobHash) => Promise<Uint8Array | null>;

/** @returns base64, or null where it is not to be had */
export async function imageData(part: ImagePart, loadBlob: LoadBlob | undefined): Promise<string | null> {
  const bytes = loadBlob ? await loadBlob(part.blob) : null;
  return bytes === null ? null : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
}

/** What stands in the place of an image that is not to be had. */
export function missingImage({ media_type }: ImagePart): string {
  return `[An image (${media_type}) was here; it is not available.]`;
}
