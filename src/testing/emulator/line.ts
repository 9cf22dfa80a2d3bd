/** The connection under an answer: writes in pieces of a given size, and the ways in which it is lost. */
import type { ServerResponse } from "node:http";
import { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { TLSSocket } from "node:tls";
import type { Wire } from "./fault.ts";

export interface Line {
  write(bytes: Buffer): Promise<void>;
  /** Resolves when everything has left, or the connection is closed. */
  flushed(): Promise<void>;
}

export function line(response: ServerResponse, signal: AbortSignal, wire: Wire): Line {
  const flushed = async (): Promise<void> => {
    if (response.writableLength === 0 || response.destroyed) return;
    await written(response, Buffer.alloc(0));
  };
  return {
    flushed,
    write: async (bytes) => {
      const size = wire.chunk_bytes ?? bytes.length;
      if (size >= bytes.length && wire.chunk_ms === undefined) {
        if (!signal.aborted) response.write(bytes);
        return;
      }
      for (let start = 0; start < bytes.length && !signal.aborted; start += size) {
        await written(response, bytes.subarray(start, start + size));
        await sleep(wire.chunk_ms ?? 0, undefined, { signal }).catch((error: unknown) => {
          if (!signal.aborted) throw error; // the client has gone in between
        });
      }
    },
  };
}

async function written(response: ServerResponse, bytes: Buffer): Promise<void> {
  await new Promise<void>((resolve) => {
    const done = (): void => {
      response.off("close", done);
      resolve();
    };
    response.once("close", done);
    response.write(bytes, done);
  });
}

/** A reset, not an orderly end. TLS knows no reset of its own: there the connection is only lost. */
export function reset(response: ServerResponse): void {
  const { socket } = response;
  if (socket instanceof Socket && !(socket instanceof TLSSocket)) socket.resetAndDestroy();
  else socket?.destroy();
}

/** An end without the end of the body: what was written still arrives. */
export function cut(response: ServerResponse): void {
  response.socket?.destroy();
}

/** The server says that it has nothing more to say, whatever was promised. */
export function closeInOrder(response: ServerResponse): void {
  response.socket?.end(() => response.socket?.destroy());
}
