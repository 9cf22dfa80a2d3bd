/** What one run remembers, the next one is told, and a person takes away: the built command, as users type it. */
import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { startEmulator } from "../../src/testing/emulator/emulator.ts";
import { environmentOf, reportIn, runCli } from "../support/cli.ts";
import { SANDBOX, testPlace } from "../support/session.ts";

const RUN = SANDBOX === "bwrap" ? ["run"] : ["run", "--no-sandbox"];

function holding(directory: string, text: string): readonly string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true }).flatMap((entry) => {
    const path = join(entry.parentPath, entry.name);
    return entry.isFile() && readFileSync(path).includes(text) ? [path] : [];
  });
}

it("a memory is written by one run, recalled by the next, listed, and gone without a trace when it is forgotten", async () => {
  const place = testPlace();
  const mark = `quorum${randomBytes(8).toString("hex")}`;
  const text = `the ${mark} cluster holds the staging data`;
  const emulator = await startEmulator({
    scenario: {
      turns: [
        { call: [{ tool: "remember", input: { text, kind: "semantic" } }] },
        { say: "Done." },
        { say: "Looked." },
      ],
    },
  });
  onTestFinished(() => emulator.close());
  const environment = environmentOf(place, emulator);
  const belay = async (...args: readonly string[]): Promise<string> => {
    const end = await runCli(args, place, environment);
    expect(end, end.stderr).toMatchObject({ code: 0 });
    return end.stdout;
  };
  const first = reportIn(await runCli([...RUN, "--output", "json", "look around"], place, environment));
  expect(first.outcome).toBe("completed");
  const [kept] = JSON.parse(await belay("memory", "list", "--json")) as readonly {
    readonly id: string;
    readonly text: string;
  }[]; // printed by the command
  expect(kept?.text).toBe(text);

  // The emulator goes by how many answers there were: this run asks for the memory again, which confirms it.
  await belay(...RUN, "--output", "json", "clean the staging data up");
  const shown = await belay("memory", "search", "staging", "data");
  expect(shown).toContain(text);
  expect(await belay("dream")).toContain("stay as they are");

  const all = JSON.parse(await belay("memory", "list", "--state", "all", "--json")) as readonly {
    readonly id: string;
  }[]; // as above
  await belay("memory", "forget", ...all.map(({ id }) => id));
  expect(holding(place.home, mark)).toEqual([]);
  await belay("resume", first.session, "--message", "and now?", "--output", "json");
  expect(holding(place.home, mark)).toEqual([]);
  expect(await belay("memory")).toContain("There are no memories here.");
}, 60_000);
