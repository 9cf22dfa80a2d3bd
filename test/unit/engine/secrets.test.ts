/** Where the value behind a secret's token may go: into files of the workspace, never where something can carry it away. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { callTool, say, scriptedModel } from "../../../src/testing/scripted-model.ts";
import { createRedactor } from "../../../src/store/redaction.ts";
import { memoryVault } from "../../../src/store/vault.ts";
import { testHost } from "../../support/host.ts";
import { eventsOf, resultTexts, SANDBOX, start, testPlace } from "../../support/session.ts";

const SECRET = "value-of-the-deploy-secret-4711";

async function sessionWith(
  command: string,
  network: boolean,
): Promise<{ readonly results: readonly string[]; readonly root: string }> {
  const place = testPlace();
  writeFileSync(join(place.repository, "deploy.env"), `DEPLOY=${SECRET}\n`);
  const redactor = createRedactor({
    known: [{ name: "DEPLOY", value: SECRET }],
    vault: memoryVault(new Uint8Array(32)),
  });
  const token = redactor.redact(SECRET).text;
  expect(token).toMatch(/^\[secret:DEPLOY:/);
  const model = scriptedModel([
    callTool("edit", { path: "deploy.env", old_string: `DEPLOY=${token}`, new_string: `TOKEN=${token}` }),
    callTool("bash", { command: command.replace("TOKEN", `'${token}'`) }),
    say("Done."),
  ]);
  const host = { ...(await testHost({ home: place.home, model })), redactor: () => Promise.resolve(redactor) };
  const live = await start(host, place, { sandbox: { mode: SANDBOX, network } });
  const report = await live.done;
  expect(report).toMatchObject({ outcome: "completed" });
  return { results: resultTexts(await eventsOf(host, live.session)), root: report.workspace ?? "" };
}

describe("a secret that the model only knows by its token", () => {
  it("can be edited in a file, and is put back there as it was", async () => {
    const { results, root } = await sessionWith("true", false);
    expect(results[0]).toMatch(/^ok/);
    expect(readFileSync(join(root, "deploy.env"), "utf8")).toBe(`TOKEN=${SECRET}\n`);
  });

  it("reaches no command that could send it anywhere", async () => {
    const { root } = await sessionWith("printf %s TOKEN > copy", true);
    expect(readFileSync(join(root, "copy"), "utf8")).not.toContain(SECRET);
  });
});
