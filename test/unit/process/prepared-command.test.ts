/** What if the process of a command is made before its call is journaled: can anything of it run, or stay? */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { ProcessIdentity } from "../../../src/kernel/process-identity.ts";
import type { Shell } from "../../../src/workspace/shell.ts";
import { needsBubblewrap } from "../../support/needs.ts";
import { bwrapShell, eventually, type Ground, makeGround, startIn } from "../../support/shell-fixture.ts";

/** Pids of our children that run bubblewrap. */
function sandboxes(): readonly number[] {
  const children = readdirSync("/proc/self/task").flatMap((task) =>
    readFileSync(`/proc/self/task/${task}/children`, "utf8").split(" ").filter(Boolean).map(Number),
  );
  return children.filter((pid) => nameOf(pid) === "bwrap");
}

function nameOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, "utf8").trim();
  } catch {
    return ""; // it ended between two looks
  }
}

needsBubblewrap("a command that was prepared", () => {
  let ground: Ground;
  let shell: Shell;

  beforeEach(async () => {
    ground = makeGround();
    shell = await bwrapShell(ground);
  });
  afterEach(() => {
    ground.remove();
  });

  const touch = "touch made";
  const prepare = (command: string) =>
    shell.prepare?.({ command, cwd: ground.root, interactive: false, network: "none" });
  const made = (): boolean => existsSync(join(ground.root, "made"));

  it("has its process before it is started, and runs nothing until that process is journaled", async () => {
    const prepared = prepare(touch);
    await eventually(() => sandboxes().length === 1);
    const [early] = sandboxes();
    const held: { readonly process: ProcessIdentity; readonly made: boolean; readonly sandboxes: readonly number[] }[] =
      [];
    const running = await startIn(shell, ground.root, touch, {
      onHeld: async (process) => {
        held.push({ process, made: made(), sandboxes: sandboxes() });
      },
    });
    const end = await running.ended;
    await prepared?.drop();
    expect(held).toMatchObject([{ process: { pid: running.process.pid }, made: false, sandboxes: [early] }]);
    expect({ code: end.code, made: made(), left: sandboxes() }).toEqual({ code: 0, made: true, left: [] });
  });

  it("and is not started ran nothing, and is gone when it was dropped", async () => {
    const prepared = prepare(touch);
    await eventually(() => sandboxes().length === 1);
    await prepared?.drop();
    expect({ made: made(), left: sandboxes() }).toEqual({ made: false, left: [] });
  });

  it("is not taken for another command: that one gets a sandbox of its own", async () => {
    const prepared = prepare(touch);
    const end = await (await startIn(shell, ground.root, "echo other")).ended;
    expect({ output: end.output, made: made() }).toEqual({ output: "other\n", made: false });
    await prepared?.drop();
    expect({ made: made(), left: sandboxes() }).toEqual({ made: false, left: [] });
  });

  it("is not prepared where the sandbox has to make directories in the workspace: a snapshot would hold them", async () => {
    shell = await bwrapShell(ground, { protectedPaths: [join(ground.root, ".git")] });
    const prepared = prepare(touch);
    expect(sandboxes()).toEqual([]);
    await prepared?.drop();
  });
});
