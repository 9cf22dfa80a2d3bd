/** The tools that run processes, on every shell: what the model is told is the same with a sandbox and without. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { plainText } from "../../src/kernel/content.ts";
import { TOOL_OUTPUT_CHARS_MAX } from "../../src/kernel/limits.ts";
import { STALL_HINT_MS } from "../../src/tool/attend.ts";
import { isAlive } from "../../src/workspace/process/identity.ts";
import type { RunningCommand, Shell } from "../../src/workspace/shell.ts";
import { needsBubblewrap } from "../support/needs.ts";
import { bwrapShell, eventually, type Ground, makeGround, plainShell } from "../support/shell-fixture.ts";
import { makeBench, told, type ToolBench } from "../support/tool-fixture.ts";

let ground: Ground;
let bench: ToolBench;

function onEveryShell(make: (ground: Ground) => Promise<Shell> | Shell): void {
  let shell: Shell;
  beforeEach(async () => {
    ground = makeGround();
    shell = await make(ground);
    bench = makeBench(ground, shell);
  });
  afterEach(async () => {
    for (const waiting of bench.context.interactive.values()) await waiting.kill("stopped", 0);
    ground.remove();
  });
  const bash = async (command: string): Promise<string> => told(await bench.run("bash", { command }));

  describe("bash", () => {
    it("tells output and exit code, and journals the process before it runs", async () => {
      const output = await bench.run("bash", { command: "pwd; echo oops >&2; exit 3" });
      expect(told(output)).toBe(`error: ${ground.root}\noops\n[exit code 3]`);
      expect(output.exit).toEqual({ code: 3, signal: null, killed: false });
      expect(output.content[0]?.origin).toEqual({ from: "tool", by: "bash" });
      expect(bench.processes.length).toBe(1);
      expect(await bash("true")).toBe("ok: [no output]");
    });

    it("says of a null byte that no command line can hold it, and runs nothing", async () => {
      expect(await bash("echo a\0b")).toMatch(/^error: The command holds a null byte/);
      expect(told(await bench.run("grep", { pattern: "a\0b" }))).toMatch(/^error: The pattern holds a null byte/);
      expect(bench.processes).toEqual([]);
    });

    it("takes out what a terminal would obey", async () => {
      expect(await bash("printf 'a\\033]52;c;eA==\\007b\\033[31mc\\n'")).toBe("ok: abc");
    });

    it("cuts a long output in the middle, keeps all of it, and says how much is missing", async () => {
      const output = await bench.run("bash", { command: "echo FIRST; seq 1 50000; echo LAST" });
      const text = plainText(output.content);
      expect(text.length).toBeLessThanOrEqual(TOOL_OUTPUT_CHARS_MAX);
      expect(text.startsWith("FIRST\n1\n2\n")).toBe(true);
      expect(text.endsWith("50000\nLAST")).toBe(true);
      expect(text).toMatch(
        new RegExp(`\\[… [\\d,]+ lines left out; all of it is kept as ${output.output ?? "nothing"}`),
      );
      expect(bench.kept.map((kept) => kept.split("\n").length)).toEqual([50_002]);
    });

    it("names background processes that ended with the command", async () => {
      expect(await bash("sleep 300 & echo started")).toBe(
        "ok: started\n[1 background process was ended with the command]",
      );
    });

    it("keeps the output of a command killed at its limit, and does not call that a failure of the command", async () => {
      const running = bench.run("bash", { command: "echo before; sleep 300" });
      await eventually(() => bench.progress.join("").includes("before"));
      bench.stop("timed_out");
      const output = await running;
      expect(told(output)).toMatch(
        /^timed_out: before\n\[killed by belay at its time limit of 120 s: it did not fail by itself/,
      );
      expect(output.exit?.killed).toBe(true);
      expect(bench.processes.map(isAlive)).toEqual([false]);
    });

    it("tells a cancel from a time limit, and starts nothing after one", async () => {
      const running = bench.run("bash", { command: "echo begun; sleep 300" });
      await eventually(() => bench.progress.length > 0);
      bench.stop("canceled");
      expect(told(await running)).toBe(
        "canceled: begun\n[killed by belay because the run was canceled; it may have done part of its work]",
      );
      expect(told(await bench.run("bash", { command: "touch started" }))).toBe(
        "canceled: [not started: the call was ended before]",
      );
      expect(bench.processes.map(isAlive)).toEqual([false]);
    });

    it("says that a command is too long for the system", async () => {
      expect(told(await bench.run("bash", { command: `: ${"x".repeat(200_000)}` }))).toMatch(
        /^error: .*It is too long for the system: write it to a file and run that\.$/s,
      );
    });

    it("hints at a stall to people, and lets the command run on", async () => {
      // The same command, silent for as long as it takes.
      const silent = (running: RunningCommand): RunningCommand => ({
        process: running.process,
        ended: running.ended,
        silentFor: () => STALL_HINT_MS,
        output: () => running.output(),
        bytes: () => running.bytes(),
        waitsForInput: () => running.waitsForInput(),
        send: (input) => running.send(input),
        kill: (reason, grace_ms) => running.kill(reason, grace_ms),
      });
      const hasty = makeBench(ground, {
        mode: shell.mode,
        start: async (command) => silent(await shell.start(command)),
      });
      const output = hasty.run("bash", { command: "while [ ! -e go ]; do sleep 0.02; done; echo ran on" });
      await eventually(() => hasty.progress.join("").includes("no output for 45 s"));
      hasty.put("go", "");
      expect(told(await output)).toBe("ok: ran on");
    });

    it("returns when a command waits for input, with a handle and a choice; input goes on, and only what is new is shown", async () => {
      const waiting = await bench.run("bash", {
        command: 'echo start; read -p "Name? " n; echo "hello $n"; read -p "Sure? " s; echo "so $s"; exit 5',
        interactive: true,
      });
      const handle = [...bench.context.interactive.keys()][0] ?? "";
      expect(told(waiting)).toBe(
        `ok: start\nName?\n[waiting for input as ${handle}. Call bash with process "${handle}" and: input to type a line, stop to end it, or neither to wait longer.]`,
      );
      const second = await bench.run("bash", { process: handle, input: "Ada" });
      expect(plainText(second.content)).toMatch(/^ ?Ada\nhello Ada\nSure\?\n\[waiting/);
      const last = await bench.run("bash", { process: handle, input: "yes" });
      expect(plainText(last.content)).toMatch(/yes\nso yes\n\[exit code 5\]$/);
      expect([last.status, bench.context.interactive.size]).toEqual(["error", 0]);
    });

    it("answers the questions of an initialiser one by one", async () => {
      const script = `const r=require("readline").createInterface({input:process.stdin,output:process.stdout});
        const a=[];const q=["package name: ","version: (1.0.0) "];
        const next=()=>{if(a.length===q.length){r.close();require("fs").writeFileSync("package.json",JSON.stringify(a));return}
        r.question(q[a.length],x=>{a.push(x);next()})};next();`;
      bench.put("init.cjs", script);
      await bench.run("bash", { command: "node init.cjs", interactive: true });
      const handle = [...bench.context.interactive.keys()][0] ?? "";
      expect(plainText((await bench.run("bash", { process: handle, input: "belayed" })).content)).toContain(
        "version: (1.0.0)",
      );
      expect((await bench.run("bash", { process: handle, input: "" })).status).toBe("ok");
      expect(bench.get("package.json")).toBe('["belayed",""]');
    });

    it("stops a waiting command when asked, and says so", async () => {
      await bench.run("bash", { command: "read line", interactive: true });
      const [[handle, running] = []] = bench.context.interactive;
      const output = await bench.run("bash", { process: handle ?? "", stop: true });
      expect(told(output)).toBe("ok: [stopped, as asked]");
      expect(running === undefined || isAlive(running.process)).toBe(false);
      expect(bench.context.interactive.size).toBe(0);
    });

    it("does not know a handle of an earlier run, and says what to do", async () => {
      expect(told(await bench.run("bash", { process: "p1", input: "x" }))).toBe(
        "error: No command waits as p1. It ended, or the run was resumed: start it again.",
      );
      expect(told(await bench.run("bash", {}))).toMatch(/^error: Give a command/);
    });
  });

  describe("grep", () => {
    const grep = async (input: Record<string, string | number | boolean>): Promise<string> =>
      told(await bench.run("grep", input));
    beforeEach(() => {
      bench.put("src/b.ts", "const needle = 1;\n// Needle\n");
      bench.put("src/a.ts", "one\ntwo needle\nthree\n");
      bench.put(".hidden/c.md", "needle\n");
      bench.put("built/out.js", "needle\n");
      bench.put(".gitignore", "built\n");
      bench.put(".git/config", "needle\n");
    });

    it("answers path, line and text, sorted; not what is ignored, nor the repository's insides", async () => {
      expect(await grep({ pattern: "needle" })).toBe(
        "ok: .hidden/c.md:1:needle\nsrc/a.ts:2:two needle\nsrc/b.ts:1:const needle = 1;",
      );
    });

    it("narrows by path, by glob, by case and by count", async () => {
      expect(await grep({ pattern: "needle", path: "src", glob: "b*", ignore_case: true })).toBe(
        "ok: src/b.ts:1:const needle = 1;\nsrc/b.ts:2:// Needle",
      );
      expect(await grep({ pattern: "needle", path: "src/a.ts", context: 1 })).toBe(
        "ok: src/a.ts-1-one\nsrc/a.ts:2:two needle\nsrc/a.ts-3-three",
      );
      expect(await grep({ pattern: "needle", limit: 1 })).toBe(
        "ok: .hidden/c.md:1:needle\n[2 more lines or more: narrow the pattern, path or glob]",
      );
    });

    it("says that nothing matches, and what is wrong with a pattern or a path", async () => {
      expect(await grep({ pattern: "nowhere" })).toBe("ok: Nothing matches nowhere.");
      expect(await grep({ pattern: "(" })).toMatch(/^error: .*unclosed group/s);
      expect(await grep({ pattern: "x", path: "missing" })).toBe("error: There is no missing. Look with glob.");
      expect(await grep({ pattern: "x", path: ".." })).toMatch(/^error: .*out of the workspace/);
    });

    it("takes nothing for an option or for shell code", async () => {
      bench.put("x.txt", "--pre=touch evil\n$(touch evil)\n");
      expect(await grep({ pattern: "--pre=touch evil" })).toBe("ok: x.txt:1:--pre=touch evil");
      expect(await grep({ pattern: "\\$\\(touch evil\\)", glob: "'; touch evil; '" })).toBe(
        "ok: Nothing matches \\$\\(touch evil\\).",
      );
      bench.put("--pre=sh/a.txt", "needle\n");
      expect(await grep({ pattern: "needle", path: "--pre=sh" })).toBe("ok: --pre=sh/a.txt:1:needle");
      expect(existsSync(join(ground.root, "evil"))).toBe(false);
    });

    it("shows a bounded part of a match without end", async () => {
      bench.put("big.txt", `${"needle ".repeat(100_000)}\n`.repeat(20));
      const text = await grep({ pattern: "needle", path: "big.txt" });
      expect(text.length).toBeLessThan(TOOL_OUTPUT_CHARS_MAX);
      expect(text.split("\n").length).toBe(20);
    });
  });

  describe("glob", () => {
    const glob = async (input: { pattern: string; path?: string }): Promise<string> =>
      told(await bench.run("glob", input));
    beforeEach(() => {
      for (const path of [
        "src/b.ts",
        "src/deep/a.ts",
        "a.ts",
        "readme.md",
        "node_modules/x/i.ts",
        ".dot/c.ts",
        "src/odd\nname.ts",
      ])
        bench.put(path, "");
      bench.put(".gitignore", "node_modules\n");
    });

    it("finds by name in every directory, or by path, sorted, without what is ignored", async () => {
      expect(await glob({ pattern: "*.ts" })).toBe("ok: .dot/c.ts\na.ts\nsrc/b.ts\nsrc/deep/a.ts\nsrc/odd\\nname.ts");
      expect(await glob({ pattern: "src/*.ts" })).toBe("ok: src/b.ts\nsrc/odd\\nname.ts");
      expect(await glob({ pattern: "src/**/a.*" })).toBe("ok: src/deep/a.ts");
      expect(await glob({ pattern: "**/*.{md,txt}" })).toBe("ok: readme.md");
    });

    it("looks below a directory, and says that there is nothing", async () => {
      expect(await glob({ pattern: "deep/*.ts", path: "src" })).toBe("ok: src/deep/a.ts");
      expect(await glob({ pattern: "*.rs" })).toBe("ok: No file matches *.rs.");
      expect(await glob({ pattern: "*", path: "../tmp" })).toMatch(/^error: /);
    });

    it("is bounded, and says how much more there is", async () => {
      spawnSync("bash", ["-c", "mkdir many && cd many && touch f{1..1000}"], { cwd: ground.root });
      const text = await glob({ pattern: "many/*" });
      expect(text.split("\n").length).toBe(301);
      expect(text).toMatch(/\[700 more files: narrow the pattern\]$/);
    });
  });
}

describe("tools in a plain shell", () => {
  onEveryShell((at) => plainShell(at));
});

needsBubblewrap("tools in the sandbox", () => {
  onEveryShell((at) => bwrapShell(at));
});
