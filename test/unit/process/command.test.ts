import { gitEnvironment } from "../../../src/kernel/git-neutral.ts";
import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { HarnessError } from "../../../src/kernel/harness-error.ts";
import type { ProcessIdentity } from "../../../src/kernel/process-identity.ts";
import { endProcess, isAlive } from "../../../src/workspace/process/identity.ts";
import { namespaceMembers } from "../../../src/workspace/process/table.ts";
import type { RunningCommand, Shell } from "../../../src/workspace/shell.ts";
import { needsBubblewrap, needsProgram } from "../../support/needs.ts";
import {
  bwrapShell,
  eventually,
  type Ground,
  makeGround,
  plainShell,
  runIn,
  startIn,
} from "../../support/shell-fixture.ts";

let ground: Ground;
let shell: Shell;

/** What holds for every shell. */
function everyShell(make: (ground: Ground) => Promise<Shell> | Shell): void {
  beforeEach(async () => {
    ground = makeGround();
    shell = await make(ground);
  });
  afterEach(() => {
    ground.remove();
  });
  const run = (command: string, changes = {}) => runIn(shell, ground.root, command, changes);
  const start = (command: string, changes = {}) => startIn(shell, ground.root, command, changes);

  it("says how a command ended: code, output in order, bytes", async () => {
    expect(await run("echo one; echo two >&2; echo three > /dev/stderr; echo four > /dev/stdout; exit 3")).toEqual({
      code: 3,
      signal: null,
      killed: null,
      over_limit: null,
      output: "one\ntwo\nthree\nfour\n",
      bytes: 19,
      truncated: false,
      left_behind: 0,
    });
  });

  it("gives a command empty input, its own HOME and temporary directory, and no descriptor beyond the three", async () => {
    const end = await run('cat; [ "$HOME" -ef home ] ; touch "$HOME/h" "$TMPDIR/t"; ls /proc/self/fd | tr "\\n" " "');
    expect(end.output).toBe("0 1 2 3 "); // 3 is the directory that ls reads
    expect([existsSync(join(ground.scratch.home, "h")), existsSync(join(ground.scratch.tmp, "t"))]).toEqual([
      true,
      true,
    ]);
  });

  it("leaves nothing of the pipe in the temporary directory", async () => {
    expect((await run('ls -A "$TMPDIR" | grep pipe')).output).toBe("");
  });

  it("does not start before it is released, and never when the release is refused", async () => {
    const held: ProcessIdentity[] = [];
    const refusal = new HarnessError("store_full", "The disk is full.", "Free space.");
    const refused = start("touch ran", {
      onHeld: async (identity: ProcessIdentity) => {
        held.push(identity);
        expect(isAlive(identity)).toBe(true);
        await Promise.reject(refusal);
      },
    });
    await expect(refused).rejects.toBe(refusal);
    expect(held.map(isAlive)).toEqual([false]);
    expect(existsSync(join(ground.root, "ran"))).toBe(false);
  });

  it("fails to start where there is no such directory, with a reason", async () => {
    const error: unknown = await startIn(shell, join(ground.root, "missing"), "true").catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(Error);
  });

  it("ends background children with their command and counts them", async () => {
    const end = await run("sleep 300 & sleep 300 & echo done");
    expect([end.code, end.output, end.left_behind]).toEqual([0, "done\n", 2]);
  });

  it("waits a moment for what is just finishing, so that its output is not lost", async () => {
    const end = await run("echo through > >(sleep 0.02; cat)");
    expect([end.output, end.left_behind]).toEqual(["through\n", 0]);
  });

  it("survives a command that signals its own group", async () => {
    const end = await run("trap 'echo caught' TERM; kill 0; echo after");
    expect([end.code, end.output]).toEqual([0, "caught\nafter\n"]);
  });

  it("lets a command finish that heeds TERM, and says who killed it and why", async () => {
    const running = await start("trap 'echo cleaning; exit 7' TERM; echo ready; while :; do sleep 0.01; done");
    await eventually(() => running.output() === "ready\n");
    await running.kill("canceled");
    const end = await running.ended;
    expect([end.code, end.signal, end.killed, end.output.split("\n").at(-2)]).toEqual([
      7,
      null,
      "canceled",
      "cleaning",
    ]);
  });

  it("keeps the first reason of two, and none when the command ended by itself", async () => {
    const running = await start("sleep 300");
    await Promise.all([running.kill("timed_out"), running.kill("canceled", 0)]);
    expect((await running.ended).killed).toBe("timed_out");
    const ended = await start("true");
    await ended.ended;
    await ended.kill("canceled");
    expect((await ended.ended).killed).toBe(null);
  });

  it("kills at once, after a grace, what ignores TERM and forks, keeping what it wrote", async () => {
    const running = await start(
      "trap '' TERM HUP INT; echo kept; (trap '' TERM; while :; do sleep 1; done) & while :; do sleep 0.01; done",
    );
    await eventually(() => running.output() === "kept\n");
    const began = performance.now();
    await running.kill("timed_out");
    // Two seconds are promised; the rest is room for a busy machine.
    expect(performance.now() - began).toBeLessThan(6_000);
    const end = await running.ended;
    // The shell may still say that a child of it was killed before it is killed itself.
    expect([end.code, end.signal, end.killed, end.output.split("\n")[0]]).toEqual([
      null,
      "SIGKILL",
      "timed_out",
      "kept",
    ]);
    expect(isAlive(running.process)).toBe(false);
  });

  it("drains a flood: it holds the first and the last of it and never blocks the command", async () => {
    const end = await run("echo first; head -c 200000000 /dev/zero | tr '\\0' x; echo; echo last", {
      output_bytes_max: 64 * 1024,
    });
    expect([end.code, end.bytes, end.truncated]).toEqual([0, 200_000_012, true]);
    expect(end.output.length).toBeLessThan(66 * 1024);
    expect(end.output.startsWith("first\nxxx")).toBe(true);
    expect(end.output.endsWith("xxx\nlast\n")).toBe(true);
  });

  it("tells what was written so far, and since when it is silent", async () => {
    const running = await start("echo so far; sleep 300");
    await eventually(() => running.bytes() === 7);
    await eventually(() => running.silentFor() > 50);
    expect(running.output()).toBe("so far\n");
    expect(await running.waitsForInput()).toBe(false);
    await running.kill("stopped");
  });

  describe("at a terminal", () => {
    beforeEach((context) => {
      needsProgram(context, "script", "apt-get install bsdutils");
    });

    const ask = async (command: string): Promise<RunningCommand> => {
      const running = await start(command, { interactive: true });
      await eventually(() => running.waitsForInput());
      return running;
    };

    it("sees that `read` waits for input, and goes on with what is typed", async () => {
      const running = await ask("tty -s && read -p 'Name? ' name; echo hello $name; exit 4");
      await eventually(() => running.output() === "Name? ");
      running.send("Ada\n");
      const end = await running.ended;
      expect([end.code, end.output]).toEqual([4, "Name? Ada\r\nhello Ada\r\n"]);
    });

    it.for<readonly [string, string]>([
      [
        "a script in node, which waits for events",
        `node -e 'require("readline").createInterface({input:process.stdin}).once("line",l=>{console.log("got "+l);process.exit()})'`,
      ],
      ["python's input()", `python3 -c 'print("got "+input("? "))'`],
      ["python's select", `python3 -c 'import select,sys; select.select([0],[],[]); print("got "+input())'`],
      [
        "python's poll",
        `python3 -c 'import select; p=select.poll(); p.register(0,select.POLLIN); p.poll(); print("got "+input())'`,
      ],
      ["a question at /dev/tty", `bash -c 'read -r l < /dev/tty; echo got $l' < /dev/null`],
    ])("sees that %s waits", async ([, command], context) => {
      if (command.startsWith("python3")) needsProgram(context, "python3", "apt-get install python3");
      const running = await ask(command);
      running.send("line\n");
      expect((await running.ended).output).toContain("got line\r\n");
    });

    it("is not fooled by a command that works or sleeps, nor by words that look like a question", async () => {
      const running = await start("echo 'Continue? [y/N] '; sleep 300", { interactive: true });
      await eventually(() => running.output().includes("[y/N]"));
      for (let look = 0; look < 20; look++) expect(await running.waitsForInput()).toBe(false);
      await running.kill("stopped");
      expect((await running.ended).killed).toBe("stopped");
    });

    it("does not take a program in the background for the one that is to be answered", async (context) => {
      needsProgram(context, "python3", "apt-get install python3");
      const watches = `python3 -c 'import select; open("ready", "w"); select.select([0], [], [])'`;
      const running = await start(`set -m; ${watches} & sleep 300`, { interactive: true });
      await eventually(() => existsSync(join(ground.root, "ready")));
      for (let look = 0; look < 20; look++) {
        await pause(10);
        expect(await running.waitsForInput()).toBe(false);
      }
      await running.kill("stopped", 0);
    });

    it("takes Ctrl+C as a terminal does", async () => {
      const running = await ask("trap 'echo interrupted; exit 130' INT; read line");
      running.send("\u0003");
      const end = await running.ended;
      expect([end.code, end.output.includes("interrupted")]).toEqual([130, true]);
    });

    it("ends as a whole when it is stopped", async () => {
      const running = await ask("trap '' TERM HUP; sleep 300 & read line");
      await running.kill("stopped");
      expect(isAlive(running.process)).toBe(false);
    });
  });
}

