/** The built command: a session keeps its prompt, and CI fails when a prompt changes that nobody accepted. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { startEmulator } from "../../src/testing/emulator/emulator.ts";
import { environmentOf, reportIn, runCli } from "../support/cli.ts";
import { SANDBOX, testPlace } from "../support/session.ts";

const RUN = SANDBOX === "bwrap" ? ["run"] : ["run", "--no-sandbox"];

it("a session is held to its prompt: its hashes are printed, and a resume with --repin says when nothing differs", async () => {
  const place = testPlace();
  const emulator = await startEmulator({ scenario: { turns: [{ say: "Done." }, { say: "More." }] } });
  onTestFinished(() => emulator.close());
  const environment = environmentOf(place, emulator);
  const { session } = reportIn(await runCli([...RUN, "--output", "json", "look"], place, environment));
  const again = await runCli(["resume", session, "--repin", "-M", "more", "--output", "json"], place, environment);
  expect(again).toMatchObject({ code: 0 });
  const versions = await runCli(["sessions", "show", session, "--versions", "--json"], place, environment);
  // Printed by the command under test.
  const report = JSON.parse(versions.stdout) as { pins: { parts: { kind: string; name: string }[] }[] };
  expect(report.pins).toHaveLength(1);
  expect(report.pins[0]?.parts).toContainEqual(expect.objectContaining({ kind: "tool", name: "bash" }));
  const diff = await runCli(["prompts", "diff", "--session", session], place, environment);
  expect(diff).toMatchObject({ code: 0, stdout: "Nothing differs.\n" });
  const [first, second] = emulator.requests.map(({ body }) => JSON.stringify(body));
  expect(second?.length ?? 0).toBeGreaterThan(first?.length ?? 0);
});

it("belay prompts check passes after a lock, and fails with an annotation on GitHub when a skill changes", async () => {
  const place = testPlace();
  const skill = join(place.repository, ".claude/skills/release/SKILL.md");
  mkdirSync(join(skill, ".."), { recursive: true });
  writeFileSync(skill, "Tag it.\n");
  const environment = { ...environmentOf(place, null), GITHUB_ACTIONS: "true" };
  expect(await runCli(["prompts", "check"], place, environment)).toMatchObject({ code: 2 });
  expect(await runCli(["prompts", "lock"], place, environment)).toMatchObject({ code: 0 });
  expect(await runCli(["prompts", "check"], place, environment)).toMatchObject({ code: 0 });
  writeFileSync(skill, "Do not tag it.\n");
  const { code, stdout } = await runCli(["prompts", "check"], place, environment);
  expect(code).toBe(3);
  expect(stdout).toContain("::error title=a prompt is not as locked,file=.claude/skills/release/SKILL.md::");
  expect(stdout).toContain("belay prompts lock");
});
