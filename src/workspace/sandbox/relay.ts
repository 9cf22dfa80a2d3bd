/**
 * The relay: the one thing that listens in a command's own network, on loopback, and hands every connection on to the proxy's
 * socket. It runs inside, as a process of the sandbox: it decides nothing, and a command that ends it has no network left.
 *
 * R1: the command is released when the relay listens, and never without it.
 * R2: the relay has no descriptor of belay's, and holds nothing of the command's.
 */
import { realpathSync } from "node:fs";
import { quoted } from "../process/pty.ts";

/** Of the command's own network: nothing of the machine listens there. */
const RELAY_PORT = 61_080;
/** At the same time; the proxy limits them too. */
const CONNECTIONS_MAX = 256;
/** In a directory that is empty in every sandbox. */
const NODE_INSIDE = "/run/belay/node";
const SOCKET_INSIDE = "/run/belay/egress";

const PROGRAM = `
const net = require("node:net"), fs = require("node:fs");
for (const s of ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT", "SIGUSR2", "SIGALRM"]) process.on(s, () => {});
const server = net.createServer({ allowHalfOpen: true }, (a) => {
  const b = net.connect({ path: ${JSON.stringify(SOCKET_INSIDE)}, allowHalfOpen: true });
  for (const [x, y] of [[a, b], [b, a]]) { x.on("error", () => y.destroy()); x.on("close", () => y.destroy()); x.pipe(y); }
});
server.maxConnections = ${String(CONNECTIONS_MAX)};
server.listen(${String(RELAY_PORT)}, "127.0.0.1", () => { fs.writeSync(1, "ready\\n"); fs.closeSync(1); fs.openSync("/dev/null", "w"); });
`;

/** For the script around the command, before it says that it is held. Its process is the script's first child. */
export const START_RELAY = `
relay=
IFS= read -r relay < <(exec ${quoted(NODE_INSIDE)} -e ${quoted(PROGRAM)} </dev/null 3>&-)
[ "$relay" = ready ] || exit 126
`;

/** Arguments for bubblewrap: the program and the socket, both read-only. belay's own node stands anywhere, also where it is hidden. */
export function relayMounts(socket: string): readonly string[] {
  return [
    ...["--dir", "/run/belay"],
    ...["--ro-bind", realpathSync(process.execPath), NODE_INSIDE],
    ...["--ro-bind", socket, SOCKET_INSIDE],
  ];
}

/** What tells programs to go that way. */
export function proxyEnvironment(): Readonly<Record<string, string>> {
  const proxy = `http://127.0.0.1:${String(RELAY_PORT)}`;
  const names = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"];
  const managers = [
    "npm_config_proxy",
    "npm_config_https_proxy",
    "YARN_HTTP_PROXY",
    "YARN_HTTPS_PROXY",
    "CARGO_HTTP_PROXY",
  ];
  const own = "localhost,127.0.0.1,::1";
  return {
    ...Object.fromEntries([...names, ...managers].map((name) => [name, proxy])),
    // The command's own servers are reached without it.
    NO_PROXY: own,
    no_proxy: own,
    // fetch and node:http of Node 24 and later.
    NODE_USE_ENV_PROXY: "1",
  };
}
