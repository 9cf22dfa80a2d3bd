/** The list of trusted directories: what breaks if two change it at once, if it is damaged, or if somebody else wrote it? */
import { fork } from "node:child_process";
import { once } from "node:events";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { differenceOf, hashOfItems, type TrustedDirectory, type TrustItem } from "../../../src/extension/trust.ts";
import { changeTrust, readTrust } from "../../../src/extension/trust-store.ts";

let home = "";
beforeEach(() => {
  home = join(fs.mkdtempSync(join(tmpdir(), "belay-trust-")), "home");
});
afterEach(() => {
  fs.rmSync(join(home, ".."), { recursive: true, force: true });
});

const entry = (path: string, items: readonly TrustItem[] = []): TrustedDirectory => ({
  path,
  at: 1,
  files: [],
  items: [...items],
});
const add = (path: string): ReturnType<typeof changeTrust> =>
  changeTrust(home, ({ directories, declined }) => ({ directories: [...directories, entry(path)], declined }));

describe("the list of trusted directories", () => {
  it("is empty where there is none, and is its owner's alone afterwards", async () => {
    expect(readTrust(home)).toEqual({ directories: [], declined: [], damage: null });
    await add("/a");
    expect(readTrust(home)).toEqual({ directories: [entry("/a")], declined: [], damage: null });
    expect(fs.statSync(join(home, "trust.json")).mode & 0o777).toBe(0o600);
    expect(fs.statSync(home).mode & 0o777).toBe(0o700);
    expect(fs.readdirSync(home).sort()).toEqual(["trust.json", "trust.lock"]);
  });

  it("loses nothing of what several processes add at once", async () => {
    const children = ["a", "b", "c"].map((name) =>
      fork(join(import.meta.dirname, "trust-child.ts"), [home, name, "15"]),
    );
    const codes = await Promise.all(children.map(async (child) => ((await once(child, "exit")) as [number])[0]));
    expect(codes).toEqual([0, 0, 0]);
    expect(readTrust(home).directories).toHaveLength(45);
  });

  it.each([
    ["it is no JSON", (path: string) => fs.writeFileSync(path, "{", { mode: 0o600 })],
    ["it is no list of trusted directories", (path: string) => fs.writeFileSync(path, "{}", { mode: 0o600 })],
    [
      "other users may write it",
      (path: string) => {
        fs.chmodSync(path, 0o666);
      },
    ],
    [
      "it is a link",
      (path: string) => {
        fs.renameSync(path, join(home, "elsewhere"));
        fs.symlinkSync("elsewhere", path);
      },
    ],
    ["it is no file", (path: string) => (fs.rmSync(path), fs.mkdirSync(path))],
  ])("trusts nothing when %s, says so, and is set aside by the next change", async (damage, plant) => {
    await add("/a");
    const path = join(home, "trust.json");
    plant(path);
    expect(readTrust(home)).toEqual({ directories: [], declined: [], damage });
    await add("/b");
    expect(readTrust(home)).toEqual({ directories: [entry("/b")], declined: [], damage: null });
    expect(fs.existsSync(`${path}.damaged`)).toBe(true);
  });

  it("keeps the newest five hundred", async () => {
    const many = Array.from({ length: 501 }, (_, n) => entry(`/d${n}`));
    await changeTrust(home, () => ({ directories: many, declined: [] }));
    expect(readTrust(home).directories.map(({ path }) => path)).toEqual(many.slice(1).map(({ path }) => path));
  });
});

describe("what was trusted", () => {
  const item = (text: string, kind: TrustItem["kind"] = "allow", file = "f"): TrustItem => ({ file, kind, text });

  it("is each item in the very words, in its own file", () => {
    const before = entry("/a", [item("Bash(npm test)"), item("X", "hook")]);
    expect(differenceOf([item("Bash(npm test)"), item("X", "mcp"), item("X", "hook", "g")], before)).toEqual({
      added: [item("X", "mcp"), item("X", "hook", "g")],
      removed: [item("X", "hook")],
    });
    expect(differenceOf([item("a")], null)).toEqual({ added: [item("a")], removed: [] });
  });

  it("has one hash, whatever its order", () => {
    const [a, b] = [item("a"), item("b")];
    expect(hashOfItems([a, b])).toBe(hashOfItems([b, a, a]));
    expect(hashOfItems([a, b])).not.toBe(hashOfItems([a]));
    expect(hashOfItems([item("a", "deny")])).not.toBe(hashOfItems([a]));
  });
});
