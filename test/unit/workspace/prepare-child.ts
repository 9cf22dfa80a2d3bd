/** Prepares a workspace and kills itself before its n-th call of git: `prepare-child.ts SOURCE DIRECTORY N`. */
import { createGit } from "../../../src/workspace/git/git.ts";
import type { Git } from "../../../src/workspace/git/git.ts";
import { prepareWorkspace } from "../../../src/workspace/prepare/prepare.ts";
import { DEFAULT_WORKSPACE_LIMITS } from "../../../src/workspace/workspace-limits.ts";

const [source = "", directory = "", fatal = "0"] = process.argv.slice(2);
const real = createGit({ path: process.env["PATH"] ?? "", locale: "C.UTF-8" });
let calls = 0;
const git: Git = (call) => {
  if (++calls === Number(fatal)) process.kill(process.pid, "SIGKILL");
  return real(call);
};
const clock = { now: () => 0, monotonic: () => 0, sleep: async () => undefined };
const signal = new AbortController().signal;
const request = { mode: "clone", source, directory, base: null, branch: "belay/ses_test", signal } as const;
await prepareWorkspace({ git, clock, limits: DEFAULT_WORKSPACE_LIMITS, home: null }, request);
