/** Files that were uploaded for batches, kept compressed: ten thousand requests that share most of their text are small so. */
import { once } from "node:events";
import { createGzip, constants } from "node:zlib";
import { invalid, missing } from "../openai/api-error.ts";
import { readForm } from "./body.ts";
import type { BatchAsk, Done } from "./exchange.ts";

/** Of a field that is no file. Bytes. */
const FIELD_BYTES_MAX = 64 * 1024;
/** The provider's own. Bytes. */
const FILE_BYTES_MAX = 512 * 1024 * 1024;

export interface File {
  readonly shown: { readonly bytes: number; readonly [name: string]: unknown };
  readonly gzip: readonly Buffer[];
}

export interface Files {
  /** @param created seconds since the epoch */
  upload(ask: BatchAsk, id: string, created: number): Promise<Done>;
  find(id: string): File | undefined;
}

export function createFiles(): Files {
  const files = new Map<string, File>();
  return {
    find: (id) => files.get(id),
    upload: async ({ request, headers }, id, created_at) => {
      const boundary = /boundary="?([^";]+)/i.exec(headers["content-type"] ?? "")?.[1];
      if (boundary === undefined) return { error: invalid("emulator: a file is sent as multipart/form-data") };
      const packed = packer();
      const fields = new Map<string, string>();
      let filename: string | null = null;
      await readForm(request as AsyncIterable<Buffer>, boundary, async (part, content) => {
        if (part.name === "file") {
          filename = part.filename ?? "file";
          await packed.add(content);
        } else if (content.length < FIELD_BYTES_MAX) {
          fields.set(part.name, (fields.get(part.name) ?? "") + content.toString("utf8"));
        }
      });
      const { bytes, gzip } = await packed.end();
      if (filename === null) return { error: missing("file") };
      if (fields.get("purpose") === undefined) return { error: missing("purpose") };
      if (bytes > FILE_BYTES_MAX) return { error: { ...invalid("File is too large.", "file"), status: 413 } };
      const purpose = fields.get("purpose");
      const shown = { id, object: "file", bytes, created_at, filename, purpose, status: "processed" };
      files.set(id, { shown, gzip });
      return { body: shown };
    },
  };
}

interface Packer {
  add(content: Buffer): Promise<void>;
  end(): Promise<{ readonly bytes: number; readonly gzip: readonly Buffer[] }>;
}

function packer(): Packer {
  const stream = createGzip({ level: constants.Z_BEST_SPEED });
  const gzip: Buffer[] = [];
  let bytes = 0;
  stream.on("data", (chunk: Buffer) => gzip.push(chunk));
  return {
    add: async (content) => {
      bytes += content.length;
      if (bytes <= FILE_BYTES_MAX && !stream.write(content)) await once(stream, "drain");
    },
    end: async () => {
      const ended = once(stream, "end");
      stream.end();
      await ended;
      return { bytes, gzip };
    },
  };
}
