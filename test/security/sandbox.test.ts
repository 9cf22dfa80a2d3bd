/**
 * Attempts to get out of the sandbox. Each is made twice, word for word: unconfined, where it must succeed (else it
 * proves nothing), and in the sandbox, where it must not. `outside` is readable in the sandbox on purpose: a write that
 * fails because nothing is there would prove little.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readQuietly, statOf } from "../../src/workspace/process/table.ts";
import { needsBubblewrap } from "../support/needs.ts";
import {
  bwrapShell,
  eventually,
  type Ground,
  makeGround,
  plainShell,
  runIn,
  startIn,
} from "../support/shell-fixture.ts";

const IS_ROOT = process.getuid?.() === 0;
const CANARY = `canary-${randomBytes(6).toString("hex")}`;

interface World extends Ground {
  readonly outside: string;
  readonly user_home: string;
  readonly belay_home: string;
}

let world: World;
const servers: Server[] = [];
const victims: ChildProcess[] = [];
const leftovers: string[] = [];

beforeEach(() => {
  const ground = makeGround();
  const at = (name: string): string => join(ground.base, name);
  world = { ...ground, outside: at("outside"), user_home: at("user"), belay_home: at("belay") };
  for (const directory of [
    world.outside,
    world.belay_home,
    join(world.user_home, ".ssh"),
    join(world.user_home, ".aws"),
  ]) {
    mkdirSync(directory, { recursive: true });
  }
  writeFileSync(join(world.outside, "file"), "untouched");
  writeFileSync(join(world.outside, "masked"), CANARY);
  writeFileSync(join(world.user_home, ".ssh", "id_ed25519"), CANARY);
  writeFileSync(join(world.user_home, ".aws", "credentials"), CANARY);
  writeFileSync(join(world.belay_home, "journal.db"), CANARY);
});

afterEach(async () => {
  for (const victim of victims.splice(0)) victim.kill("SIGKILL");
  for (const server of servers.splice(0))
    await new Promise<void>((resolve) => {
      server.close(() => {
        resolve();
      });
    });
  for (const path of leftovers.splice(0)) rmSync(path, { recursive: true, force: true });
  world.remove();
});

type Confinement = "in the sandbox" | "unconfined";

async function attempt(
  confinement: Confinement,
  command: string,
  protectedPaths: readonly string[] = [],
): Promise<string> {
  const shell =
    confinement === "unconfined"
      ? plainShell(world)
      : await bwrapShell(world, {
          readable: [world.outside],
          hidden: [world.belay_home],
          home: world.user_home,
          maskedPaths: [join(world.outside, "masked")],
          protectedPaths,
        });
  return (await runIn(shell, world.root, command)).output;
}

/** Makes the attempt both ways. @param escaped whether it got out, looked at from outside where that is possible */
async function expectConfined(
  command: () => string,
  escaped: (output: string) => boolean | Promise<boolean>,
  reset: () => void = () => undefined,
): Promise<void> {
  expect({ unconfined: await escaped(await attempt("unconfined", command())) }).toEqual({ unconfined: true });
  reset();
  expect({ sandboxed: await escaped(await attempt("in the sandbox", command())) }).toEqual({ sandboxed: false });
}

const outside = (name: string): string => join(world.outside, name);
const leaks = (output: string): boolean => output.includes(CANARY);

/** A process of the user's own, with a secret in its environment. */
async function victim(): Promise<number> {
  const child = spawn("sleep", ["300"], { stdio: "ignore", env: { SECRET: CANARY } });
  victims.push(child);
  await once(child, "spawn");
  return child.pid ?? 0;
}

/** A service of the user's own that counts who comes. */
async function service(
  listen: (server: Server) => void,
): Promise<{ readonly visitors: () => number; readonly port: number }> {
  let visitors = 0;
  const server = createServer((socket) => {
    visitors++;
    socket.on("error", () => undefined);
    socket.end(CANARY);
  });
  servers.push(server);
  await new Promise<void>((resolve) => {
    server.once("listening", resolve);
    listen(server);
  });
  const address = server.address();
  return { visitors: () => visitors, port: typeof address === "object" && address !== null ? address.port : 0 };
}

const connect = (target: string): string =>
  `node -e 'require("net").connect(${target}).on("data",d=>console.log(String(d))).on("error",e=>console.log(e.code)).on("close",()=>process.exit())'`;

