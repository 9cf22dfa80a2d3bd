/** A wire between a client and a server that a test can cut: before a question arrives, or before its answer does. */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

const PORT_DEFAULT = 5432;

export interface Cut {
  readonly side: "question" | "answer";
  /** The how manieth, over all connections, from 1: chunk of that side, or question that holds `of`. */
  readonly at: number;
  /** A text of the question that is meant, or whose answer is. */
  readonly of?: string;
}

export interface TcpProxy {
  readonly port: number;
  /** Whether the cut was reached. */
  readonly struck: boolean;
  /** From now on nothing passes, and nobody is told: as with a cable that was pulled. */
  silence(): void;
  /** Everything is cut, and nobody is let in any more. */
  refuse(): void;
  restore(): void;
  close(): Promise<void>;
}

/** @param url of the database behind it */
export async function startProxy(url: string, cut: Cut | null = null): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  const target = new URL(url);
  let seen = 0;
  let state: "open" | "silent" | "closed" = "open";
  let struck = false;

  const server = createServer((client) => {
    if (state === "closed") {
      client.destroy();
      return;
    }
    const upstream = connect(Number(target.port || PORT_DEFAULT), target.hostname);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on("error", () => undefined).on("close", () => sockets.delete(socket));
    }
    let answerMeant = false;
    /** Whether this chunk is the one. */
    const isMeant = (side: Cut["side"], chunk: Buffer): boolean => {
      if (cut === null) return false;
      if (cut.of === undefined) return cut.side === side && ++seen === cut.at;
      if (side === "answer") return answerMeant;
      if (!chunk.includes(cut.of) || ++seen !== cut.at) return false;
      answerMeant = cut.side === "answer";
      return !answerMeant;
    };
    const carry = (from: Socket, to: Socket, side: Cut["side"]): void => {
      from.on("data", (chunk: Buffer) => {
        if (state === "silent") return;
        if (struck || !isMeant(side, chunk)) {
          to.write(chunk);
          return;
        }
        struck = true;
        client.destroy();
        upstream.destroy();
      });
      from.on("close", () => to.destroy());
    };
    carry(client, upstream, "question");
    carry(upstream, client, "answer");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const cutAll = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: (server.address() as AddressInfo).port, // it listens on TCP
    get struck() {
      return struck;
    },
    silence: () => void (state = "silent"),
    refuse: () => {
      state = "closed";
      cutAll();
    },
    restore: () => void (state = "open"),
    close: async () => {
      cutAll();
      server.close();
      await once(server, "close");
    },
  };
}
