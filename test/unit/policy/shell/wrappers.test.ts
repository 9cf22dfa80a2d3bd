import { describe, expect, it } from "vitest";
import { readShellAt } from "../../../../src/policy/shell/read-shell.ts";
import { commandsOf, problemsOf, START } from "../../../support/shell-reading.ts";

describe("a wrapper whose words are all on its list is looked through", () => {
  it.each([
    ["env A=1 -- rm x", null],
    ["env -u A B=1 rm x", "env: rm x"],
    ["time -p rm x", "time: rm x"],
    ["timeout -k 5 10s rm x", "timeout: rm x"],
    ["nice -n 5 rm x", "nice: rm x"],
    ["nice -5 rm x", "nice: rm x"],
    ["ionice -c3 rm x", "ionice: rm x"],
    ["nohup rm x &", "nohup: rm x"],
    ["stdbuf -oL rm x", "stdbuf: rm x"],
    ["setsid -w rm x", "setsid: rm x"],
    ["chrt -f 5 rm x", "chrt: rm x"],
    ["taskset -c 0 rm x", "taskset: rm x"],
    ["xargs -n 1 rm", "xargs: rm ⟨<input>⟩"],
    ["xargs -I % rm %/x", "xargs: rm ⟨%/x⟩"],
    ["sudo -u root rm x", "sudo: rm x"],
    ["doas rm x", "doas: rm x"],
    ["command rm x", "command: rm x"],
    ["exec rm x", "exec: rm x"],
    ["builtin echo x", "builtin: echo x"],
    ["noglob rm x", "noglob: rm x"],
    ["eval rm x", "eval: rm x"],
    ["eval 'a; rm x'", "eval: rm x"],
    ["bash -c 'a; rm x'", "bash -c: rm x"],
    ["sh -ec 'rm x' y z", "sh -c: rm x"],
    ["/bin/dash -c 'rm x'", "dash -c: rm x"],
    ["busybox rm x", "busybox: rm x"],
    ["busybox sh -c 'rm x'", "busybox: sh -c: rm x"],
    ["find . -name y -exec rm {} \\;", "find -exec: rm ⟨{}⟩"],
    ["find . -ok rm x {} +", "find -ok: rm x ⟨{}⟩"],
    ["find . -exec sh -c 'rm x' ';'", "find -exec: sh -c: rm x"],
    ["env nice timeout 5 bash -c 'sudo rm x'", "env: nice: timeout: bash -c: sudo: rm x"],
    ["xargs sh -c 'rm x'", "xargs: sh -c: rm x"],
  ])("%s", async (text, inner) => {
    if (inner === null) {
      // `--` behind an assignment is a program's name to env.
      expect(await commandsOf(text)).toContainEqual("env: -- rm x");
      return;
    }
    expect(await problemsOf(text)).toEqual([]);
    expect(await commandsOf(text)).toContainEqual(inner);
  });

  it("hands over what env and sudo set", async () => {
    const { commands } = await readShellAt("env LD_PRELOAD=x sudo PATH=y ls", START);
    expect(commands.map(({ assignments }) => assignments.map(({ name }) => name))).toEqual([
      [],
      ["LD_PRELOAD"],
      ["PATH"],
    ]);
  });

  it("says that it does nothing else, where that is so", async () => {
    const { commands } = await readShellAt("timeout 5 bash -c 'sudo ls'; git log", START);
    expect(commands.map(({ words, transparent }) => [words[0]?.text, transparent])).toEqual([
      ["timeout", true],
      ["bash", true],
      ["sudo", false],
      ["ls", false],
      ["git", false],
    ]);
  });

  it("names a program without running it in `command -v`", async () => {
    expect(await commandsOf("command -v rm")).toEqual(["command -v rm"]);
  });
});

describe("a wrapper that is not understood is a problem, and the command is listed", () => {
  it.each([
    ["env -S 'rm x'", null],
    ["env -C / rm x", "env: rm x"],
    ["timeout $t rm x", "timeout: rm x"],
    ["xargs -a f rm", "xargs: rm"],
    ["sudo -i rm x", "sudo: rm x"],
    ["strace -f -o t rm x", "strace: rm x"],
    ["ssh host rm x", "ssh: rm x"],
    ["parallel rm ::: x", "parallel: rm ::: x"],
    ["watch rm x", "watch: rm x"],
    ["flock f rm x", "flock: rm x"],
    ["unshare -r rm x", "unshare: rm x"],
    ["chroot / rm x", "chroot: rm x"],
    ["nsenter -t 1 rm x", "nsenter: rm x"],
    ["script -c 'rm x'", null],
    ["flock f bash -c 'rm x'", "flock: bash -c: rm x"],
    ["zsh -c 'rm x'", "zsh -c: rm x"],
    ["find . -execdir rm {} ';'", "find -execdir: rm ⟨{}⟩"],
    ["trap 'rm x' EXIT", "trap: rm x"],
    ["bash -ic 'rm x'", null],
    ['bash -c "$x"', null],
    ["bash -c -- 'rm x'", null],
    ['eval "$x"', null],
    ["bash", null],
    ["a | sh", null],
    ["bash -s < f", null],
    ["xargs bash", null],
    ["find . -exec {} \\;", null],
    ["sh -c '[[ a && rm x ]]'", null],
    ["sh -c \"a $'b\\\\' ; rm x '\"", null],
    ["dash -c 'a &> f'", null],
    ["sh -c 'x+=1 rm x'", null],
    ["source f", null],
    [`${"env ".repeat(12)}rm x`, null],
  ])("%s", async (text, inner) => {
    expect(await problemsOf(text)).not.toEqual([]);
    if (inner !== null) expect(await commandsOf(text)).toContainEqual(inner);
  });
});