needsBubblewrap("writing outside", () => {
  it("E01: a file outside the workspace is not written", () =>
    expectConfined(
      () => `echo gone > ${outside("file")}; echo new > ${outside("new")}`,
      () => readFileSync(outside("file"), "utf8") !== "untouched" || existsSync(outside("new")),
      () => {
        writeFileSync(outside("file"), "untouched");
        rmSync(outside("new"));
      },
    ));

  it("E02: nor by `..`", () =>
    expectConfined(
      () => "echo gone > ../outside/file",
      () => readFileSync(outside("file"), "utf8") !== "untouched",
      () => {
        writeFileSync(outside("file"), "untouched");
      },
    ));

  it("E05: nor through a symbolic link", () =>
    expectConfined(
      () => "ln -sfn ../outside way && echo gone > way/file",
      () => readFileSync(outside("file"), "utf8") !== "untouched",
      () => {
        writeFileSync(outside("file"), "untouched");
      },
    ));

  it("E07: nor through a hard link into the workspace", () =>
    expectConfined(
      () => "rm -f hard; ln ../outside/file hard && echo gone > hard",
      () => readFileSync(outside("file"), "utf8") !== "untouched",
      () => {
        writeFileSync(outside("file"), "untouched");
      },
    ));

  it("E32: nor at a name in the shared temporary directory that the user's programs trust", async () => {
    const shared = mkdtempSync(join(tmpdir(), "belay-shared-"));
    leftovers.push(shared);
    const planted = `${shared}.plan`;
    leftovers.push(planted);
    await expectConfined(
      () => `echo evil > ${planted}; ls ${shared}`,
      () => existsSync(planted),
      () => {
        rmSync(planted);
      },
    );
  });
});

needsBubblewrap("the user's repository in place", () => {
  const hook = (): string => join(world.root, ".git", "hooks", "post-checkout");
  const repository = (): void => {
    rmSync(join(world.root, ".git"), { recursive: true, force: true });
    mkdirSync(join(world.root, ".git", "hooks"), { recursive: true });
    writeFileSync(join(world.root, ".git", "config"), "[core]\n");
  };
  const both = async (command: string, protectedPaths: readonly string[], escaped: () => boolean): Promise<void> => {
    repository();
    await attempt("unconfined", command);
    expect({ unconfined: escaped() }).toEqual({ unconfined: true });
    repository();
    await attempt(
      "in the sandbox",
      command,
      protectedPaths.map((path) => join(world.root, path)),
    );
    expect({ sandboxed: escaped() }).toEqual({ sandboxed: false });
  };

  it("E09: gets no hook", () =>
    both("echo evil > .git/hooks/post-checkout; echo '[x]' >> .git/config", [".git"], () => existsSync(hook())));

  it("E11: nor when the directory above a protected one is renamed and made anew", () =>
    both("mv .git away; mkdir -p .git/hooks; echo evil > .git/hooks/post-checkout", [".git/hooks"], () =>
      existsSync(hook()),
    ));

  it("E11: nor is it replaced by a link", () =>
    both(
      "mkdir -p fake/hooks; echo evil > fake/hooks/post-checkout; rm -rf .git; ln -s fake .git",
      [".git/hooks"],
      () => existsSync(hook()),
    ));

  it("E10: what is protected and missing is not made, and nothing of the protection is left", async () => {
    const command = "mkdir -p .git/hooks; echo evil > .git/hooks/post-checkout; true";
    await attempt("unconfined", command);
    expect(existsSync(hook())).toBe(true);
    rmSync(join(world.root, ".git"), { recursive: true });
    await attempt("in the sandbox", command, [join(world.root, ".git", "hooks")]);
    await eventually(() => !existsSync(join(world.root, ".git")));
    mkdirSync(join(world.root, ".git"));
    await attempt("in the sandbox", `${command}; echo note > .git/note`, [join(world.root, ".git", "hooks")]);
    await eventually(() => !existsSync(join(world.root, ".git", "hooks")));
    expect(readdirSync(join(world.root, ".git"))).toEqual(["note"]);
  });

  it("E10: what is missing stays protected in one command while another ends", async () => {
    const shell = await bwrapShell(world, { protectedPaths: [join(world.root, ".git")] });
    const first = await startIn(shell, world.root, "while [ ! -e go ]; do sleep 0.02; done; echo evil > .git/config");
    await runIn(shell, world.root, "true");
    const second = await startIn(
      shell,
      world.root,
      "while [ ! -e go2 ]; do sleep 0.02; done; mkdir .git; echo evil > .git/config",
    );
    writeFileSync(join(world.root, "go"), "");
    await first.ended;
    writeFileSync(join(world.root, "go2"), "");
    await second.ended;
    await eventually(() => !existsSync(join(world.root, ".git")));
  });

  it("is refused where what is to be protected is a link", async () => {
    repository();
    renameSync(join(world.root, ".git"), join(world.root, "real"));
    await runIn(plainShell(world), world.root, "ln -s real .git");
    await expect(attempt("in the sandbox", "true", [join(world.root, ".git")])).rejects.toMatchObject({
      kind: "sandbox_failed",
    });
  });
});

