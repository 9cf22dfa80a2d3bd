/** Which instruction files count, in which order, and what is done when they are hostile, damaged or huge. */
import { execFileSync } from "node:child_process";
import { symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  findInstructions,
  type FoundInstructions,
  INSTRUCTION_FILE_BYTES_MAX,
  INSTRUCTION_READ_BYTES_MAX,
  INSTRUCTIONS_BYTES_MAX,
} from "../../../src/context/instructions.ts";
import { type Given, given } from "./given.ts";

const found = ({ files }: Given, standing = "", untrusted = false): FoundInstructions =>
  findInstructions({ files, standing, untrusted });
const texts = (all: FoundInstructions): readonly string[] => all.files.map(({ path, text }) => `${path}: ${text}`);

describe("instruction files", () => {
  it("come from the user's own to the nearest, which counts most", () => {
    const all = given(
      {
        "AGENTS.md": "top",
        "CLAUDE.local.md": "mine here",
        "a/b/CLAUDE.md": "deep",
        "a/AGENTS.md": "mid",
        "c/AGENTS.md": "aside",
      },
      { ".claude/CLAUDE.md": "everywhere", ".belay/AGENTS.md": "with belay" },
    );
    expect(texts(found(all, "a/b"))).toEqual([
      "~/.claude/CLAUDE.md: everywhere",
      "~/.belay/AGENTS.md: with belay",
      "AGENTS.md: top",
      "CLAUDE.local.md: mine here",
      "a/AGENTS.md: mid",
      "a/b/CLAUDE.md: deep",
    ]);
  });

  it("say where they are from; those of strangers say that, and the user's own never", () => {
    const all = given({ "AGENTS.md": "top" }, { ".claude/CLAUDE.md": "mine" });
    expect(found(all, "", true).files.map(({ origin }) => origin)).toEqual([
      { from: "workspace", by: "~/.claude/CLAUDE.md" },
      { from: "workspace", by: "AGENTS.md", untrusted: true },
    ]);
  });

  it.each<readonly [string, (top: string) => void]>([
    ["the same text", (top) => writeFileSync(join(top, "CLAUDE.md"), "rules\n")],
    ["a link to it", (top) => symlinkSync("AGENTS.md", join(top, "CLAUDE.md"))],
    ["an import of it alone", (top) => writeFileSync(join(top, "CLAUDE.md"), "@AGENTS.md\n")],
    [
      "an import in a comment's company",
      (top) => writeFileSync(join(top, "CLAUDE.md"), "<!-- see -->\n@./AGENTS.md\n"),
    ],
  ])("enter once where CLAUDE.md is %s", (_, write) => {
    const all = given({ "AGENTS.md": "rules" });
    write(all.top);
    expect(found(all)).toMatchObject({ files: [{ path: "AGENTS.md", text: "rules" }], findings: [] });
  });

  it("lose their comments, and invisible characters become marks that are said", () => {
    const all = given({ "AGENTS.md": "a\n<!-- for people -->\nb\u200b\u202ec" });
    expect(found(all)).toMatchObject({
      files: [{ text: "a\nb⟨U+200B⟩⟨U+202E⟩c" }],
      findings: ["AGENTS.md: 2 invisible characters are shown as marks"],
    });
  });

  it("are found nowhere above the top, whatever the place is called", () => {
    expect(texts(found(given({ "AGENTS.md": "top" }), "../../x"))).toEqual(["AGENTS.md: top"]);
  });

  it("of a directory that is called like the user's home are still the project's", () => {
    expect(found(given({ "~/AGENTS.md": "x" }), "~").files[0]?.path).toBe("./~/AGENTS.md");
  });
});

