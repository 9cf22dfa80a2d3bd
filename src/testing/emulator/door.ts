/** The port of the emulator: opened, shut so that connections are refused, and opened again under the same number. */
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { HarnessError } from "../../kernel/harness-error.ts";

export interface Door {
  /** @returns the port. @throws HarnessError `usage` when it is taken. */
  open(port: number): Promise<number>;
  shut(): Promise<void>;
  /** Shut, and opened again after so many milliseconds. */
  refuseFor(ms: number): void;
  /** Shut for good. */
  remove(): Promise<void>;
}

export function createDoor(server: Server, host: string): Door {
  let timer: NodeJS.Timeout | null = null;
  let removed = false;
  /** One change after the other. */
  let last: Promise<unknown> = Promise.resolve();
  const next = <T>(change: () => Promise<T>): Promise<T> => {
    const done = last.then(change, change);
    last = done.catch(() => undefined); // whoever asked for the change hears of its failure
    return done;
  };
  const door: Door = {
    open: (port) =>
      next(async () => {
        if (!server.listening && !removed) await listen(server, port, host);
        // A server that listens on a port has an address of this shape.
        return removed ? port : (server.address() as AddressInfo).port;
      }),
    shut: () => next(() => shut(server)),
    refuseFor: (ms) => {
      if (timer !== null || removed || !server.listening) return;
      // As above: it listens.
      const { port } = server.address() as AddressInfo;
      timer = setTimeout(() => {
        timer = null;
        door.open(port).catch((error: unknown) => {
          process.emitWarning(`The emulator could not open port ${port} again: ${String(error)}`);
        });
      }, ms);
      void door.shut();
    },
    remove: () => {
      removed = true;
      if (timer) clearTimeout(timer);
      return door.shut();
    },
  };
  return door;
}

async function shut(server: Server): Promise<void> {
  if (!server.listening) return;
  const closed = new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  server.closeAllConnections();
  await closed;
}

async function listen(server: Server, port: number, host: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const failed = (cause: Error): void => {
      reject(
        new HarnessError("usage", `The emulator cannot listen on ${host}:${port}.`, "Choose a free port.", { cause }),
      );
    };
    server.once("error", failed);
    server.listen(port, host, () => {
      server.off("error", failed);
      resolve();
    });
  });
}