describe("a command in a plain shell", () => {
  everyShell((at) => plainShell(at));
});

needsBubblewrap("a command in the sandbox", () => {
  everyShell((at) => bwrapShell(at));

  it("has a PID namespace of its own, which is empty when it has ended, and endProcess proves an earlier one dead", async () => {
    const running = await startIn(shell, ground.root, "setsid sleep 300 & echo ready; sleep 300");
    await eventually(() => running.bytes() > 0);
    const { namespace } = running.process;
    expect(namespace).toMatch(/^pid:\[\d+\]$/);
    expect(namespaceMembers(namespace ?? "").length).toBeGreaterThan(3);
    expect(await endProcess(running.process)).toBe("dead");
    expect(namespaceMembers(namespace ?? "")).toEqual([]);
    expect((await running.ended).killed).toBe(null);
  });

  it("finds a background child that left the session, and ends it", async () => {
    const end = await runIn(shell, ground.root, "setsid sleep 300 & sleep 0.05; echo done");
    expect([end.output, end.left_behind]).toEqual(["done\n", 1]);
  });

  it("sees the private HOME under its own name and the user's as empty", async () => {
    const end = await runIn(
      shell,
      ground.root,
      `echo "$HOME"; ls ${homedir()}; echo hidden > ${homedir()}/x || echo refused`,
    );
    expect(end.output.split("\n")[0]).toBe(ground.scratch.home);
    expect(end.output).toContain("refused");
  });

  it("reports a sandbox that does not start, and runs nothing outside it", async () => {
    const broken = await bwrapShell(ground, {
      maskedPaths: [],
      protectedPaths: [join(ground.root, "..", "elsewhere")],
    });
    await expect(startIn(broken, ground.root, "touch ran")).rejects.toMatchObject({ kind: "sandbox_failed" });
    expect(existsSync(join(ground.root, "ran"))).toBe(false);
    const gone = await bwrapShell(ground, {
      sandbox: { mode: "bwrap", version: "0", program: "/bin/false", namespaces: [] },
    });
    await expect(startIn(gone, ground.root, "touch ran")).rejects.toMatchObject({ kind: "sandbox_failed" });
    expect(existsSync(join(ground.root, "ran"))).toBe(false);
  });

  it("keeps the output of a command that was killed at its time limit", async () => {
    const running = await startIn(shell, ground.root, "for i in 1 2 3; do echo line $i; done; sleep 300");
    await eventually(() => running.output().includes("line 3"));
    await running.kill("timed_out");
    expect((await running.ended).output).toBe("line 1\nline 2\nline 3\n");
  });
});

