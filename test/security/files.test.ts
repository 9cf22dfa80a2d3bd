/**
 * Can the file tools be led out of the workspace? A thread swaps a directory for a link to a victim as fast as it can while
 * files are read and written through it. The control shows that the race is real: the naive way escapes.
 */
import { once } from "node:events";
import * as fs from "node:fs";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { pathFromText } from "../../src/workspace/byte-path.ts";
import { openWorkspaceFiles } from "../../src/workspace/files/files.ts";
import { RootedDirectory } from "../../src/workspace/files/rooted.ts";
import { temporaryDirectory } from "../unit/workspace/given.ts";

const ATTEMPTS = 5_000;
/** The control stops at its first escape; without one in that many attempts the race could not be shown. */
const CONTROL_ATTEMPTS = 2_000_000;

/** `dir` is by turns a directory and a link to the victim, until `stop` is set. */
const SWAPPER = `
  const { workerData } = require("node:worker_threads");
  const fs = require("node:fs");
  const { root, victim, flag } = workerData;
  const stop = new Int32Array(flag);
  const dir = root + "/dir", real = root + "/real", link = root + "/link";
  Atomics.store(stop, 1, 1); Atomics.notify(stop, 1);
  while (Atomics.load(stop, 0) === 0) {
    try { fs.renameSync(dir, real); fs.renameSync(link, dir); } catch {}
    try { fs.renameSync(dir, link); fs.renameSync(real, dir); } catch {}
    Atomics.add(stop, 2, 1);
  }
`;

interface Race {
  readonly root: string;
  readonly victim: string;
  readonly swaps: () => number;
  readonly end: () => Promise<void>;
}

function startRace(): Race {
  const top = temporaryDirectory();
  const [root, victim] = [join(top, "root"), join(top, "victim")];
  fs.mkdirSync(join(root, "dir"), { recursive: true });
  fs.mkdirSync(victim);
  fs.writeFileSync(join(root, "dir/file"), "inside");
  fs.writeFileSync(join(victim, "file"), "SECRET");
  fs.symlinkSync(victim, join(root, "link"));
  const flag = new SharedArrayBuffer(12);
  const shared = new Int32Array(flag);
  const worker = new Worker(SWAPPER, { eval: true, workerData: { root, victim, flag } });
  const ended = once(worker, "exit");
  return {
    root,
    victim,
    swaps: () => Atomics.load(shared, 2),
    end: async () => {
      Atomics.store(shared, 0, 1);
      await ended;
    },
  };
}

/** The victim's only file is as it was, and nothing was put beside it. */
function isUntouched(victim: string): boolean {
  return fs.readdirSync(victim).join() === "file" && fs.readFileSync(join(victim, "file"), "utf8") === "SECRET";
}

describe("a directory that is swapped for a link", () => {
  let race: Race;
  beforeEach(async () => {
    race = startRace();
    while (race.swaps() === 0) await setImmediate();
  });
  afterEach(async () => race.end());

  test("control: checking the path and then opening it escapes", async () => {
    let escapes = 0;
    for (let n = 0; n < CONTROL_ATTEMPTS && escapes === 0; n++) {
      const path = join(race.root, "dir/file");
      try {
        if (!fs.realpathSync(path).startsWith(`${race.root}/`)) continue;
        if (fs.readFileSync(path, "utf8") === "SECRET") escapes++;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === undefined) throw error;
      }
    }
    expect(escapes).toBe(1);
  }, 300_000);

  test("reads and writes through it never leave the workspace", async () => {
    const files = openWorkspaceFiles(race.root);
    const before = race.swaps();
    const count = { read: 0, written: 0, refused: 0, escaped: 0 };
    for (let n = 0; n < ATTEMPTS || race.swaps() - before < ATTEMPTS; n++) {
      try {
        if (n % 2 === 0) {
          const content = Buffer.from(await files.read("dir/file", 1_000)).toString();
          if (content === "SECRET") count.escaped++;
          count.read++;
        } else {
          await files.write("dir/file", Buffer.from("inside"));
          count.written++;
        }
      } catch (error) {
        expect(error).toMatchObject({ kind: expect.stringMatching(/^(path_outside|file_failed)$/) as string });
        count.refused++;
      }
    }
    expect(count.escaped).toBe(0);
    expect(isUntouched(race.victim)).toBe(true);
    expect(Math.min(count.read, count.written, count.refused)).toBeGreaterThan(0);
  }, 300_000);

  test("what restore and snapshot do with files never leaves it either", async () => {
    const files = new RootedDirectory(race.root);
    const [path, fresh] = [pathFromText("dir/file"), pathFromText("dir/sub/fresh")];
    const before = race.swaps();
    for (let n = 0; n < ATTEMPTS || race.swaps() - before < ATTEMPTS; n++) {
      try {
        expect(files.readFile(path, 1_000)?.content.toString()).not.toBe("SECRET");
        files.replaceFile(n % 2 === 0 ? path : fresh, Buffer.from("inside"), 0o644);
        files.changeMode(path, 0o600);
        files.removeFile(fresh);
        files.removeEmptyDirectory(pathFromText("dir/sub"));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === undefined) throw error;
      }
    }
    expect(isUntouched(race.victim)).toBe(true);
    expect(fs.statSync(join(race.victim, "file")).mode & 0o777).toBe(0o644);
  }, 300_000);
});