describe("imports", () => {
  it("stand before the file that names them, relative to it, and say who named them", () => {
    const all = given({ "CLAUDE.md": "see @docs/style.md", "docs/style.md": "see @more.md", "docs/more.md": "more" });
    expect(found(all).files.map(({ path, imported_by }) => [path, imported_by])).toEqual([
      ["docs/more.md", "docs/style.md"],
      ["docs/style.md", "CLAUDE.md"],
      ["CLAUDE.md", null],
    ]);
  });

  it("may lead to Markdown of the user's own settings, and to nothing else there", () => {
    const all = given(
      {
        "CLAUDE.md":
          "@~/.claude/me.md @~/.claude/.credentials.json @~/.claude/projects/x.md @~/.ssh/id_rsa @~/.claude/../.ssh/a.md x",
      },
      {
        ".claude/me.md": "me",
        ".claude/.credentials.json": "{}",
        ".claude/projects/x.md": "a transcript",
        ".ssh/id_rsa": "key",
        ".ssh/a.md": "key",
      },
    );
    const { files, findings } = found(all);
    expect(files.map(({ path }) => path)).toEqual(["~/.claude/me.md", "CLAUDE.md"]);
    expect(findings).toEqual([
      "CLAUDE.md imports ~/.claude/.credentials.json: of the user's directories only Markdown is read",
      "CLAUDE.md imports ~/.claude/projects/x.md: of the user's directories only Markdown is read",
      "CLAUDE.md imports ~/.ssh/id_rsa, which lies outside: it was not read",
      "CLAUDE.md imports ~/.claude/../.ssh/a.md, which lies outside: it was not read",
    ]);
  });

  it("of strangers' files lead to nothing of the user's", () => {
    const all = given({ "CLAUDE.md": "@~/.claude/me.md and @b.md", "b.md": "b" }, { ".claude/me.md": "me" });
    const { files, findings } = found(all, "", true);
    expect(files.map(({ path, origin }) => [path, origin.untrusted])).toEqual([
      ["b.md", true],
      ["CLAUDE.md", true],
    ]);
    expect(findings).toEqual(["CLAUDE.md imports ~/.claude/me.md: strangers' files import nothing of the user's"]);
  });

  it("that lead out of the project are refused and said, by name and by link", () => {
    const all = given({ "CLAUDE.md": "@../secret.md @link.md @/etc/notes.md @dir/hosts.md x" });
    symlinkSync("/etc/hostname", join(all.top, "link.md"));
    symlinkSync("/etc", join(all.top, "dir"));
    expect(found(all)).toMatchObject({
      files: [{ path: "CLAUDE.md" }],
      findings: [
        "CLAUDE.md imports ../secret.md, which lies outside: it was not read",
        "CLAUDE.md imports link.md, which was not read: it leads out of the directory",
        "CLAUDE.md imports /etc/notes.md, which lies outside: it was not read",
        "CLAUDE.md imports dir/hosts.md, which was not read: it leads out of the directory",
      ],
    });
  });

  it("bring no file that holds secrets, whatever link leads to it", () => {
    const all = given({ "CLAUDE.md": "@.env @harmless.md x", ".env": "KEY=1" });
    symlinkSync(".env", join(all.top, "harmless.md"));
    symlinkSync(".env", join(all.top, "AGENTS.md"));
    expect(found(all)).toMatchObject({
      files: [{ path: "CLAUDE.md" }],
      findings: [
        "AGENTS.md leads to a file that holds secrets: it was not read",
        "CLAUDE.md imports .env, which holds secrets: it was not read",
        "harmless.md leads to a file that holds secrets: it was not read",
      ],
    });
  });

  it("in a circle end, each file once", () => {
    const all = given({ "CLAUDE.md": "one @a.md", "a.md": "two @b.md", "b.md": "three @a.md @CLAUDE.md @b.md" });
    expect(found(all)).toMatchObject({
      files: [{ path: "b.md" }, { path: "a.md" }, { path: "CLAUDE.md" }],
      findings: [],
    });
  });

  it("go five files deep", () => {
    const chain = Object.fromEntries(
      Array.from({ length: 8 }, (_, i) => [`f${String(i)}.md`, `${String(i)} @f${String(i + 1)}.md`]),
    );
    const { files, findings } = found(given({ ...chain, "CLAUDE.md": "x @f0.md" }));
    expect(files.map(({ path }) => path)).toEqual(["f4.md", "f3.md", "f2.md", "f1.md", "f0.md", "CLAUDE.md"]);
    expect(findings).toEqual(["f4.md imports f5.md: imports go 5 files deep, no further"]);
  });

  it("that were surely meant as paths are missed, people's names are not", () => {
    const { findings } = found(given({ "CLAUDE.md": "ask @alice or @team/core, see @docs/gone.md" }));
    expect(findings).toEqual(["CLAUDE.md imports docs/gone.md, and there is no such file"]);
  });

  it("are bounded in number over all files", () => {
    const many = Object.fromEntries(Array.from({ length: 90 }, (_, i) => [`m/f${String(i)}.md`, `text ${String(i)}`]));
    const names = Object.keys(many).map((path) => `@${path}`);
    const { files, findings } = found(given({ ...many, "CLAUDE.md": names.join(" ") }));
    expect(files).toHaveLength(40);
    expect(findings).toEqual(["more than 40 files are imported: m/f40.md and what follows is left out"]);
  });
});

