/** The built command in a job of continuous integration: what its log, its summary and its outputs say, and where it works. */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ciPlace } from "../support/ci.ts";
import { reportIn, runCli } from "../support/cli.ts";

const RUN = ["run", "--sandbox", "external"];
/** What a runner of GitHub or Azure would obey. */
const COMMAND = /^\s*::(?!group::|endgroup::|error |warning |notice )|##\w*\[/m;

const HOSTILE =
  "::set-output name=a::b\n  ::error::x\nsee ##[set-env name=PATH;]/evil and ##vso[task.setvariable variable=x]y";

const EDIT = {
  call: [{ tool: "edit", input: { path: "src/app.js", old_string: "return 1", new_string: "return 2" } }],
};

describe("in a job with --sandbox external", () => {
  it("works in place, says so and why on its first line, and what was found around it", async () => {
    const command = "sed -i 's/return 1/return 2/' src/app.js";
    const place = await ciPlace([{ call: [{ tool: "bash", input: { command } }] }, { say: "Done." }]);
    const end = await runCli([...RUN, "fix it"], place, place.environment);
    expect(end.code).toBe(0);
    const [first] = end.stdout.split("\n");
    expect(first).toMatch(/sandbox external, works in place \(the default in GitHub Actions .*--clone/);
    expect(end.stdout).toMatch(/sandbox is ok: external, as declared: .*a runner hosted by GitHub/);
    expect(readFileSync(join(place.repository, "src/app.js"), "utf8")).toContain("return 2");
    const { stdout: journal } = await runCli(["sessions", "export"], place, place.environment);
    expect(journal.includes('"kind":"HealthChanged"')).toBe(true);
    expect(journal.includes("the container or machine around belay is the boundary")).toBe(true);
  });

  it("works in a private clone with --clone, and outside CI", async () => {
    const turns = [EDIT, { say: "Done." }];
    const place = await ciPlace([...turns, ...turns]);
    const clone = await runCli([...RUN, "--clone", "-o", "json", "fix it"], place, place.environment);
    const { CI: _ci, GITHUB_ACTIONS: _actions, ...at_home } = place.environment;
    const home = await runCli([...RUN, "-o", "json", "fix it again"], place, at_home);
    expect([reportIn(clone).outcome, reportIn(home).outcome]).toEqual(["completed", "completed"]);
    expect([reportIn(clone).branch, reportIn(home).branch]).toEqual([
      `belay/${reportIn(clone).session}`,
      `belay/${reportIn(home).session}`,
    ]);
    expect(readFileSync(join(place.repository, "src/app.js"), "utf8")).toContain("return 1");
  });

  it("refuses the home directory and the whole machine as places to work in", async () => {
    const place = await ciPlace([{ say: "Done." }]);
    for (const cwd of ["/", join(place.home, "user")]) {
      const end = await runCli([...RUN, "--cwd", cwd, "work"], place, place.environment);
      expect(end.stderr).toContain("is not a project");
    }
    expect(place.emulator.requests).toEqual([]);
  });

  it("gives a command neither belay's home nor a key nor the step's files", async () => {
    const place = await ciPlace([{ call: [{ tool: "bash", input: { command: "env > seen" } }] }, { say: "Done." }]);
    expect((await runCli([...RUN, "look"], place, place.environment)).code).toBe(0);
    const seen = readFileSync(join(place.repository, "seen"), "utf8");
    expect(seen).not.toMatch(/BELAY|ANTHROPIC|GITHUB_/);
    expect(seen).toContain("CI=true");
  });

  it("is not repeated after a crash: what a command did outside is unknown", async () => {
    const place = await ciPlace((directory) => [
      {
        call: [{ tool: "bash", input: { command: `echo once >> ${directory}/ran; kill -9 $(cat ${directory}/pid)` } }],
      },
      { say: "Done." },
    ]);
    const { startCli } = await import("../support/cli.ts");
    const running = startCli([...RUN, "--clone", "work"], place, place.environment);
    writeFileSync(join(place.directory, "pid"), String(running.child.pid));
    expect(await running.ended).toMatchObject({ signal: "SIGKILL" });
    const end = await runCli(["resume", "--last", "-o", "json"], place, place.environment);
    expect(reportIn(end).outcome).toBe("completed");
    expect(readFileSync(join(place.directory, "ran"), "utf8")).toBe("once\n");
    expect(JSON.stringify(place.emulator.requests.at(-1)?.body)).toContain("interrupted: outcome unknown");
  });
});

describe("a log of GitHub Actions", () => {
  it("has no escape sequence, folds what tools write, and takes no command from a model, a tool or a file's name", async () => {
    const place = await ciPlace([
      {
        say: HOSTILE,
        call: [{ tool: "bash", input: { command: `printf '%s\\n' '${HOSTILE}'; touch '::error::name' '##[debug]x'` } }],
      },
      { say: `Done.\n${HOSTILE}` },
    ]);
    const end = await runCli([...RUN, "--verify", `echo '::add-mask::e'; false`, "work"], place, place.environment);
    expect(end.code).toBe(3);
    const said = end.stdout + end.stderr;
    expect(said).not.toMatch(/\u001b/);
    expect(said).not.toMatch(COMMAND);
    expect(said).toContain("set-env name=PATH"); // still there for a person
    const lines = end.stdout.split("\n");
    expect(lines.filter((line) => line.startsWith("::")).map((line) => line.replace(/(::\w+).*/, "$1"))).toEqual([
      "::group",
      "::endgroup",
      "::error",
    ]);
    expect(place.outputs()).not.toContain("name=a");
  });

  it("is given none by the commands that look at a session either, and a file is written to the byte", async () => {
    const content = `${HOSTILE}\n`;
    const place = await ciPlace([
      { say: HOSTILE, call: [{ tool: "write", input: { path: "x", content } }] },
      { say: "Done." },
    ]);
    await runCli([...RUN, "--clone", HOSTILE], place, place.environment);
    for (const argv of [
      ["diff"],
      ["sessions", "show"],
      ["sessions", "list"],
      ["sessions", "export"],
      ["replay", "--at", "9"],
    ]) {
      const end = await runCli(argv, place, place.environment);
      expect([argv, end.code, COMMAND.exec(end.stdout + end.stderr)]).toEqual([argv, 0, null]);
      expect(end.stdout).toContain("set-output");
      expect(end.stderr.includes("> FILE")).toBe(argv[0] === "diff" || argv[1] === "export");
    }
    const belay = join(import.meta.dirname, "../../bin/belay");
    const options = { cwd: place.repository, env: place.environment, encoding: "utf8" } as const;
    const patch = execFileSync("sh", ["-c", '"$0" diff > p 2> q && git apply p && cat x q', belay], options);
    expect(patch).toBe(content);
  });

  it("holds no command in JSON either, and the JSON says the same", async () => {
    const place = await ciPlace([{ say: HOSTILE }]);
    const end = await runCli([...RUN, "-o", "events", "work"], place, place.environment);
    expect(end.stdout).not.toMatch(COMMAND);
    expect(
      end.stdout
        .split("\n")
        .some((line) => line.startsWith("{") && JSON.stringify(JSON.parse(line)).includes("##[set-env")),
    ).toBe(true);
  });

  it("has colours only where that is asked for, and NO_COLOR wins", async () => {
    const colored = async (changes: NodeJS.ProcessEnv): Promise<boolean> => {
      const place = await ciPlace([{ say: "Done." }], changes);
      return (await runCli([...RUN, "work"], place, place.environment)).stdout.includes("\u001b[");
    };
    expect(await colored({ FORCE_COLOR: "1" })).toBe(true);
    expect(await colored({ FORCE_COLOR: "1", NO_COLOR: "1" })).toBe(false);
    expect(await colored({ FORCE_COLOR: "0" })).toBe(false);
  });
});

describe("the end of a step", () => {
  it("is annotated where the verification says the faults are, with a summary and outputs", async () => {
    const place = await ciPlace([EDIT, { say: "Done." }]);
    const verify = "echo 'src/app.js:2:3: must return 3, not 2'; echo '/etc/passwd:1: no'; exit 1";
    const end = await runCli([...RUN, "--verify", verify, "work"], place, place.environment);
    const annotations = end.stdout.split("\n").filter((line) => line.startsWith("::error"));
    expect(annotations).toHaveLength(2);
    expect(annotations[0]).toMatch(/^::error title=belay%3A verification failed::.* Session ses_/);
    expect(annotations[1]).toMatch(/^::error file=src\/app\.js,line=2,col=3,title=.*::must return 3, not 2$/);
    const session = /^session=(ses_\w+)$/m.exec(place.outputs())?.[1];
    expect(place.outputs()).toMatch(
      /^session=ses_\w+\noutcome=verification_failed\nverification=failed\nexit_code=3\ncost=0\.\d+\nbranch=\n$/,
    );
    expect(place.summary()).toContain("### belay: verification failed");
    expect(place.summary()).toContain("exit code 1");
    expect(place.summary()).toContain("src/app.js");
    expect(place.summary()).toContain(`belay resume ${session ?? "?"}`);
  });

  it("in JSON is annotated on stderr: stdout is for the program that reads it", async () => {
    const place = await ciPlace([{ say: "Done." }]);
    const end = await runCli([...RUN, "-o", "json", "--max-turns", "1", "work"], place, place.environment);
    expect(reportIn(end)).toMatchObject({ outcome: "completed" });
    expect(end.stdout.trim().split("\n")).toHaveLength(1);
    expect(end.stderr).toMatch(/^::notice title=belay%3A completed::/m);
  });

  it("that cannot write its files warns, and ends as it would have", async () => {
    const place = await ciPlace([{ say: "Done." }], { GITHUB_STEP_SUMMARY: "/nonexistent/summary" });
    const end = await runCli([...RUN, "work"], place, place.environment);
    expect(end.code).toBe(0);
    expect(end.stdout).toContain("::warning title=belay::$GITHUB_STEP_SUMMARY could not be written: ENOENT.");
    expect(place.outputs()).toContain("outcome=completed");
  });

  it("that could not even begin is annotated too", async () => {
    const place = await ciPlace([{ say: "Done." }], { ANTHROPIC_API_KEY: "" });
    const end = await runCli([...RUN, "work"], place, place.environment);
    expect(end.code).not.toBe(0);
    expect(end.stdout).toMatch(/^::error title=belay%3A auth::There is no key/m);
    expect(place.outputs()).toBe(`outcome=failed\nexit_code=${end.code}\n`);
  });
});
