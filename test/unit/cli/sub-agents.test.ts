/** Sub-agents as somebody at a terminal meets them: the real command, over HTTP, from the first line to the removal. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { startEmulator } from "../../../src/testing/emulator/emulator.ts";
import { filesBelow } from "../../support/files-below.ts";
import { program, type ProgramEnd } from "../../support/program.ts";
import { testPlace, type TestPlace } from "../../support/session.ts";

function belay(place: TestPlace, url: string, ...args: readonly string[]): Promise<ProgramEnd> {
  const variables = {
    PATH: process.env["PATH"],
    HOME: join(place.home, "user"),
    BELAY_HOME: place.home,
    ANTHROPIC_BASE_URL: url,
    ANTHROPIC_API_KEY: "key-of-a-test",
  };
  return program({ directory: place.directory, cwd: place.repository, variables }, args);
}

const task = (agent: string, mark: string) => ({
  tool: "task",
  input: { agent, description: `the ${mark}`, prompt: `Do the part named ${mark}.` },
});

test("a run with sub-agents is shown, listed, counted, looked at and removed as one", async () => {
  const place = testPlace();
  const before = filesBelow(place.repository);
  const emulator = await startEmulator({
    scenario: {
      turns: [
        { say: "I hand it on.", call: [task("general", "chapter"), task("explore", "index")] },
        { say: "All is back." },
      ],
      conversations: [
        {
          task_contains: "the part named chapter",
          turns: [
            { call: [{ tool: "write", input: { path: "chapter.txt", content: "one\n" } }] },
            { say: "It is written." },
          ],
        },
        { task_contains: "the part named index", turns: [{ say: "There is none." }] },
      ],
    },
  });
  onTestFinished(() => emulator.close());
  const cli = (...args: readonly string[]) => belay(place, emulator.url, ...args);

  const run = await cli("run", "do it", "--no-sandbox");
  expect(run.code, run.err).toBe(0);
  const children = [...run.out.matchAll(/sub-agent \w+ begins: the \w+ \((ses_\w+)\)/g)].map(([, id = ""]) => id);
  expect(children).toHaveLength(2);
  expect(run.out).toMatch(/✓ sub-agent ses_\w+ ended: completed, 2 turns/);
  expect(run.out).toMatch(/✓ files of sub-agent ses_\w+: merged, 1 file/);
  expect(filesBelow(place.repository)).toEqual(before);

  const list = async (...more: readonly string[]) =>
    JSON.parse((await cli("sessions", "list", "--json", ...more)).out) as {
      session: string;
      agent?: string;
      title: string;
    }[]; // printed by the command under test
  const [own, ...others] = await list();
  const session = own?.session ?? "";
  expect(others).toEqual([]);
  const all = await list("--all");
  expect(all.map(({ agent = "nobody", title }) => `${agent}, ${title}`).sort()).toEqual([
    "explore, explore: the index",
    "general, general: the chapter",
    "nobody, do it",
  ]);
  expect(readFileSync(join(place.home, "sessions", session, "tree", "chapter.txt"), "utf8")).toBe("one\n");

  const shown = await cli("sessions", "show", session);
  for (const child of children) expect(shown.out).toContain(child);
  expect((await cli("cost", session)).out).toMatch(/Its 2 sub-agents cost \$\d\S* besides: \$\d\S* together\./);

  expect((await cli("sessions", "rm", session)).code).toBe(0);
  expect(readdirSync(join(place.home, "sessions"))).toEqual([]);
}, 120_000);

test("a model for a kind that cannot be asked here is said before anything starts", async () => {
  const place = testPlace();
  mkdirSync(place.home, { recursive: true });
  writeFileSync(
    join(place.home, "settings.json"),
    JSON.stringify({ model: { sub_agents: { explore: "openai/gpt-5", explorer: "anthropic/claude-haiku-4-5" } } }),
  );
  const { code, err, out } = await belay(place, "http://127.0.0.1:9", "run", "do it", "--no-sandbox");
  expect(code).not.toBe(0);
  expect(err).toContain("For sub-agents of the kind explore: ");
  expect(err).toContain("OPENAI_API_KEY");
  expect(out + err).toContain("names explorer, and there is no such kind of sub-agent");
  expect(existsSync(join(place.home, "sessions"))).toBe(false);
}, 60_000);
