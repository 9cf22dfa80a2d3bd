/** Files that a user names for output: whole or not at all, and nothing else is touched. */
import { execFileSync } from "node:child_process";
import {
  createReadStream,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { Writable } from "node:stream";
import { text } from "node:stream/consumers";
import { tmpdir } from "node:os";
import { describe, expect, it, onTestFinished } from "vitest";
import { writeWhole } from "../../../src/cli/whole-file.ts";

function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "belay-whole-"));
  onTestFinished(() => {
    rmSync(directory, { recursive: true });
  });
  return directory;
}

const writing =
  (content: string) =>
  (to: Writable): Promise<void> =>
    pipeline([Buffer.from(content)], to);

describe("a file that a user named", () => {
  it("is there whole, for its owner alone, in place of an older one, and a link to it stays a link", async () => {
    const directory = temporaryDirectory();
    const file = join(directory, "out");
    writeFileSync(file, "old", { mode: 0o644 });
    symlinkSync("out", join(directory, "link"));
    await writeWhole(join(directory, "link"), "link", writing("new"));
    expect([readFileSync(file, "utf8"), statSync(file).mode & 0o777]).toEqual(["new", 0o600]);
    expect(lstatSync(join(directory, "link")).isSymbolicLink()).toBe(true);
    expect(readdirSync(directory).sort()).toEqual(["link", "out"]);
  });

  it("is left as it was when the work fails, and nothing stays beside it", async () => {
    const directory = temporaryDirectory();
    writeFileSync(join(directory, "out"), "old");
    const failing = writeWhole(join(directory, "out"), "out", () => Promise.reject(new RangeError("no")));
    await expect(failing).rejects.toThrow("no");
    expect(readFileSync(join(directory, "out"), "utf8")).toBe("old");
    expect(readdirSync(directory)).toEqual(["out"]);
  });

  it("is written to and not replaced when it is a pipe or a device", async () => {
    const directory = temporaryDirectory();
    const pipe = join(directory, "pipe");
    execFileSync("mkfifo", [pipe]);
    const read = text(createReadStream(pipe));
    await writeWhole(pipe, "pipe", writing("through"));
    expect(await read).toBe("through");
    expect(lstatSync(pipe).isFIFO()).toBe(true);
    symlinkSync("/dev/full", join(directory, "full"));
    await expect(writeWhole(join(directory, "full"), "full", writing("x"))).rejects.toMatchObject({
      kind: "file_failed",
      happened: "full could not be written (ENOSPC).",
    });
    expect(statSync("/dev/full").isCharacterDevice()).toBe(true);
  });

  it("is refused in two sentences when it is a directory, or stands in none", async () => {
    const directory = temporaryDirectory();
    mkdirSync(join(directory, "d"));
    for (const name of ["d", "missing/out"])
      await expect(writeWhole(join(directory, name), name, writing("x"))).rejects.toMatchObject({
        kind: "file_failed",
      });
    expect(readdirSync(directory)).toEqual(["d"]);
  });
});