needsBubblewrap("reading secrets", () => {
  it("E03: a key in ~/.ssh is not there, nor is ~/.aws, by name or by search", () =>
    expectConfined(
      () => `cat ${world.user_home}/.ssh/* ${world.user_home}/.aws/*; grep -rs ${CANARY} ${world.user_home}`,
      leaks,
    ));

  it("E04: the environment of the user's processes is not readable", async () => {
    const pid = await victim();
    await expectConfined(
      () => `cat /proc/${String(pid)}/environ /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n' | grep -a SECRET`,
      leaks,
    );
  });

  it("belay's own home, with the journal, is hidden", () =>
    expectConfined(() => `cat ${world.belay_home}/journal.db; ls -la ${world.belay_home}`, leaks));

  it("a file that is masked cannot be read although the directory around it can", () =>
    expectConfined(() => `cat ../outside/masked ../outside/file`, leaks));

  // reason: without root /etc/shadow cannot be read outside either, so the control would prove nothing
  it.runIf(IS_ROOT)("the machine's password hashes and those who may become root are masked", () =>
    expectConfined(
      () => "grep -c root /etc/shadow",
      (output) => output.trim() === "1",
    ),
  );

  it("E22: a descriptor that belay was born with is closed", async () => {
    // The runtime marks low descriptors as not to be inherited, and leaves high ones as they are.
    const born_with = 'exec 251<"$1"; shift; exec "$@"';
    const child_script = join(import.meta.dirname, "../support/shell-child.ts");
    const command = "for f in self 1 2; do timeout 2 cat /proc/$f/fd/251 <&251; done";
    const through = async (mode: string): Promise<string> => {
      const words = [process.execPath, child_script, mode, "released", world.base, command];
      const child = spawn("bash", ["-c", born_with, "bash", outside("masked"), ...words], {
        stdio: ["ignore", "pipe", "ignore"],
      });
      let output = "";
      child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString("utf8")));
      await once(child, "close");
      return output;
    };
    expect(await through("raw")).toContain(CANARY);
    for (const mode of ["none", "bwrap"]) expect(await through(mode)).not.toContain(CANARY);
  });
});

needsBubblewrap("reaching services", () => {
  it("E14: a port on loopback is not reached", async () => {
    const { visitors, port } = await service((server) => server.listen(0, "127.0.0.1"));
    let before = 0;
    await expectConfined(
      () => connect(`${String(port)},"127.0.0.1"`),
      () => visitors() > before,
      () => (before = visitors()),
    );
  });

  it("E15: nor by bash's /dev/tcp", async () => {
    const { visitors, port } = await service((server) => server.listen(0, "127.0.0.1"));
    let before = 0;
    await expectConfined(
      () => `timeout 5 bash -c 'cat < /dev/tcp/127.0.0.1/${String(port)}'`,
      () => visitors() > before,
      () => (before = visitors()),
    );
  });

  it("E21: an abstract socket is not reached", async () => {
    const name = `belay-${randomBytes(6).toString("hex")}`;
    await service((server) => server.listen(`\0${name}`));
    await expectConfined(() => connect(`"\\0${name}"`), leaks);
  });

  it("E21: a socket in a directory that can be read is covered", async () => {
    await service((server) => server.listen(outside("service.sock")));
    await expectConfined(() => connect(JSON.stringify(outside("service.sock"))), leaks);
  });

  // reason: only root can put a socket into /run
  it.runIf(IS_ROOT)("E21: a socket in /run, as a container daemon has, is not there", async () => {
    const path = `/run/belay-${randomBytes(6).toString("hex")}.sock`;
    leftovers.push(path);
    await service((server) => server.listen(path));
    await expectConfined(() => connect(JSON.stringify(path)), leaks);
  });
});

