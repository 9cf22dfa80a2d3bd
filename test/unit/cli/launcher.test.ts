/** What breaks when belay is started through links, from elsewhere, unbuilt, or with a Node that is too old? */
import { execFile, spawn } from "node:child_process";
import { chmod, copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { compileGuard } from "../../../scripts/compile-guard.ts";

const ROOT = join(import.meta.dirname, "../../..");

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

let directory = "";
let belay = "";

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "belay-launcher-"));
  belay = join(directory, "package/bin/belay");
  await mkdir(join(directory, "package/bin"), { recursive: true });
  await copyFile(join(ROOT, "bin/belay"), belay);
  await chmod(belay, 0o755);
});
afterEach(() => rm(directory, { recursive: true, force: true }));

async function install(path: string, text: string, mode = 0o644): Promise<void> {
  await mkdir(join(directory, path, ".."), { recursive: true });
  await writeFile(join(directory, path), text, { mode });
}

function start(file: string, args: readonly string[] = [], env: NodeJS.ProcessEnv = process.env): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(file, args, { env, cwd: tmpdir() }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : typeof error.code === "number" ? error.code : null, stdout, stderr });
    });
  });
}

describe("bin/belay", () => {
  it("says to build when it was not built", async () => {
    const { code, stderr } = await start(belay);
    expect(code).toBe(2);
    expect(stderr).toContain("npm run build");
  });

  it("finds its package through links, relative and absolute", async () => {
    await install("package/dist/cli/belay.js", 'console.log("started", process.argv.slice(2).join(","))');
    await install("package/package.json", '{"type":"module"}');
    await mkdir(join(directory, "a/b"), { recursive: true });
    await symlink("../../package/bin/belay", join(directory, "a/b/one"));
    await symlink(join(directory, "a/b/one"), join(directory, "a/two"));
    expect(await start(join(directory, "a/two"), ["x", "y z"])).toEqual({
      code: 0,
      stdout: "started x,y z\n",
      stderr: "",
    });
  });

  it("prefers the Node that was pinned beside it", async () => {
    await install("package/dist/cli/belay.js", "");
    await install("package/node_modules/node/bin/node", '#!/bin/sh\necho "pinned $2" | sed "s#.*/dist#dist#"\n', 0o755);
    expect((await start(belay)).stdout).toBe("dist/cli/belay.js\n");
  });

  it("says what to install when there is no Node at all", async () => {
    await install("package/dist/cli/belay.js", "");
    await mkdir(join(directory, "tools"));
    for (const tool of ["dirname", "readlink"]) await symlink(`/usr/bin/${tool}`, join(directory, "tools", tool));
    const { code, stderr } = await start(belay, [], { PATH: join(directory, "tools") });
    expect(code).toBe(2);
    expect(stderr).toContain("Install Node");
  });

  it("becomes belay: the pid that is seen is the pid that is killed", async () => {
    await install("package/dist/cli/belay.js", "console.log(process.pid); setInterval(() => {}, 1000)");
    await install("package/package.json", '{"type":"module"}');
    const child = spawn(belay, { stdio: ["ignore", "pipe", "inherit"] });
    const pid = await new Promise<string>((resolve) => {
      child.stdout.setEncoding("utf8").once("data", resolve);
    });
    expect(Number(pid)).toBe(child.pid);
    const ended = new Promise((resolve) => {
      child.once("exit", (_code, signal) => {
        resolve(signal);
      });
    });
    child.kill("SIGKILL");
    expect(await ended).toBe("SIGKILL");
  });
});

describe("the guard", () => {
  it("imports nothing but what every Node has, before it has looked", async () => {
    const imports = [...(await compileGuard()).matchAll(/^import .*from ["'](.*)["']/gm)].map(([, name]) => name);
    expect(imports).toEqual(["module", "path"]);
  });

  it.each([
    ["12.22.0", true],
    ["20.20.2", true],
    ["22.22.1", true],
    ["22.22.2", false],
    ["24.0.0", false],
  ])("on Node %s refuses: %s, in two sentences and with exit code 2", async (version, refuses) => {
    const pretend = `Object.defineProperty(process.versions, "node", { value: "${version}" });\n`;
    await install("package/dist/cli/pretend.mjs", pretend);
    await install("package/dist/cli/main.js", 'console.log("handed over")');
    await install("package/dist/cli/belay.js", `import "./pretend.mjs";\n${await compileGuard()}`);
    await install("package/package.json", '{"type":"module"}');
    const { code, stdout, stderr } = await start(belay, [], {
      ...process.env,
      HOME: directory,
      BELAY_HOME: join(directory, "home"),
    });
    expect({ code, stdout }).toEqual(refuses ? { code: 2, stdout: "" } : { code: 0, stdout: "handed over\n" });
    if (refuses)
      expect(stderr).toMatch(
        /^belay needs Node 22\.22\.2 or newer and this is [\d.]+\. Install a newer Node, or .*\.\n$/,
      );
  });
});
