/** What a Bash rule covers, word by word. */
import { describe, expect, it } from "vitest";
import { coversWords, globMatches, parseCommandPattern } from "../../../../src/policy/rules/command-pattern.ts";
import { meansCommand } from "../../../../src/policy/rules/loose-match.ts";
import type { ShellWord } from "../../../../src/policy/shell/reading.ts";
import { fc } from "../../../support/property.ts";

function plain(command: string): readonly ShellWord[] {
  return command.split(" ").map((text) => ({ text, plain: true }));
}

function pattern(text: string): Exclude<ReturnType<typeof parseCommandPattern>, string> {
  const parsed = parseCommandPattern(text);
  if (typeof parsed === "string") throw new TypeError(parsed);
  return parsed;
}

function covers(rule: string, command: string): boolean {
  return coversWords(pattern(rule), plain(command));
}

describe("a rule for commands", () => {
  it.each([
    ["ls *", "ls"],
    ["ls *", "ls -la"],
    ["ls:*", "ls -la src"],
    ["npm run build", "npm run build"],
    ["npm run test:*", "npm run test"],
    ["git * main", "git merge main"],
    ["git * main", "git push origin main"],
    ["git log --format=*", "git log --format=%h"],
    ["npm  run   x", "npm run x"],
    ["cat src/*", "cat src/a.ts"],
  ])("%s covers %s", (rule, command) => {
    expect(covers(rule, command)).toBe(true);
  });

  it.each([
    ["ls *", "lsof"],
    ["ls:*", "lsx -la"],
    ["npm run build", "npm run build --x"],
    ["npm run build", "npm run build:x"],
    ["npm run *", "npm runx"],
    ["git * main", "git main"],
    ["cat src/*", "cat src/../x"],
    ["LS *", "ls"],
    ["npm test", "npm  test"],
  ])("%s does not cover %s", (rule, command) => {
    expect(covers(rule, command)).toBe(false);
  });

  it("holds quoted words together", () => {
    const words = [...plain("git commit -m"), { text: "fix: a b", plain: true }];
    expect(coversWords(pattern("git commit -m 'fix: a b'"), words)).toBe(true);
    expect(coversWords(pattern("git commit -m fix: a b"), words)).toBe(false);
  });

  it("covers a word that is not known only by a `*`", () => {
    const words = [...plain("npm run"), { text: "$X", plain: false }];
    expect(coversWords(pattern("npm run *"), words)).toBe(true);
    expect(coversWords(pattern("npm run $X"), words)).toBe(false);
    expect(coversWords(pattern("npm $*"), words)).toBe(false);
  });

  it("matches `*` as any text, whatever stands around it", () => {
    const texts = fc.array(fc.constantFrom("a", "b", "*", " "), { maxLength: 8 }).map((parts) => parts.join(""));
    fc.assert(
      fc.property(texts, fc.stringMatching(/^[ab ]{0,8}$/), (glob, text) => {
        const regular = new RegExp(`^${glob.replaceAll("*", "[^]*")}$`);
        expect(globMatches(glob, text)).toBe(regular.test(text));
      }),
    );
  });
});

describe("a rule that forbids", () => {
  it.each([
    ["curl:*", "/usr/bin/curl x"],
    ["curl:*", "sudo -u root curl x"],
    ["git push:*", "git -C sub push"],
    ["git push:*", "git -c a=b --no-pager push origin"],
    ["git push --force:*", "git push origin main --force"],
    ["git push --force:*", "git push -f origin"],
    ["rm -rf:*", "rm -r -f x"],
    ["rm -rf:*", "rm --recursive --force x"],
    ["npm publish", "npm publish"],
  ])("%s means %s", (rule, command) => {
    expect(meansCommand(pattern(rule), plain(command))).toBe(true);
  });

  it.each([
    ["curl:*", "grep -rn curl src"],
    ["curl:*", "which curl"],
    ["curl:*", "curly x"],
    ["git push:*", "git log push"],
    ["git push:*", "git pull"],
    ["rm -rf:*", "rm -r x"],
    ["npm publish", "npm run publish"],
  ])("%s does not mean %s", (rule, command) => {
    expect(meansCommand(pattern(rule), plain(command))).toBe(false);
  });

  it.each(["c''url", "\\curl", "$'cu\\x72l'", '"cu"rl', "/usr/bin/cur?", "{curl,x}", "curl$IFS", "cu$@rl"])(
    "means the program %s, too",
    (program) => {
      const words = [{ text: program, plain: false }, ...plain("x")];
      expect(meansCommand(pattern("curl:*"), words)).toBe(true);
    },
  );
});