describe("files that are too much", () => {
  it("of ten megabytes are not read, and that is said", () => {
    const all = given({ "AGENTS.md": Buffer.alloc(10 * 1024 * 1024, "x"), "CLAUDE.md": "small" });
    const said = `AGENTS.md was not read: it has more than ${String(INSTRUCTION_READ_BYTES_MAX)} bytes`;
    expect(found(all)).toMatchObject({ files: [{ path: "CLAUDE.md" }], findings: [said] });
  });

  it("are cut at a line, and that is said", () => {
    const { files, findings } = found(given({ "AGENTS.md": "0123456789\n".repeat(4_000) }));
    const [file] = files;
    expect(Buffer.byteLength(file?.text ?? "")).toBeLessThanOrEqual(INSTRUCTION_FILE_BYTES_MAX);
    expect(file?.text.endsWith("\n0123456789")).toBe(true);
    expect(file?.cut_bytes).toBe(43_999 - (file?.text.length ?? 0));
    expect(findings).toEqual([`AGENTS.md is cut: ${String(file?.cut_bytes)} of its 43999 bytes are left out`]);
  });

  it("together are cut at the far end: the nearest stay whole", () => {
    const size = 30 * 1024;
    const names = ["AGENTS.md", "a/AGENTS.md", "a/b/AGENTS.md", "a/b/c/AGENTS.md"];
    const all = given(Object.fromEntries(names.map((name, i) => [name, `${String(i)}${"é".repeat(size / 2)}`])));
    const { files, findings } = found(all, "a/b/c");
    expect(files.map(({ path, cut_bytes }) => [path, cut_bytes > 0])).toEqual([
      ["a/AGENTS.md", true],
      ["a/b/AGENTS.md", false],
      ["a/b/c/AGENTS.md", false],
    ]);
    const bytes = files.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0);
    expect(bytes).toBeLessThanOrEqual(INSTRUCTIONS_BYTES_MAX);
    expect(files[0]?.text).not.toContain("\ufffd");
    expect(findings).toHaveLength(2);
  });

  it("are neither waited for nor decoded when they are no text files", () => {
    const all = given({ "CLAUDE.md/x": "a directory", "CLAUDE.local.md": Buffer.from([0xff, 0xfe, 0x00]) });
    execFileSync("mkfifo", [join(all.top, "AGENTS.md")]);
    symlinkSync("/dev/zero", join(all.top, ".claude"));
    expect(found(all).files).toEqual([]);
    expect(found(all).findings).toEqual([
      "AGENTS.md was not read: it is no file",
      "CLAUDE.md was not read: it is no file",
      ".claude/CLAUDE.md was not read: it leads out of the directory",
      "CLAUDE.local.md was not read: it is no UTF-8 text",
    ]);
  });
});
