/** A session's file, in memory. */
import { Writable } from "node:stream";
import type { Host } from "../../src/engine/host.ts";
import { exportSession } from "../../src/engine/transfer/export.ts";
import type { SessionId } from "../../src/kernel/ids.ts";

export async function exportedFile(host: Host, session: SessionId): Promise<Buffer> {
  const pieces: Buffer[] = [];
  const sink = new Writable({
    write: (piece: Buffer, _encoding, done) => {
      pieces.push(piece);
      done();
    },
  });
  await exportSession(host, session, sink);
  return Buffer.concat(pieces);
}