describe("a command's environment", () => {
  it("is an allow list: a key in belay's own reaches nothing", async () => {
    ground = makeGround();
    const { createPlainShell } = await import("../../../src/workspace/process/plain-shell.ts");
    const { realClock } = await import("../../support/shell-fixture.ts");
    const environment = {
      ANTHROPIC_API_KEY: "canary-key",
      SOME_TOKEN: "canary-token",
      LD_PRELOAD: "canary",
      BASH_ENV: "canary",
      LC_ALL: "C",
      TZ: "UTC",
    };
    const plain = createPlainShell({
      root: ground.root,
      scratch: ground.scratch,
      home: "/nonexistent",
      path: "/usr/bin:/bin:relative",
      environment,
      clock: realClock,
    });
    const names = (await runIn(plain, ground.root, "env | sort")).output.trim().split("\n");
    const git = Object.entries(gitEnvironment()).map(([name, value]) => `${name}=${value}`);
    expect(git).toContain("GIT_TERMINAL_PROMPT=0");
    expect(names.filter((line) => !/^(PWD|SHLVL|_|OLDPWD)=/.test(line) && !git.includes(line))).toEqual([
      `HOME=${ground.scratch.home}`,
      "LC_ALL=C",
      "PAGER=cat",
      "PATH=/usr/bin:/bin",
      "SHELL=/usr/bin/bash",
      "TERM=dumb",
      `TMPDIR=${ground.scratch.tmp}`,
      "TZ=UTC",
    ]);
    expect(readFileSync("/proc/self/environ", "utf8")).not.toContain("canary-key");
    ground.remove();
  });
});
