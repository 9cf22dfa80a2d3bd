/** Reading one file of somebody else's: what breaks if it is no file, leads elsewhere, never ends or is swapped meanwhile? */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type PlainFile, readFileBelow, readPlainFile } from "../../../src/extension/plain-file.ts";

const LONG = process.env["BELAY_TEST_LONG"] === "1";
const MAX = 1_000;

let directory = "";
let root = "";
beforeEach(() => {
  directory = fs.realpathSync(fs.mkdtempSync(join(tmpdir(), "belay-plain-")));
  root = join(directory, "root");
  fs.mkdirSync(join(root, "a/b"), { recursive: true });
  fs.writeFileSync(join(directory, "secret"), "secret");
  fs.writeFileSync(join(root, "a/b/file"), "inside");
});
afterEach(() => {
  fs.rmSync(directory, { recursive: true, force: true });
});

const below = (path: string): PlainFile => readFileBelow(root, path, MAX);
const refused = (why: string): PlainFile => ({ found: "refused", why });

describe("a file below a root", () => {
  it("is read with the hash of its bytes, and without its byte order mark", () => {
    fs.writeFileSync(join(root, "bom"), "\uFEFFinside");
    expect(below("a/b/file")).toEqual({
      found: "text",
      text: "inside",
      hash: sha256("inside"),
      at: "a/b/file",
    });
    expect(below("bom")).toMatchObject({ text: "inside", hash: sha256("\uFEFFinside") });
  });

  it("may be reached by links that stay inside, and says where they led", () => {
    fs.symlinkSync("a/b", join(root, "short"));
    fs.symlinkSync("../a/b/file", join(root, "a/link"));
    fs.symlinkSync(join(root, "a/b/file"), join(root, "absolute"));
    for (const path of ["short/file", "a/link", "absolute"])
      expect(below(path)).toMatchObject({ text: "inside", at: "a/b/file" });
  });

  it("is nothing where nothing is, or where the way there is a file", () => {
    fs.symlinkSync("nowhere", join(root, "dangling"));
    for (const path of ["none", "a/none/file", "a/b/file/below", "dangling"])
      expect(below(path)).toEqual({ found: "nothing" });
  });

  it.each([
    ["an absolute link out", (at: string) => fs.symlinkSync(join(directory, "secret"), at)],
    ["a relative link out", (at: string) => fs.symlinkSync("../secret", at)],
    ["a link to /etc/passwd", (at: string) => fs.symlinkSync("/etc/passwd", at)],
    [
      "a link to what begins like the root",
      (at: string) => (fs.mkdirSync(`${root}x`), fs.symlinkSync(`${root}x/f`, at)),
    ],
    [
      "a link through a link",
      (at: string) => (fs.symlinkSync("..", join(root, "up")), fs.symlinkSync("up/secret", at)),
    ],
  ])("is refused behind %s", (_, plant) => {
    plant(join(root, "planted"));
    expect(below("planted")).toEqual(refused("it leads out of the directory"));
  });

  it("is refused where it is no plain file, too large, no text or a circle", () => {
    execFileSync("mkfifo", [join(root, "pipe")]);
    fs.mkdirSync(join(root, "directory"));
    fs.writeFileSync(join(root, "large"), "x".repeat(MAX + 1));
    fs.writeFileSync(join(root, "binary"), Buffer.from([0xff, 0xfe]));
    fs.symlinkSync("circle", join(root, "circle"));
    expect(["pipe", "directory", "large", "binary", "circle"].map(below)).toEqual([
      refused("it is no file"),
      refused("it is no file"),
      refused(`it has more than ${MAX} bytes`),
      refused("it is no UTF-8 text"),
      refused("it leads through more than 8 links"),
    ]);
    fs.writeFileSync(join(root, "large"), "x".repeat(MAX));
    expect(below("large").found).toBe("text");
  });

  it("is never the one outside, however often a directory on the way is swapped for a link", async () => {
    fs.mkdirSync(join(directory, "out/b"), { recursive: true });
    fs.writeFileSync(join(directory, "out/b/file"), "outside");
    const swapper = new Worker(SWAPPER, { eval: true, workerData: { root, out: join(directory, "out") } });
    await new Promise((resolve) => swapper.once("message", resolve));
    const seen = new Set<string>();
    for (let n = 0; n < (LONG ? 50_000 : 3_000); n++) {
      const found = below("a/b/file");
      seen.add(found.found === "text" ? found.text : found.found);
    }
    await swapper.terminate();
    expect(seen).not.toContain("outside");
    expect(seen).toContain("inside"); // the trap was open part of the time
    expect(seen).toContain("refused"); // and shut part of the time
  });
});

describe("a file of the user's own choice", () => {
  it("is read behind any link, and is still a plain one", () => {
    fs.symlinkSync(join(directory, "secret"), join(root, "link"));
    expect(readPlainFile(join(root, "link"), MAX)).toMatchObject({ text: "secret" });
    execFileSync("mkfifo", [join(directory, "pipe")]);
    for (const path of [join(directory, "pipe"), "/dev/zero", root])
      expect(readPlainFile(path, MAX)).toEqual(refused("it is no file"));
    expect(readPlainFile(join(directory, "none"), MAX)).toEqual({ found: "nothing" });
  });
});

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** Swaps `a` for a link out of the root and back, for as long as it is let. */
const SWAPPER = `
  const { parentPort, workerData } = require("node:worker_threads");
  const fs = require("node:fs");
  const { root, out } = workerData;
  fs.symlinkSync(out, root + "/link");
  parentPort.postMessage("ready");
  for (;;) {
    fs.renameSync(root + "/a", root + "/kept");
    fs.renameSync(root + "/link", root + "/a");
    fs.renameSync(root + "/a", root + "/link");
    fs.renameSync(root + "/kept", root + "/a");
  }
`;