needsBubblewrap("reaching processes", () => {
  it("E30: the user's processes cannot be signalled", async () => {
    const pids = [await victim(), await victim()];
    let pid = 0;
    const dies = async (): Promise<boolean> => {
      const child = victims.find((each) => each.pid === pid);
      await nextTurn();
      return child?.signalCode !== null || statOf(pid)?.state === "Z";
    };
    await expectConfined(() => `kill -9 ${String((pid = pids.shift() ?? 0))}`, dies);
  });

  it("E24: nor traced, nor their memory read", async () => {
    const pid = await victim();
    await expectConfined(
      () => `head -c 100 /proc/${String(pid)}/maps`,
      (output) => output.includes("sleep"),
    );
  });

  it("E30: a child in a session of its own does not outlive its command", async () => {
    const mark = (): number =>
      readdirSync("/proc").filter((name) => (readQuietly(`/proc/${name}/cmdline`) ?? "").startsWith(`${CANARY}\0`))
        .length;
    const command = `setsid bash -c 'touch begun; exec -a ${CANARY} sleep 300' & while [ ! -e begun ]; do sleep 0.01; done; sleep 0.1`;
    await attempt("unconfined", command);
    expect(mark()).toBe(1);
    for (const name of readdirSync("/proc")) {
      if ((readQuietly(`/proc/${name}/cmdline`) ?? "").startsWith(`${CANARY}\0`)) process.kill(Number(name), "SIGKILL");
    }
    rmSync(join(world.root, "begun"));
    await eventually(() => mark() === 0);
    await attempt("in the sandbox", command);
    expect(mark()).toBe(0);
  });
});

needsBubblewrap("what must still work", () => {
  it("a workspace below a hidden home is there and writable, its neighbours are not, and what is readable is not writable", async () => {
    const project = join(world.belay_home, "sessions", "one", "work");
    const objects = join(world.user_home, "project", "objects");
    for (const directory of [project, objects, join(world.user_home, "other")])
      mkdirSync(directory, { recursive: true });
    writeFileSync(join(objects, "blob"), "object");
    const shell = await bwrapShell(world, {
      root: project,
      readable: [objects],
      hidden: [world.belay_home],
      home: world.user_home,
    });
    const command = `cat ${objects}/blob; echo new > ${objects}/new; echo made > file; ls -A ${world.user_home} ${world.belay_home} ${world.user_home}/project`;
    const { output } = await runIn(shell, project, command);
    expect(readFileSync(join(project, "file"), "utf8")).toBe("made\n");
    expect(existsSync(join(objects, "new"))).toBe(false);
    expect(output).toMatch(/^object/);
    expect(output).not.toMatch(/other|journal|\.ssh/);
  });

  it("programs of a tool chain in the home run, and a directory of the workspace on PATH stays writable", async () => {
    const [cargo, bin] = [join(world.user_home, ".cargo", "bin"), join(world.root, "node_modules", ".bin")];
    for (const directory of [cargo, bin]) mkdirSync(directory, { recursive: true });
    writeFileSync(join(cargo, "tool"), "#!/bin/sh\necho it runs\n", { mode: 0o755 });
    writeFileSync(join(world.user_home, ".cargo", "credentials.toml"), CANARY);
    const shell = await bwrapShell(world, { home: world.user_home, path: `${bin}:${cargo}:/usr/bin:/bin` });
    const { output } = await runIn(
      shell,
      world.root,
      `tool; echo x > node_modules/.bin/x && echo installed; echo x > ${cargo}/evil; cat ${world.user_home}/.cargo/*`,
    );
    expect(output).toContain("it runs\ninstalled\n");
    expect(existsSync(join(cargo, "evil"))).toBe(false);
    expect(leaks(output)).toBe(false);
  });

  it("with network, and only then, a service is reached; sockets at a path stay covered", async () => {
    const { port } = await service((server) => server.listen(0, "127.0.0.1"));
    await service((server) => server.listen(join(world.base, "outside", "service.sock")));
    const shell = await bwrapShell(world, { readable: [world.outside] });
    const reach = async (target: string): Promise<boolean> =>
      leaks((await runIn(shell, world.root, connect(target), { network: "all" })).output);
    expect(await reach(`${String(port)},"127.0.0.1"`)).toBe(true);
    expect(await reach(JSON.stringify(outside("service.sock")))).toBe(false);
  });

  it("a home that is the root directory is not hidden, and nothing is writable for it", async () => {
    const shell = await bwrapShell(world, { home: "/" });
    expect(
      (
        await runIn(
          shell,
          world.root,
          "ls /usr/bin >/dev/null && echo there; touch /usr/belay-never || echo refused; touch ok && echo fine",
        )
      ).output,
    ).toMatch(/^there\n.*refused\nfine\n$/s);
  });

  it("many commands run at the same time, each in its own namespace", async () => {
    const shell = await bwrapShell(world);
    const ends = await Promise.all(
      Array.from({ length: 12 }, (_, i) => runIn(shell, world.root, `echo ${String(i)}; ls -d /proc/[0-9]* | wc -l`)),
    );
    expect(ends.map(({ output }) => Number(output.split("\n")[0]))).toEqual(Array.from({ length: 12 }, (_, i) => i));
    for (const { output } of ends) expect(Number(output.split("\n")[1])).toBeLessThan(10);
  });
});

