/**
 * A stand-in for belay in a process of its own, so that a test can kill it: starts one command and tells its life on
 * standard output. Arguments: mode (bwrap, none, raw), when to stop (held, released), the ground's directory, the command.
 */
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { homedir } from "node:os";
import { join } from "node:path";
import { bwrapShell, type Ground, plainShell, startIn } from "./shell-fixture.ts";

const [mode = "", stop = "", base = "", command = ""] = process.argv.slice(2);
const ground: Ground = {
  base,
  root: join(base, "root"),
  scratch: { home: join(base, "home"), tmp: join(base, "tmp") },
  remove: () => undefined,
};

if (mode === "raw") {
  // The positive control: what a plain spawn hands on.
  spawnSync("bash", ["-c", command], { cwd: ground.root, stdio: ["ignore", "inherit", "inherit"] });
} else {
  const shell = mode === "bwrap" ? await bwrapShell(ground, { home: homedir() }) : plainShell(ground);
  const running = await startIn(shell, ground.root, command, {
    onHeld: async (identity) => {
      console.log(JSON.stringify({ held: identity }));
      if (stop === "held") await once(process, "never");
    },
  });
  console.log(JSON.stringify({ ended: await running.ended }));
}
