/**
 * What commands must not read or change in the very directory that they work in. Each attempt is made unconfined first, where it
 * must succeed, and then in the sandbox.
 */
import { execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { COVERED_PATHS, isProtectedPath } from "../../src/kernel/protected-paths.ts";
import type { BwrapShellOptions } from "../../src/workspace/sandbox/bwrap-shell.ts";
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

const CANARY = `canary-${randomBytes(6).toString("hex")}`;
let ground: Ground;

const at = (path: string): string => join(ground.root, path);
function put(path: string, content: string): void {
  mkdirSync(dirname(at(path)), { recursive: true });
  writeFileSync(at(path), content);
}

beforeEach(() => {
  ground = makeGround();
});

afterEach(() => {
  ground.remove();
});

async function confined(command: string, changes: Partial<BwrapShellOptions> = {}): Promise<string> {
  return (await runIn(await bwrapShell(ground, changes), ground.root, command)).output;
}

async function unconfined(command: string): Promise<string> {
  return (await runIn(plainShell(ground), ground.root, command)).output;
}

const SECRETS = [
  ".env",
  ".env.production",
  "api/.env.local",
  "id_rsa",
  "deploy/.netrc",
  ".git-credentials",
  "service-account.json",
  "a/b/c/d/credentials.json",
];

needsBubblewrap("a secret in the workspace", () => {
  beforeEach(() => {
    for (const path of SECRETS) put(path, `SECRET=${CANARY}\n`);
    put(".env.example", "SECRET=example\n");
    put("tls/server.pem", `-----BEGIN PRIVATE KEY-----\n${CANARY}\n`);
    put("tls/ca.pem", "-----BEGIN CERTIFICATE-----\nopen\n");
    put(".npmrc", `//npm.example.com/:_authToken=${CANARY}\n`);
    put("app/.npmrc", "save-exact=true\n");
    put("node_modules/left/index.js", "open\n");
  });

  const expectUnread = async (command: string): Promise<void> => {
    expect({ unconfined: (await unconfined(command)).includes(CANARY) }).toEqual({ unconfined: true });
    expect({ in_the_sandbox: (await confined(command)).includes(CANARY) }).toEqual({ in_the_sandbox: false });
  };

  it.each([...SECRETS, "tls/server.pem", ".npmrc"])("is not read: %s", (path) => expectUnread(`cat ${path}`));

  it("K01: is not found by a search, nor by way of another name of the workspace", async () => {
    await expectUnread("grep -rs canary- . ; cat *.json .e* 2>/dev/null");
    await expectUnread("cat /proc/self/cwd/.env /proc/self/root$PWD/.env /proc/$$/cwd/.env");
  });

  it("K02: nor by a link, hard or symbolic, that a command makes", async () => {
    await expectUnread("ln -sf .env soft; cat soft; rm -f hard; ln .env hard; cat hard");
  });

  it("K03: nor by moving it, or what is around it", async () => {
    await expectUnread(
      "rm -f copied; cp .env copied; mv api moved && cat copied moved/.env.local; mv moved api; rm -f copied",
    );
    await expectUnread("mv id_rsa key; cat key; mv key id_rsa; true");
  });

  it("K04: nor by a link that was there, with another name or a secret's", async () => {
    symlinkSync("api/.env.local", at("settings"));
    put("hidden/values", `SECRET=${CANARY}\n`);
    symlinkSync("../hidden/values", at("deploy/.env"));
    await expectUnread("cat settings");
    await expectUnread("cat deploy/.env hidden/values");
  });

  it("leaves examples, public certificates and settings without a token readable, and what the user lets be read", async () => {
    const read = "cat .env.example tls/ca.pem app/.npmrc node_modules/left/index.js";
    expect(await confined(read)).toBe(await unconfined(read));
    expect(await confined("cat .env", { readableSecrets: [".env"] })).toContain(CANARY);
  });

  it("covers no file outside the workspace for a link of a repository's", async () => {
    rmSync(at(".env"));
    symlinkSync("/etc/hostname", at(".env"));
    expect(await confined("cat /etc/hostname")).toBe(await unconfined("cat /etc/hostname"));
  });

  it("lets a command use what it makes itself", async () => {
    rmSync(at(".env"));
    expect(await confined("cp .env.example .env; cat .env")).toBe("SECRET=example\n");
  });
});

needsBubblewrap("a protected path", () => {
  it.each(COVERED_PATHS)("P01: is not made when it is missing: %s", async (path) => {
    const command = `mkdir -p ${dirname(path)} ${path} && echo evil > ${path}/evil; rmdir ${path} 2>/dev/null; echo evil > ${path}; true`;
    await unconfined(command);
    expect(existsSync(join(at(path), "evil")) || lstatSync(at(path)).isFile()).toBe(true);
    for (const tree of ["own", "users"] as const) {
      rmSync(ground.root, { recursive: true });
      mkdirSync(ground.root);
      await confined(command, { tree });
      expect([
        existsSync(join(at(path), "evil")),
        lstatSync(at(path), { throwIfNoEntry: false })?.isFile() ?? false,
      ]).toEqual([false, false]);
    }
  });

  it("P02: is not changed, replaced, renamed or removed when it is there, in belay's own tree as in the user's", async () => {
    const prepare = (): void => {
      rmSync(ground.root, { recursive: true });
      mkdirSync(ground.root);
      for (const path of COVERED_PATHS)
        put(path === ".git/hooks" || !/\.[a-z_]+$|config$/.test(path) ? `${path}/kept` : path, "kept");
      for (const name of [".claude", ".belay", ".vscode", ".idea"]) {
        rmSync(at(name), { recursive: true });
        put(`${name}/kept`, "kept");
      }
    };
    const attempts = COVERED_PATHS.flatMap((path) => [
      ...[
        `echo evil > ${path}`,
        `echo evil > ${path}/kept`,
        `echo evil > ${path}/evil`,
        `chmod -R u+w ${path}; rm -rf ${path}`,
      ],
      ...[`mv ${path} away`, `rm -rf new; mkdir new; mv -T new ${path}`, `ln -sfn /tmp ${path}`],
    ]);
    const command = `${attempts.map((each) => `( ${each} ) 2>/dev/null`).join("; ")}; mv .git gone; mkdir -p .git/hooks; echo evil > .git/hooks/evil; true`;
    const state = (): readonly (readonly [string, string])[] =>
      COVERED_PATHS.map((path) => [
        path,
        lstatSync(at(path), { throwIfNoEntry: false })?.isDirectory() === true
          ? readdirSync(at(path)).join()
          : content(path),
      ]);
    prepare();
    const before = state();
    await unconfined(command);
    expect(state().filter(([, now], i) => now === before[i]?.[1])).toEqual([]);
    for (const tree of ["own", "users"] as const) {
      prepare();
      await confined(command, { tree });
      expect(state()).toEqual(before);
    }
  });

  it("P03: holds deeper down, for what was there before the first command", async () => {
    put("packages/app/.vscode/tasks.json", "kept");
    put("vendor/lib/.git/hooks/kept", "kept");
    put("vendor/lib/.git/config", "kept");
    put("Sub/.Claude/settings.json", "kept");
    const files = ["packages/app/.vscode/tasks.json", "vendor/lib/.git/config", "Sub/.Claude/settings.json"];
    const command = `for f in ${files.join(" ")}; do echo evil > $f; done; mv packages/app/.vscode x; mkdir packages/app/.vscode; echo evil > packages/app/.vscode/tasks.json; true`;
    await confined(command);
    expect(files.map(content)).toEqual(["kept", "kept", "kept"]);
    await unconfined(command);
    expect(files.map(content)).toEqual(["evil\n", "evil\n", "evil\n"]);
  });

  it("P04: in another case is another file here, and known as protected to whoever judges names", async () => {
    await confined("mkdir .CLAUDE && echo evil > .CLAUDE/settings.json");
    const made = readdirSync(ground.root, { recursive: true, encoding: "utf8" }).filter((path) =>
      path.includes("settings.json"),
    );
    expect(made.filter((path) => !isProtectedPath(path))).toEqual([]);
  });

  it("P05: is protected where it leads when it is a link in belay's own tree, and refused in the user's", async () => {
    put("shared/agent/settings.json", "kept");
    symlinkSync("shared/agent", at(".claude"));
    await confined("echo evil > .claude/settings.json; echo evil > shared/agent/settings.json", { tree: "own" });
    expect(content("shared/agent/settings.json")).toBe("kept");
    await expect(confined("true", { tree: "users" })).rejects.toMatchObject({ kind: "sandbox_failed" });
  });

  it("leaves nothing behind in the user's tree; in belay's own what it stands on is marked", async () => {
    execFileSync("git", ["init", "-q", ground.root]);
    const before = readdirSync(ground.root);
    await confined("true");
    await eventually(() => readdirSync(ground.root).length === before.length);
    await confined("true", { tree: "own" });
    const made = readdirSync(ground.root).filter((name) => !before.includes(name));
    expect(made.map((name) => (lstatSync(at(name)).mode & 0o7777).toString(8))).toEqual(made.map(() => "1555"));
    expect(execFileSync("git", ["-C", ground.root, "status", "--porcelain"], { encoding: "utf8" })).toBe("");
  });

  it("takes away what a belay left that was killed", async () => {
    await confined("true", { tree: "own" });
    expect(readdirSync(ground.root)).not.toEqual([]);
    await confined("true", { tree: "users" });
    await eventually(() => readdirSync(ground.root).length === 0);
  });

  it("P06: is covered in a command whose process was made beforehand, and that process is taken", async () => {
    const shell = await bwrapShell(ground);
    const command = "mkdir .claude; echo evil > .claude/settings.json; echo evil > .mcp.json; echo done";
    const prepared = shell.prepare?.({ command, cwd: ground.root, interactive: false, network: "none" });
    await eventually(() => existsSync(at(".claude")));
    expect((await runIn(shell, ground.root, command)).output).toMatch(/done\n$/);
    await prepared?.drop();
    await eventually(() => readdirSync(ground.root).length === 0);
  });

  it("P07: stays covered in one command while one of another belay in the same directory ends", async () => {
    const [first, second] = [await bwrapShell(ground), await bwrapShell(ground)];
    const running = await startIn(
      first,
      ground.root,
      "touch begun; while [ ! -e go ]; do sleep 0.02; done; echo evil > .mcp.json; mkdir .vscode",
    );
    await eventually(() => existsSync(at("begun")));
    await runIn(second, ground.root, "true");
    writeFileSync(at("go"), "");
    await running.ended;
    await eventually(() => !existsSync(at(".mcp.json")) && !existsSync(at(".vscode")));
  });

  it("does not keep git from its work", async (context) => {
    needsProgram(context, "git", "apt-get install git");
    const who = "-c user.name=a -c user.email=a@example.com";
    const work = `git init -q -b main sub && cd sub && echo x > f && git add -A && git ${who} commit -qm one && git checkout -qb two && git status --porcelain && git log --oneline | wc -l`;
    expect((await confined(work)).trim()).toBe("1");
    execFileSync("git", ["init", "-q", ground.root]);
    const here = `rm -rf sub && echo x > f && git add -A && git ${who} commit -qm one && git checkout -qb two && echo y > g && git stash -uq && git clean -fdq && git stash pop -q >/dev/null && git status --porcelain`;
    expect((await confined(here, { tree: "own" })).trim()).toBe("?? g");
  });

  const content = (path: string): string => (existsSync(at(path)) ? readFileSync(at(path), "utf8") : "(not there)");
});

needsBubblewrap("belay's own process", () => {
  /** As belay is: a parent of what runs in the sandbox, by the same user. */
  async function parent(): Promise<{ readonly pid: number; readonly end: () => void }> {
    const child = spawn("sleep", ["300"], { stdio: "ignore", env: { TOKEN: CANARY } });
    await once(child, "spawn");
    return { pid: child.pid ?? 0, end: () => child.kill("SIGKILL") };
  }

  it("X01: is not traced, and its memory is not read", async (context) => {
    needsProgram(context, "perl", "apt-get install perl");
    const { pid, end } = await parent();
    try {
      // PTRACE_SEIZE changes nothing of what it is done to.
      const number = process.arch === "arm64" ? 117 : 101;
      const trace = `perl -e 'my $r = syscall(${String(number)}, 0x4206, ${String(pid)}, 0, 0); print $r == 0 ? "TRACED" : "no"'`;
      const memory = `head -c 1 /proc/${String(pid)}/auxv >/dev/null 2>&1 && echo MEMORY`;
      if (process.getuid?.() === 0) expect(await unconfined(trace)).toBe("TRACED");
      expect(await unconfined(memory)).toBe("MEMORY\n");
      expect([await confined(trace), await confined(memory)]).toEqual(["no", ""]);
    } finally {
      end();
    }
  });

  it("X02: has an environment that no command sees, in none of its processes", async () => {
    const environment = {
      ...process.env,
      ANTHROPIC_API_KEY: CANARY,
      GITHUB_TOKEN: CANARY,
      NPM_TOKEN: CANARY,
      LD_PRELOAD: CANARY,
      NODE_OPTIONS: CANARY,
    };
    const command = "env; cat /proc/[0-9]*/environ | tr '\\0' '\\n'; cat /proc/[0-9]*/cmdline | tr '\\0' '\\n'";
    expect(await confined(command, { environment })).not.toContain(CANARY);
    expect(
      (
        await runIn(await bwrapShell(ground, { environment }), ground.root, command, {
          network: { domains: ["a.test"] },
        })
      ).output,
    ).not.toContain(CANARY);
  });

  it("X03: shares no memory with commands: what they write in /dev/shm and as segments ends with them", async (context) => {
    needsProgram(context, "perl", "apt-get install perl");
    const name = `/dev/shm/${CANARY}`;
    const key = randomBytes(3).readUIntBE(0, 3);
    const segment = `perl -e 'print defined shmget(${String(key)}, 4096, 01600) ? "MADE" : "no"'`;
    const look = `touch ${name}; ${segment}`;
    try {
      await unconfined(look);
      expect([existsSync(name), await unconfined(segment.replace("01600", "0600"))]).toEqual([true, "MADE"]);
    } finally {
      rmSync(name, { force: true });
      await unconfined(`perl -e 'shmctl(shmget(${String(key)}, 4096, 0600), 0, 0)'`);
    }
    await confined(look);
    expect([existsSync(name), await unconfined(segment.replace("01600", "0600"))]).toEqual([false, "no"]);
  });

  it("X04: gains nothing of a setuid program that a command makes or finds", async () => {
    const command =
      "cp $(command -v bash) own; chmod u+s own; stat -c %a own; ./own -p -c 'grep -E ^NoNewPrivs /proc/self/status | tr -d \"\\t\"'";
    expect(await unconfined(command)).toContain("NoNewPrivs:0");
    expect(await confined(command)).toContain("NoNewPrivs:1");
    expect(await confined("find /dev /run -perm -4000 2>/dev/null")).toBe("");
  });
});
