/**
 * A command, with everything that it starts, may use so much and no more: processes, memory, disk. Each attempt is made with the
 * ordinary limits first, where it must succeed: then it is the limit that ended it, and not the sandbox.
 */
import { readdirSync, rmSync } from "node:fs";
import { release } from "node:os";
import { afterEach, beforeEach, expect, it, type TestContext } from "vitest";
import type { Clock } from "../../src/kernel/clock.ts";
import { DEFAULT_CONFINEMENT } from "../../src/kernel/permissions.ts";
import type { CommandLimits } from "../../src/workspace/process/limits.ts";
import { readQuietly } from "../../src/workspace/process/table.ts";
import type { CommandEnd } from "../../src/workspace/shell.ts";
import { needsBubblewrap, needsProgram } from "../support/needs.ts";
import { bwrapShell, eventually, type Ground, makeGround, realClock, runIn } from "../support/shell-fixture.ts";

const MIB = 1024 * 1024;
let ground: Ground;

beforeEach(() => {
  ground = makeGround();
});

afterEach(() => {
  ground.remove();
});

async function within(limits: Partial<CommandLimits>, command: string): Promise<CommandEnd> {
  return runIn(await bwrapShell(ground, { limits: { ...DEFAULT_CONFINEMENT, ...limits } }), ground.root, command);
}

const ended = ({ killed, over_limit }: CommandEnd): readonly unknown[] => [killed, over_limit?.limit ?? null];

function processesCalled(name: string): number {
  return readdirSync("/proc").filter((pid) => (readQuietly(`/proc/${pid}/cmdline`) ?? "").startsWith(`${name}\0`))
    .length;
}

/** Every process forks, and then keeps a processor busy. What it may have in all is a pipe's bytes: it cannot fill a machine. */
function bomb({ forks, seconds }: { readonly forks: number; readonly seconds: number }): string {
  const program = `pipe(R, W); syswrite W, "x" x ${String(forks)}; close W; alarm ${String(seconds)}; $0 = "belay-limit-test";
    while (sysread R, $_, 1) { fork; alarm ${String(seconds)} } 1 while 1`;
  return `perl -e '${program}'; true`;
}

/** The kernel gives these out once, beside what it is told to. */
const RESERVED_PIDS = 300;

/** For users since Linux 5.14, for root since 6.14, and not in every container. */
function needsKernelLimit(context: TestContext): void {
  const [major = 0, minor = 0] = release().split(/[.-]/).map(Number);
  const since = process.geteuid?.() === 0 ? [6, 14] : [5, 14];
  if (major > (since[0] ?? 0) || (major === since[0] && minor >= (since[1] ?? 0))) return;
  const how = `the kernel cannot limit this user's processes before Linux ${since.join(".")}`;
  console.warn(`SKIPPED ${context.task.name}: ${how}`);
  context.skip(how);
}

