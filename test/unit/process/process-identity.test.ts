import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, copyFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { endProcess, identityOf, isAlive } from "../../../src/workspace/process/identity.ts";
import { namespaceOf, statOf } from "../../../src/workspace/process/table.ts";
import { eventually } from "../../support/shell-fixture.ts";

const children: ChildProcess[] = [];

afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});

async function sleeper(
  program = "sleep",
  words: readonly string[] = ["300"],
): Promise<{ readonly child: ChildProcess; readonly pid: number }> {
  const child = spawn(program, words, { stdio: "ignore", detached: true });
  children.push(child);
  await once(child, "spawn");
  return { child, pid: child.pid ?? 0 };
}

describe("the identity of a process", () => {
  it("is its pid, its start time and the boot; it has no namespace where it shares ours", async () => {
    const { pid } = await sleeper();
    const identity = identityOf(pid);
    expect(identity).toEqual({
      pid,
      start_time: statOf(pid)?.start_time,
      boot_id: readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim(),
      namespace: null,
    });
    expect(identity.start_time).toMatch(/^\d+$/);
    expect(isAlive(identity)).toBe(true);
  });

  it("is read right when the program's name looks like the fields behind it", async () => {
    const directory = mkdtempSync(join(tmpdir(), "belay-name-"));
    try {
      const program = join(directory, "a) Z 1 (b");
      copyFileSync("/bin/sleep", program);
      chmodSync(program, 0o755);
      const { pid } = await sleeper(program);
      await eventually(() => readFileSync(`/proc/${String(pid)}/comm`, "utf8").startsWith("a) Z"));
      expect(statOf(pid)).toMatchObject({ pid, parent: process.pid, group: pid, session: pid, terminal: 0 });
      expect(isAlive(identityOf(pid))).toBe(true);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it("is not that of a later process with the same pid, nor of one before the last boot", async () => {
    const { pid } = await sleeper();
    const identity = identityOf(pid);
    expect(isAlive({ ...identity, start_time: "1" })).toBe(false);
    expect(isAlive({ ...identity, boot_id: "another" })).toBe(false);
  });

  it("of a zombie is not alive: it has ended", async () => {
    const child = spawn("bash", ["-c", "sleep 0 & echo $!; exec sleep 300"], { stdio: ["ignore", "pipe", "ignore"] });
    children.push(child);
    const pid = Number(String((await once(child.stdout, "data"))[0]));
    await eventually(() => statOf(pid)?.state === "Z");
    expect(isAlive(identityOf(pid))).toBe(false);
  });
});

describe("ending a process of an earlier belay", () => {
  it("kills its group, and says that this proves nothing", async () => {
    const { child, pid } = await sleeper("bash", ["-c", "sleep 300 & sleep 300"]);
    const gone = once(child, "exit");
    expect(await endProcess(identityOf(pid))).toBe("unprovable");
    await gone;
    expect(statOf(pid)).toBe(null);
  });

  it("leaves a process alone that only has its pid", async () => {
    const { pid } = await sleeper();
    const identity = identityOf(pid);
    await endProcess({ ...identity, start_time: "1" });
    expect(await endProcess({ ...identity, start_time: "1", namespace: "pid:[1]" })).toBe("dead");
    expect(isAlive(identity)).toBe(true);
  });

  it("takes a reused namespace number for what it is", async () => {
    const { pid } = await sleeper();
    const reused = { pid: 4_000_000, start_time: "1", boot_id: identityOf(pid).boot_id, namespace: "pid:[4026500000]" };
    expect(namespaceOf(pid)).not.toBe(reused.namespace);
    expect(await endProcess(reused)).toBe("dead");
  });

  it("of an earlier boot needs nothing: it is dead", async () => {
    const { pid } = await sleeper();
    const identity = identityOf(pid);
    expect(await endProcess({ ...identity, boot_id: "another" })).toBe("dead");
    expect(isAlive(identity)).toBe(true);
  });
});
