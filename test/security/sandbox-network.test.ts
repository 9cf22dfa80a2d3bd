/**
 * A command that may reach some hosts and no others. Each attempt to reach another is made twice: unconfined, where it must
 * succeed, and in the sandbox with a list, where the service must see nobody. Everything is on this machine: what is allowed is
 * one port of it, what is attacked is another.
 */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import {
  createServer as createHttpServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server as HttpServer,
} from "node:http";
import { type AddressInfo, connect } from "node:net";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { openEgress, type Egress } from "../../src/workspace/sandbox/egress.ts";
import type { CommandEnd, ShellCommand } from "../../src/workspace/shell.ts";
import { needsBubblewrap, needsProgram } from "../support/needs.ts";
import {
  bwrapShell,
  eventually,
  type Ground,
  makeGround,
  plainShell,
  runIn,
  startIn,
} from "../support/shell-fixture.ts";

interface Service {
  readonly port: number;
  /** Requests that it saw. */
  readonly seen: IncomingMessage[];
  answer: (request: IncomingMessage) => { readonly status: number; readonly location?: string };
}

let ground: Ground;
let allowed: Service;
let forbidden: Service;
const closing: (() => void)[] = [];

async function service(): Promise<Service> {
  const seen: IncomingMessage[] = [];
  const self: Service = { port: 0, seen, answer: () => ({ status: 200 }) };
  const server: HttpServer = createHttpServer((request, response) => {
    seen.push(request);
    const { status, location } = self.answer(request);
    response.writeHead(status, location === undefined ? {} : { location });
    response.end("service says hello\n");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  closing.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return Object.assign(self, { port: (server.address() as AddressInfo).port }); // it listens at a port
}

beforeEach(async () => {
  ground = makeGround();
  [allowed, forbidden] = [await service(), await service()];
});

afterEach(() => {
  for (const close of closing.splice(0)) close();
  ground.remove();
});

const at = ({ port }: Service): string => `127.0.0.1:${String(port)}`;
/** Without the exception for loopback, which is meant for the command's own servers. */
const CURL = "NO_PROXY= no_proxy= curl -s --max-time 20";

async function confined(command: string, changes: Partial<ShellCommand> = {}): Promise<CommandEnd> {
  const network = { domains: [at(allowed)] };
  return runIn(await bwrapShell(ground), ground.root, command, { network, ...changes });
}

async function expectUnreached(command: string, seen: () => number = () => forbidden.seen.length): Promise<void> {
  await runIn(plainShell(ground), ground.root, command);
  const before = seen();
  expect({ unconfined: before > 0 }).toEqual({ unconfined: true });
  await confined(command);
  expect({ in_the_sandbox: seen() - before }).toEqual({ in_the_sandbox: 0 });
}

needsBubblewrap("a command with a list of hosts", () => {
  it("reaches what is listed, by plain requests and by tunnels, with the programs that people use", async (context) => {
    needsProgram(context, "curl", "apt-get install curl");
    const url = `http://${at(allowed)}`;
    const node = `NO_PROXY= no_proxy= node -e 'fetch("${url}/node").then(r=>r.text()).then(t=>process.stdout.write(t))'`;
    const { output } = await confined(`${CURL} ${url}/plain; ${CURL} --proxytunnel ${url}/tunnel; ${node}`);
    expect(output).toContain("service says hello\nservice says hello\n");
    expect(allowed.seen.map((request) => request.url).slice(0, 2)).toEqual(["/plain", "/tunnel"]);
  });

  it("is told why another is refused, and so is whoever watches: once for each host", async (context) => {
    needsProgram(context, "curl", "apt-get install curl");
    const blocked: string[] = [];
    const url = `http://${at(forbidden)}/`;
    const end = await confined(`${CURL} -w '%{http_code}' ${url}; ${CURL} ${url}; ${CURL} http://other.test/`, {
      onBlocked: (host, reason) => blocked.push(`${host}: ${reason}`),
    });
    expect(end.output).toMatch(/may not reach 127\.0\.0\.1: it is not on the list of allowed hosts\.\n403/);
    const reason = "it is not on the list of allowed hosts";
    expect(blocked).toEqual([`127.0.0.1: ${reason}`, `other.test: ${reason}`]);
  });

  it("N01: does not reach another service directly, nor when the proxy is forgotten", async (context) => {
    needsProgram(context, "curl", "apt-get install curl");
    await expectUnreached(`curl -s --noproxy '*' --max-time 20 http://${at(forbidden)}/`);
    await expectUnreached(`env -i PATH="$PATH" curl -s --max-time 20 http://${at(forbidden)}/`);
    await expectUnreached(
      `timeout 5 bash -c 'exec 5<>/dev/tcp/127.0.0.1/${String(forbidden.port)}; printf "GET / HTTP/1.0\\r\\n\\r\\n" >&5; cat <&5'`,
    );
  });

  it("N02: nor through the proxy, plain or tunnelled", async (context) => {
    needsProgram(context, "curl", "apt-get install curl");
    await expectUnreached(`${CURL} http://${at(forbidden)}/; ${CURL} --proxytunnel http://${at(forbidden)}/`);
  });

  it("N03: nor by a redirect of what is allowed", async (context) => {
    needsProgram(context, "curl", "apt-get install curl");
    allowed.answer = () => ({ status: 302, location: `http://${at(forbidden)}/redirected` });
    await expectUnreached(`${CURL} -L http://${at(allowed)}/`);
    expect(allowed.seen.length).toBe(2);
  });

  it("N04: nor by another notation of its address", async (context) => {
    needsProgram(context, "curl", "apt-get install curl");
    for (const host of ["127.1", "2130706433", "0x7f000001", "0177.0.0.1", "localhost"]) {
      await expectUnreached(`${CURL} http://${host}:${String(forbidden.port)}/`);
    }
  });

  it("N05: sends no packet of its own: no name is asked for, no datagram leaves", async () => {
    const socket = createSocket("udp4");
    closing.push(() => {
      socket.close();
    });
    let packets = 0;
    socket.on("message", () => packets++);
    socket.bind(0, "127.0.0.1");
    await once(socket, "listening");
    const port = String(socket.address().port);
    const send = `for i in 1 2 3; do echo c2VjcmV0.example.test > /dev/udp/127.0.0.1/${port}; done; true`;
    await runIn(plainShell(ground), ground.root, send);
    await eventually(() => packets > 0);
    const before = packets;
    await confined(send);
    expect(packets).toBe(before);
  });

  it("N06: has no network but loopback, and no raw socket", async (context) => {
    needsProgram(context, "perl", "apt-get install perl");
    const interfaces = "ls /sys/class/net /proc/sys/net/ipv4/conf; cat /proc/net/dev | grep -c :";
    expect((await confined(interfaces)).output.trim().split("\n").at(-1)).toBe("1");
    const raw = `perl -MSocket -e 'socket(S, PF_INET, SOCK_RAW, 1) and print "RAW"; socket(P, 17, SOCK_RAW, 768) and print "PACKET"'`;
    if (process.getuid?.() === 0) expect((await runIn(plainShell(ground), ground.root, raw)).output).toBe("RAWPACKET");
    expect((await confined(raw)).output).toBe("");
  });

  it("N07: may use its own loopback, and finds nothing of the machine's there", async () => {
    const own = `node -e 'const s=require("http").createServer((q,r)=>r.end("own")).listen(0,"127.0.0.1",()=>fetch("http://127.0.0.1:"+s.address().port).then(r=>r.text()).then(t=>{console.log(t);process.exit()}))'`;
    expect((await confined(own)).output).toBe("own\n");
  });

  it("N08: has nothing left when it ends the relay", async (context) => {
    needsProgram(context, "curl", "apt-get install curl");
    const end = await confined(
      `kill -9 3; ${CURL} http://${at(allowed)}/; ${CURL} http://${at(forbidden)}/; echo over`,
    );
    expect([end.output, allowed.seen.length, forbidden.seen.length]).toEqual(["over\n", 0, 0]);
  });

  it("N09: reaches nothing with an empty list", async (context) => {
    needsProgram(context, "curl", "apt-get install curl");
    await confined(`${CURL} http://${at(allowed)}/; curl -s --noproxy '*' http://${at(allowed)}/`, {
      network: { domains: [] },
    });
    expect(allowed.seen.length).toBe(0);
  });

  it("N10: leaves no way out for a command beside it that may reach nothing", async (context) => {
    needsProgram(context, "curl", "apt-get install curl");
    const shell = await bwrapShell(ground);
    const network = { domains: [at(allowed)] };
    const first = await startIn(shell, ground.root, "touch begun; while [ ! -e go ]; do sleep 0.02; done", { network });
    await eventually(() => existsSync(join(ground.root, "begun")));
    const socket = readdirSync(ground.base).find((name) => name.startsWith("egress-")) ?? "";
    expect(socket).not.toBe("");
    const knock = `curl -s --max-time 5 --unix-socket ${join(ground.base, socket)} http://${at(allowed)}/; touch go`;
    await runIn(shell, ground.root, knock);
    await first.ended;
    expect(allowed.seen.length).toBe(0);
    await eventually(() => !existsSync(join(ground.base, socket)));
  });

  it("counts the relay as nothing that was left behind, and ends with it", async () => {
    const end = await confined("sleep 300 & true");
    expect([end.left_behind, (await confined("true")).left_behind]).toEqual([1, 0]);
    expect((await confined("ls /proc/self/fd | tr '\\n' ' '")).output).toBe("0 1 2 3 ");
    await eventually(() => readdirSync(ground.base).every((name) => !name.startsWith("egress-")));
  });

  it("survives a program that signals its whole group", async (context) => {
    needsProgram(context, "curl", "apt-get install curl");
    await confined(`trap '' TERM; kill 0; ${CURL} http://${at(allowed)}/`);
    expect(allowed.seen.length).toBe(1);
  });
});

/** Spoken to in raw bytes, as no honest program would. */
async function raw(egress: Egress, bytes: string): Promise<string> {
  const socket = connect(egress.path);
  let answer = "";
  socket.on("data", (chunk: Buffer) => (answer += chunk.toString("latin1")));
  socket.on("error", () => undefined);
  socket.write(Buffer.from(bytes, "latin1"));
  await Promise.race([
    once(socket, "close"),
    eventually(() => answer.includes("hello") || /^HTTP\/1.1 [45]/.test(answer)),
  ]);
  socket.destroy();
  return answer.split("\r\n")[0] ?? "";
}

const REFUSED = /: HTTP\/1\.1 (?:400|403) [A-Za-z ]+$/;

needsBubblewrap("the proxy", () => {
  let egress: Egress;
  beforeEach(async () => {
    egress = await openEgress({ domains: [at(allowed), "*.allowed.test"], directory: ground.base });
    closing.push(() => {
      egress.close();
    });
  });

  it("takes what a proxy takes", async () => {
    const get = (port: string): string =>
      `GET http://127.0.0.1:${port}/x HTTP/1.1\r\nHost: whatever.test\r\nConnection: close\r\n\r\n`;
    expect(await raw(egress, get(String(allowed.port)))).toBe("HTTP/1.1 200 OK");
    const tunnel = `CONNECT ${at(allowed)} HTTP/1.1\r\nHost: other.test:1\r\n\r\nGET /y HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`;
    expect(await raw(egress, tunnel)).toBe("HTTP/1.1 200 Connection established");
    expect(allowed.seen.map(({ url }) => url)).toEqual(["/x", "/y"]);
  });

  it("tells a server the host that was checked, and nothing of the proxy's own", async () => {
    const head =
      "Host: evil.test\r\nProxy-Authorization: Basic x\r\nConnection: close, X-Hop\r\nX-Hop: 1\r\nX-End: 2\r\n\r\n";
    await raw(egress, `GET http://${at(allowed)}/ HTTP/1.1\r\n${head}`);
    const headers: IncomingHttpHeaders = allowed.seen[0]?.headers ?? {};
    expect([headers.host, headers["proxy-authorization"], headers["x-hop"], headers["x-end"]]).toEqual([
      at(allowed),
      undefined,
      undefined,
      "2",
    ]);
  });

  const hosts = (port: string): readonly string[] => [
    ...[
      `127.0.0.1:${port}`,
      `localhost:${port}`,
      `127.1:${port}`,
      `0x7f.0.0.1:${port}`,
      `[::1]:${port}`,
      `[::ffff:127.0.0.1]:${port}`,
    ],
    ...["169.254.169.254:80", `allowed.test:${port}`, `allowed.test.evil.test:${port}`, `evilallowed.test:${port}`],
    ...[
      `127.0.0.1:${port}\0.allowed.test:443`,
      `127.0.0.1\0.allowed.test:${port}`,
      `127.0.0.1%00.allowed.test:${port}`,
    ],
    ...[
      `a.allowed.test@127.0.0.1:${port}`,
      `127.0.0.1:${port}#.allowed.test:443`,
      `127.0.0.1:${port}/.allowed.test:443`,
    ],
    ...[
      `127.0.0.1:${port}\\.allowed.test:443`,
      `127.0.0.1:${port}?.allowed.test:443`,
      `127.0.0.1 .allowed.test:${port}`,
      "",
    ],
  ];

  it("N11: refuses every host that is not listed, or that two programs could read as two", async () => {
    for (const host of hosts(String(forbidden.port))) {
      expect(`${host}: ${await raw(egress, `CONNECT ${host} HTTP/1.1\r\nHost: ${at(allowed)}\r\n\r\n`)}`).toMatch(
        REFUSED,
      );
    }
    expect(forbidden.seen.length).toBe(0);
  });

  it("N12: and the same in a plain request, whatever its other lines say", async () => {
    const forms = hosts(String(forbidden.port)).flatMap((host) => [
      `http://${host}/`,
      `https://${host}/`,
      `//${host}/`,
    ]);
    for (const url of [
      ...forms,
      "/",
      "*",
      "http:///",
      `http://${at(allowed)}@${at(forbidden)}/`,
      "file:///etc/passwd",
      `ftp://${at(allowed)}/`,
    ]) {
      expect(
        `${url}: ${await raw(egress, `GET ${url} HTTP/1.1\r\nHost: ${at(allowed)}\r\nConnection: close\r\n\r\n`)}`,
      ).toMatch(REFUSED);
    }
    expect([forbidden.seen.length, allowed.seen.length]).toEqual([0, 0]);
  });

  it("N13: refuses a listed name that leads inside", async () => {
    const named = await openEgress({ domains: ["localhost", "*.localhost.test"], directory: ground.base });
    closing.push(() => {
      named.close();
    });
    const blocked: string[] = [];
    named.report((host, reason) => blocked.push(`${host}: ${reason}`));
    expect(await raw(named, `CONNECT localhost:${String(forbidden.port)} HTTP/1.1\r\nHost: x\r\n\r\n`)).toBe(
      "HTTP/1.1 403 Forbidden",
    );
    expect([blocked, forbidden.seen.length]).toEqual([["localhost: its address is not a public one"], 0]);
  });

  it("N14: does not let a second request through behind an allowed one", async () => {
    const one = `POST http://${at(allowed)}/ HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`;
    await raw(egress, `${one}GET http://${at(forbidden)}/ HTTP/1.1\r\nHost: b\r\n\r\n`);
    expect(forbidden.seen.length).toBe(0);
  });

  it("limits a request's head, and shows no control character of a name", async () => {
    const blocked: string[] = [];
    egress.report((host) => blocked.push(host));
    expect(await raw(egress, `GET http://${at(allowed)}/ HTTP/1.1\r\nX: ${"x".repeat(40_000)}\r\n\r\n`)).toMatch(
      / 431 /,
    );
    await raw(egress, `CONNECT \x9b2Jevil.test:1 HTTP/1.1\r\nHost: a\r\n\r\n`);
    expect(blocked.join("")).toMatch(/^[\x21-\x7e]*$/);
  });
});
