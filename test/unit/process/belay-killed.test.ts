/** What breaks when belay is killed before, and after, it released a command? */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ProcessIdentity } from "../../../src/kernel/process-identity.ts";
import { endProcess, isAlive } from "../../../src/workspace/process/identity.ts";
import { familyMembers, namespaceMembers } from "../../../src/workspace/process/table.ts";
import { needsBubblewrap } from "../../support/needs.ts";
import { eventually, type Ground, makeGround } from "../../support/shell-fixture.ts";

const CHILD = join(import.meta.dirname, "../../support/shell-child.ts");
/** G10: everything that ran in a namespace is gone within this time. */
const GONE_WITHIN_MS = 2_000;

let ground: Ground;
beforeEach(() => {
  ground = makeGround();
});
afterEach(() => {
  ground.remove();
});

const root = (name: string): string => join(ground.root, name);

/** Runs a belay that is killed when `when` comes true, and returns what its command was. */
async function killed(
  mode: "bwrap" | "none",
  stop: "held" | "released",
  command: string,
  when: () => boolean,
): Promise<ProcessIdentity> {
  const belay = spawn(process.execPath, [CHILD, mode, stop, ground.base, command], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const lines = createInterface({ input: belay.stdout });
  const identity = await new Promise<ProcessIdentity>((resolve) => {
    lines.once("line", (line) => {
      resolve((JSON.parse(line) as { readonly held: ProcessIdentity }).held); // printed by the child, first
    });
  });
  await eventually(when);
  const gone = once(belay, "exit");
  belay.kill("SIGKILL");
  await gone;
  return identity;
}

async function msUntil(done: () => boolean): Promise<number> {
  const began = performance.now();
  await eventually(done);
  return performance.now() - began;
}

function commandsOf(mode: "bwrap" | "none"): void {
  it("a command that was held never runs when belay is killed", async () => {
    const identity = await killed(mode, "held", "touch ran", () => true);
    await eventually(() => !isAlive(identity));
    expect(existsSync(root("ran"))).toBe(false);
  });

  it("a command that was released stops within two seconds of belay's death", async () => {
    const identity = await killed(mode, "released", "while :; do date +%s%N >> ticks; sleep 0.02; done", () =>
      existsSync(root("ticks")),
    );
    const nothing = (): boolean => !isAlive(identity) && familyMembers(identity.pid).length === 0;
    expect(await msUntil(nothing)).toBeLessThan(GONE_WITHIN_MS);
    const written = readFileSync(root("ticks"), "utf8");
    await endProcess(identity);
    expect(readFileSync(root("ticks"), "utf8")).toBe(written);
  });
}

describe("with no sandbox", () => {
  commandsOf("none");
});

needsBubblewrap("in the sandbox", () => {
  commandsOf("bwrap");

  it("nothing of the namespace is alive two seconds after belay's death, a child with its own session included", async () => {
    const command =
      "(trap '' TERM HUP; while :; do sleep 0.05; done) & setsid bash -c 'touch orphan; exec sleep 300' & sleep 300";
    const identity = await killed("bwrap", "released", command, () => existsSync(root("orphan")));
    expect(identity.namespace).not.toBe(null);
    expect(await msUntil(() => namespaceMembers(identity.namespace ?? "").length === 0)).toBeLessThan(GONE_WITHIN_MS);
    expect(await endProcess(identity)).toBe("dead");
  });
});