needsBubblewrap("gaining power", () => {
  it("E25: no capability is held, and none can be gained by a setuid program", async () => {
    const status = "grep -E '^(CapEff|CapPrm|CapBnd|NoNewPrivs)' /proc/self/status | tr -d '\\t'";
    const none = "CapPrm:0000000000000000\nCapEff:0000000000000000\nCapBnd:0000000000000000\nNoNewPrivs:1\n";
    await expectConfined(
      () => status,
      (output) => output !== none,
    );
  });

  // reason: whether an ordinary user may make namespaces differs between machines; root always may
  it.runIf(IS_ROOT)("E23, E26: no mount and no namespace can be made", () =>
    expectConfined(
      () =>
        "unshare -m mount -t tmpfs none /mnt && echo MOUNTED; unshare -Urm mount -t tmpfs none /mnt && echo MOUNTED",
      (output) => output.includes("MOUNTED"),
    ),
  );

  // reason: entering another's namespaces takes root, also unconfined
  it.runIf(IS_ROOT)("E23: the user's namespaces cannot be entered", async () => {
    const pid = await victim();
    await expectConfined(
      () => `nsenter -t ${String(pid)} -m echo ENTERED; nsenter -t 1 -m echo ENTERED`,
      (output) => output.includes("ENTERED"),
    );
  });

  // reason: the kernel's settings can be written only by root, also unconfined
  it.runIf(IS_ROOT)(
    "E23: the kernel's settings cannot be written, which root outside could do without any capability",
    () => {
      // Opened for writing, nothing written: that is enough to know, and harmless.
      const script = `for f in /proc/sys/kernel/panic /proc/sys/kernel/core_pattern /proc/sys/vm/swappiness; do { : >> $f; } 2>/dev/null && echo OPENED $f; done`;
      return expectConfined(
        () => script,
        (output) => output.includes("OPENED"),
      );
    },
  );

  it("E23: of the kernel's files none outside a process's own can be opened for writing", async () => {
    const open_for_writing = `find /proc /sys -path '/proc/[0-9]*' -prune -o -type f -print 2>/dev/null | while IFS= read -r f; do { : >> "$f"; } 2>/dev/null && echo "$f"; done; true`;
    expect(await attempt("in the sandbox", open_for_writing)).toBe("");
  });

  it("no device but the harmless ones is there, and no disk", async () => {
    const names = "core fd full null ptmx pts random shm stderr stdin stdout tty urandom zero";
    expect((await attempt("in the sandbox", "ls /dev")).trim().split("\n")).toEqual(names.split(" "));
  });
});

describe("the attempts themselves", () => {
  it("start from canaries that are there", () => {
    expect(readFileSync(join(world.user_home, ".ssh", "id_ed25519"), "utf8")).toBe(CANARY);
  });
});
