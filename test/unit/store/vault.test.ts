/** The vault: V1, V2, and a file that only its owner reads. */
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createRedactor } from "../../../src/store/redaction.ts";
import { memoryVault, openVault, TOKENS_MAX } from "../../../src/store/vault.ts";

let directory: string;
let path: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "belay-vault-"));
  path = join(directory, "session", "secrets.json");
});
afterEach(() => rm(directory, { recursive: true, force: true }));

describe("a vault", () => {
  it("is a file of its owner alone, in a directory of its owner alone", async () => {
    const vault = await openVault({ path });
    vault.tokenOf("KEY", "correct horse");
    await vault.flush();
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await stat(join(directory, "session"))).mode & 0o777).toBe(0o700);
    expect(await readdir(join(directory, "session"))).toEqual(["secrets.json"]);
  });

  it("V2: turns its tokens back after it was opened again, and gives the same ones", async () => {
    const vault = await openVault({ path });
    const token = vault.tokenOf("KEY", "correct horse");
    await vault.flush();
    const again = await openVault({ path });
    expect(again.textOf(token)).toBe("correct horse");
    expect(again.tokenOf("KEY", "correct horse")).toBe(token);
    expect(createRedactor({ known: [], vault: again }).redact("a correct horse").text).toBe(`a ${token}`);
  });

  it("gives the same tokens to two that open it at the same moment", async () => {
    const vaults = await Promise.all(Array.from({ length: 5 }, () => openVault({ path })));
    expect(new Set(vaults.map((vault) => vault.tokenOf("KEY", "correct horse"))).size).toBe(1);
  });

  it("drops nobody's tokens when two write", async () => {
    const [a, b] = await Promise.all([openVault({ path }), openVault({ path })]);
    const tokens = [a?.tokenOf("A", "correct horse"), b?.tokenOf("B", "battery staple")];
    await a?.flush();
    await b?.flush();
    const again = await openVault({ path });
    expect(tokens.map((token) => again.textOf(token ?? ""))).toEqual(["correct horse", "battery staple"]);
  });

  it("takes out what is more than it keeps, and ends nothing", () => {
    const vault = memoryVault();
    for (let i = 0; i < TOKENS_MAX; i++) vault.tokenOf("KEY", `secret number ${i}`);
    const late = vault.tokenOf("KEY", "one too many");
    expect(vault.textOf(late)).toBe("(one of more than 10000 secrets: not kept)");
    expect([vault.tokenOf("B", "another"), vault.tokenOf("KEY", "secret number 7")]).toEqual([
      late,
      vault.tokenOf("KEY", "secret number 7"),
    ]);
    expect(vault.textOf(vault.tokenOf("KEY", "secret number 7"))).toBe("secret number 7");
  });

  it("is written only when there is something new", async () => {
    const vault = await openVault({ path });
    vault.tokenOf("KEY", "correct horse");
    await vault.flush();
    const before = await stat(path);
    vault.tokenOf("KEY", "correct horse");
    await vault.flush();
    expect((await stat(path)).ino).toBe(before.ino);
  });

  it("V1: never gives one token to two texts", () => {
    const vault = memoryVault();
    const tokens = Array.from({ length: 5_000 }, (_, i) => vault.tokenOf("KEY", `text ${i}`));
    expect(new Set(tokens).size).toBe(5_000);
    expect(tokens.map((token) => vault.textOf(token)).every((text, i) => text === `text ${i}`)).toBe(true);
  });

  it("makes a safe name of any name", () => {
    expect(memoryVault().tokenOf("a key:]\n", "text")).toMatch(/^\[secret:a_key___:[0-9a-f]{8}\]$/);
    expect(memoryVault().tokenOf("", "text")).toMatch(/^\[secret:secret:[0-9a-f]{8}\]$/);
  });

  it.each(["", "{", "[]", '{"version":2,"key":"00","secrets":{}}', '{"version":1,"key":"00","secrets":{"a":1}}'])(
    "that is damaged (%j) is refused, and left as it is",
    async (text) => {
      await openVault({ path });
      await chmod(path, 0o600);
      await writeFile(path, text);
      await expect(openVault({ path })).rejects.toMatchObject({ kind: "store_corrupt" });
      expect(await readFile(path, "utf8")).toBe(text);
    },
  );

  it("below something that is no directory is store_read_only", async () => {
    await writeFile(join(directory, "file"), "");
    await expect(openVault({ path: join(directory, "file", "secrets.json") })).rejects.toMatchObject({
      kind: "store_read_only",
    });
  });
});
