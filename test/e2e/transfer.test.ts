/** A run in CI that is continued on a laptop, forked and replayed: the built command, as users type it. */
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { EXIT_TABLE } from "../../src/kernel/outcome.ts";
import { startEmulator } from "../../src/testing/emulator/emulator.ts";
import type { ScenarioInput } from "../../src/testing/emulator/scenario.ts";
import { environmentOf, reportIn, runCli, type CliEnd, type CliPlace } from "../support/cli.ts";
import { SANDBOX, testPlace } from "../support/session.ts";

const RUN = SANDBOX === "bwrap" ? ["run"] : ["run", "--no-sandbox"];
/** Nobody is there to be asked, so a session from elsewhere is only driven where there is a sandbox. */
const CONFINED = SANDBOX === "bwrap";

/** The emulator answers by how many answers a request holds already. */
const FIRST: NonNullable<ScenarioInput["turns"]>[number] = {
  call: [{ tool: "edit", input: { path: "src/app.js", old_string: "return 1", new_string: "return 2" } }],
};
const TURNS: ScenarioInput["turns"] = [
  FIRST,
  { call: [{ tool: "write", input: { path: "more.txt", content: "more\n" } }] },
  { say: "Done." },
];

async function emulated(turns: ScenarioInput["turns"], place: CliPlace): Promise<NodeJS.ProcessEnv> {
  const emulator = await startEmulator({ scenario: { turns } });
  onTestFinished(() => emulator.close());
  return environmentOf(place, emulator);
}

async function worked(): Promise<{
  readonly ci: ReturnType<typeof testPlace>;
  readonly session: string;
  readonly env: NodeJS.ProcessEnv;
}> {
  const ci = testPlace();
  const env = await emulated(TURNS, ci);
  const report = reportIn(await runCli([...RUN, "--output", "json", "fix it"], ci, env));
  expect(report).toMatchObject({ outcome: "completed", error: null });
  return { ci, session: report.session, env };
}

const json = (end: CliEnd): Record<string, unknown> => JSON.parse(end.stdout) as Record<string, unknown>; // printed with --json

describe("a session that moves", () => {
  it("is written into a file in CI, read in on a laptop, resumed there and merged", async () => {
    const { ci, session, env } = await worked();
    const file = join(ci.directory, "session.belay");
    expect(await runCli(["sessions", "export", session, "-o", file], ci, env)).toMatchObject({ code: 0, stdout: "" });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readdirSync(ci.directory).filter((name) => name.startsWith("session.belay"))).toEqual(["session.belay"]);

    const home = testPlace();
    const repository = join(home.directory, "clone");
    execFileSync("git", ["clone", "-q", ci.repository, repository]);
    execFileSync("git", ["-C", repository, "config", "user.email", "a@example.org"]);
    const laptop = { ...home, repository };
    const there = await emulated([...TURNS, { say: "Looked." }], laptop);
    const imported = await runCli(["sessions", "import", file, "--json"], laptop, there);
    expect(imported.stderr).toBe("");
    expect(json(imported)).toMatchObject({ session, from: session, connected: true, exact: true, without_files: null });
    expect((await runCli(["sessions", "list"], laptop, there)).stdout).toContain(session);
    expect((await runCli(["diff", session, "--stat"], laptop, there)).stdout).toContain("more.txt");
    if (CONFINED) {
      const resumed = await runCli(["resume", session, "--output", "json", "-M", "look again"], laptop, there);
      expect(reportIn(resumed)).toMatchObject({ outcome: "completed", session, turns: 4 });
    }
    expect((await runCli(["replay", session], laptop, there)).stdout).toContain("replayed to the byte");
    expect(await runCli(["merge", session], laptop, there)).toMatchObject({ code: 0 });
    expect(readFileSync(join(repository, "src/app.js"), "utf8")).toContain("return 2");
    const again = await runCli(["sessions", "import", file], laptop, there);
    expect(again).toMatchObject({ code: 1 });
    expect(again.stderr).toContain("--as-new");
  });

  it("goes through a pipe, and a damaged file leaves nothing behind", async () => {
    const { ci, session, env } = await worked();
    const script = `"$0" sessions export ${session} -o - | "$0" sessions import - --as-new --json`;
    const belay = join(import.meta.dirname, "../../bin/belay");
    const piped = execFileSync("sh", ["-c", script, belay], { cwd: ci.repository, env, encoding: "utf8" });
    const { session: copy } = JSON.parse(piped) as { session: string };
    expect(copy).not.toBe(session);
    const file = join(ci.directory, "cut.belay");
    await runCli(["sessions", "export", session, "-o", file], ci, env);
    writeFileSync(file, readFileSync(file).subarray(0, 2_000));
    const before = readdirSync(join(ci.home, "sessions"));
    const refused = await runCli(["sessions", "import", file, "--as-new"], ci, env);
    expect(refused).toMatchObject({ code: 1, stdout: "" });
    expect(refused.stderr).toContain("cannot be imported");
    expect(readdirSync(join(ci.home, "sessions"))).toEqual(before);
  });
});

describe("a session that is forked and replayed", () => {
  it("goes on from the middle, and says what it was at any place", async () => {
    const { ci, session, env } = await worked();
    const lines = (await runCli(["sessions", "export", session], ci, env)).stdout.trim().split("\n");
    const kinds = lines.map((line) => (JSON.parse(line) as { event: { kind: string; seq: number } }).event);
    const at = kinds.find((event) => event.kind === "ToolFinished")?.seq ?? 0;
    const forked = await runCli(["sessions", "fork", session, "--at", `${at}`, "--json"], ci, env);
    const fork = json(forked) as { session: string; workspace: string };
    expect(readFileSync(join(fork.workspace, "src/app.js"), "utf8")).toContain("return 2");
    expect(existsSync(join(fork.workspace, "more.txt"))).toBe(false);
    const resumed = await runCli(
      ["resume", fork.session, "--output", "json"],
      ci,
      await emulated([FIRST, { say: "Done." }], ci),
    );
    expect(reportIn(resumed)).toMatchObject({ outcome: "completed", session: fork.session });

    const replayed = await runCli(["replay", fork.session, "--json"], ci, env);
    expect(replayed.code).toBe(0);
    expect(json(replayed)).toMatchObject({ verdict: "equal", findings: [], unknown: 0 });
    const request = json(await runCli(["replay", session, "--request", "2"], ci, env));
    expect(request).toMatchObject({ call: 2, turn: 2, as_sent: true, prompt_as_sent: true });
    expect(json(await runCli(["replay", session, "--at", `${at}`], ci, env))).toMatchObject({ seq: at, turn: 1 });
    expect(await runCli(["replay", session, "--at", "9999"], ci, env)).toMatchObject({ code: EXIT_TABLE.usage.code });
    expect(await runCli(["sessions", "fork", session, "--at", "9999"], ci, env)).toMatchObject({
      code: EXIT_TABLE.usage.code,
    });
  });
});
