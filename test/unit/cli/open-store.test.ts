/** Which store a command opens, and what it says when it cannot. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { readEnvironment } from "../../../src/cli/environment.ts";
import type { Face } from "../../../src/cli/face.ts";
import { openStore } from "../../../src/cli/open-store.ts";
import { postgresUrl } from "../../support/postgres.ts";

/** A face with only the facts that opening a store looks at. */
function faceWith(store: string | undefined, said: string[] = []): Face {
  const home = mkdtempSync(join(tmpdir(), "belay-open-"));
  onTestFinished(() => rmSync(home, { recursive: true, force: true }));
  const environment = readEnvironment({ BELAY_HOME: home, BELAY_STORE: store }, home);
  const face: Pick<Face, "environment"> & { readonly err: { line(text: string): void } } = {
    environment,
    err: { line: (text) => void said.push(text) },
  };
  return face as Face; // nothing else of it is used
}

describe("the store of a command", () => {
  it.each([undefined, ""])("is a file below belay's home when BELAY_STORE is %j", async (value) => {
    const store = await openStore(faceWith(value));
    expect(store.capabilities.name).toBe("sqlite");
    await store.close();
  });

  it.each(["postgres", "postgresql"])("is the database that BELAY_STORE=%s:// names", async (scheme) => {
    const said: string[] = [];
    const store = await openStore(faceWith((await postgresUrl()).replace(/^postgres(ql)?:/, `${scheme}:`), said));
    expect(store.capabilities.name).toBe("postgres");
    expect(said).toEqual(store.capabilities.weakened.map((sentence) => `belay: ${sentence}`));
    await store.close();
  });

  it("is refused for any other address, which is not repeated", async () => {
    const error: unknown = await openStore(faceWith("mysql://u:a-password@h/db")).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ kind: "config_invalid" });
    expect(String(error)).toContain("BELAY_STORE");
    expect(String(error)).not.toContain("a-password");
  });

  it("has a password that is never journaled", () => {
    const { secrets } = faceWith("postgres://u:a-password@h/db").environment;
    expect(secrets).toEqual([{ name: "BELAY_STORE", value: "a-password" }]);
  });
});
