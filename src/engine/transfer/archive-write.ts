/** Writes the parts of a session's file. Holds one part at a time. */
import { createHash } from "node:crypto";
import { PART_BYTES_MAX, type PartLine } from "./archive.ts";

export interface ArchiveWriter {
  part(kind: Exclude<PartLine["part"], "end" | "blob" | "pack">, content: string): AsyncIterable<Uint8Array>;
  /** In pieces. */
  pieces(
    of: { readonly part: "blob" | "pack"; readonly name?: string },
    content: AsyncIterable<Uint8Array>,
  ): AsyncIterable<Uint8Array>;
  end(): AsyncIterable<Uint8Array>;
}

export function archiveWriter(): ArchiveWriter {
  const all = createHash("sha256");
  let parts = 0;

  const framed = (line: Omit<PartLine, "bytes" | "sha256">, content: Uint8Array): readonly Uint8Array[] => {
    const sha256 = createHash("sha256").update(content).digest("hex");
    const { part, ...more } = line;
    const head: PartLine = { part, bytes: content.byteLength, sha256, ...more };
    parts += part === "end" ? 0 : 1;
    if (part !== "end") all.update(`${JSON.stringify(head)}\n`);
    return [Buffer.from(`${JSON.stringify(head)}\n`), content, Buffer.from("\n")];
  };

  return {
    part: async function* (part, content) {
      yield* framed({ part }, Buffer.from(content, "utf8"));
    },
    pieces: async function* (of, content) {
      let held: Uint8Array | null = null;
      for await (const piece of cut(content)) {
        if (held !== null) yield* framed({ ...of, more: true }, held);
        held = piece;
      }
      yield* framed({ ...of, more: false }, held ?? new Uint8Array(0));
    },
    end: async function* () {
      const told = { parts, sha256: all.digest("hex") };
      yield* framed({ part: "end" }, Buffer.from(JSON.stringify(told), "utf8"));
    },
  };
}

async function* cut(content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const chunk of content) {
    for (let from = 0; from < chunk.byteLength; from += PART_BYTES_MAX)
      yield chunk.subarray(from, from + PART_BYTES_MAX);
  }
}