needsBubblewrap("a command that uses too much", () => {
  it("L01: ends at its number of processes, and so do they all", async () => {
    const command =
      "for i in $(seq 60); do (exec -a belay-limit-test sleep 300) & done; sleep 3; kill $(jobs -p); wait; echo over";
    expect(ended(await within({}, command))).toEqual([null, null]);
    const end = await within({ processes: 30 }, command);
    expect([...ended(end), end.over_limit?.allowed]).toEqual(["over_limit", "processes", 30]);
    await eventually(() => processesCalled("belay-limit-test") === 0);
  });

  it("L02: ends when it multiplies, and so does everything that it has become", async () => {
    // It ends by itself at 255 processes, in case nothing else ends it: a test must not fill the machine.
    const bomb =
      'b() { if [ "$1" -gt 0 ]; then b $(($1 - 1)) & b $(($1 - 1)) & fi; exec -a belay-limit-test sleep 4; }; b 7';
    expect(ended(await within({}, bomb))).toEqual([null, null]);
    expect(ended(await within({ processes: 50 }, bomb))).toEqual(["over_limit", "processes"]);
    await eventually(() => processesCalled("belay-limit-test") === 0);
  });

  it("L03: ends with threads as with processes", async () => {
    const threads =
      "const {Worker}=require('worker_threads');for(let i=0;i<20;i++)new Worker('setTimeout(()=>{},3000)',{eval:true});setTimeout(()=>process.exit(),1500)";
    expect(ended(await within({}, `node -e "${threads}"`))).toEqual([null, null]);
    expect(ended(await within({ processes: 4 }, `node -e "${threads}"`))).toEqual(["over_limit", "processes"]);
  });

  it("L04: ends at its memory, spread over processes or not", async (context) => {
    needsProgram(context, "perl", "apt-get install perl");
    const eat = (mib: number): string => `perl -e '$x = "x" x (${String(mib)} * 1048576); sleep 2'`;
    const command = `${eat(60)} & ${eat(60)} & ${eat(60)} & wait`;
    expect(ended(await within({}, command))).toEqual([null, null]);
    expect(ended(await within({ memory_bytes: 120 * MIB }, command))).toEqual(["over_limit", "memory"]);
    expect(ended(await within({ memory_bytes: 120 * MIB }, eat(200)))).toEqual(["over_limit", "memory"]);
  });

  it("L07: ends also when it multiplies as fast as it can and keeps every processor busy", async (context) => {
    needsProgram(context, "perl", "apt-get install perl");
    expect(ended(await within({}, bomb({ forks: 100, seconds: 1 })))).toEqual([null, null]);
    expect(ended(await within({ processes: 100 }, bomb({ forks: 1_500, seconds: 60 })))).toEqual([
      "over_limit",
      "processes",
    ]);
    await eventually(() => processesCalled("belay-limit-test") === 0);
  });

  it("L08: is held to a number of processes by the kernel while belay does not look at all", async (context) => {
    needsProgram(context, "perl", "apt-get install perl");
    needsKernelLimit(context);
    const forks = `perl -e 'my $n = 0; for (1..700) { my $pid = fork; last unless defined $pid; if ($pid == 0) { sleep 20; exit } $n++ } print "$n\\n"'`;
    const blind: Clock = {
      ...realClock,
      sleep: (ms, signal) => realClock.sleep(signal === undefined ? ms : 60_000, signal),
    };
    const count = async (processes: number): Promise<number> => {
      const limits = { ...DEFAULT_CONFINEMENT, processes };
      const { output, over_limit } = await runIn(
        await bwrapShell(ground, { limits, clock: blind }),
        ground.root,
        forks,
      );
      expect(over_limit).toBeNull();
      return Number.parseInt(output, 10);
    };
    expect(await count(1_024)).toBe(700);
    expect(await count(20)).toBeLessThanOrEqual(RESERVED_PIDS + 20 * 4);
  });

  it("is served after belay, and can change neither that nor the number of its processes", async () => {
    const command = `nice; nice -n -19 nice; renice -n 0 $$ >/dev/null; nice
      cat /proc/sys/kernel/pid_max; echo 4000000 >/proc/sys/kernel/pid_max; cat /proc/sys/kernel/pid_max
      ulimit -u; ulimit -u unlimited; ulimit -u`;
    const shown = (await within({}, command)).output.split("\n").filter((line) => /^\d+$/.test(line));
    const [nice, niced, reniced, pid_max, pid_max_after, limit, limit_after] = shown;
    expect([nice, niced, reniced]).toEqual(["10", "10", "10"]);
    expect([pid_max_after, limit_after]).toEqual([pid_max, limit]);
  });

  it("does not count memory twice that processes share", async (context) => {
    needsProgram(context, "perl", "apt-get install perl");
    const shared = `perl -e '$x = "x" x 62914560; for (1..8) { fork or do { sleep 1; exit } } wait for 1..8'`;
    expect(ended(await within({ memory_bytes: 250 * MIB }, shared))).toEqual([null, null]);
  });

  it("L05: ends at what it writes, in one file and in many", async () => {
    const many = "for i in $(seq 400); do head -c 1048576 /dev/zero > f$i; sleep 0.005; done; echo over";
    const end = await within({ disk_bytes: 16 * MIB }, many);
    expect(ended(end)).toEqual(["over_limit", "disk"]);
    expect(readdirSync(ground.root).length).toBeLessThan(390);
    for (const name of readdirSync(ground.root)) rmSync(`${ground.root}/${name}`);
    const one = "head -c 67108864 /dev/zero > big; stat -c %s big";
    expect((await within({}, one)).output).toBe("67108864\n");
    expect(Number((await within({ disk_bytes: 16 * MIB }, one)).output.trim().split("\n").at(-1))).toBeLessThanOrEqual(
      16 * MIB,
    );
  });

  it("L06: cannot fill the machine's memory with files in it", async () => {
    const fill =
      "for d in /dev/shm /var/tmp /run; do head -c 33554432 /dev/zero > $d/fill 2>/dev/null; stat -c %s $d/fill; done";
    expect((await within({}, fill)).output).toBe("33554432\n33554432\n33554432\n");
    const sizes = (await within({ memory_bytes: 64 * MIB }, fill)).output.trim().split("\n").map(Number);
    expect(sizes.map((size) => size <= 16 * MIB)).toEqual([true, true, true]);
  });

  it("is taken first when the machine's memory ends, and leaves no image of its memory", async () => {
    expect((await within({}, "cat /proc/self/oom_score_adj; ulimit -c")).output).toBe("900\n0\n");
  });

  it("ends as it always did when it uses little", async () => {
    const end = await within(
      { processes: 20, memory_bytes: 100 * MIB, disk_bytes: MIB },
      "sleep 0.5; echo fine > f; cat f; exit 3",
    );
    expect([end.code, end.killed, end.over_limit, end.output]).toEqual([3, null, null, "fine\n"]);
  });
});
