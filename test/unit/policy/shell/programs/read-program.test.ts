/** What programs are known to do: harmless commands are known, tricks are not, and every file is named. */
import { describe, expect, it } from "vitest";
import { fc } from "../../../../support/property.ts";
import { readProgram } from "../../../../../src/policy/shell/programs/read-program.ts";
import type { ShellWord } from "../../../../../src/policy/shell/reading.ts";
import { lines, pathsOf, read, wordsOf } from "./command.ts";
import { HARMLESS } from "./harmless.ts";
import { GIT_TRICKS, TRICKS } from "./tricks.ts";

describe("harmless commands", () => {
  it("are more than two hundred", () => expect(HARMLESS.length).toBeGreaterThan(200));

  it.each(HARMLESS)("%s", (line) => {
    expect(read(line)).toMatchObject({ kind: "known", effect: "read", runs: [], network: false });
  });
});

describe("tricks", () => {
  it("are more than two hundred and fifty", () => expect(TRICKS.length + GIT_TRICKS.length).toBeGreaterThan(250));

  it.each([...TRICKS, ...GIT_TRICKS])("%s", (line) => {
    expect(read(line)).toMatchObject({ kind: "not_listed" });
  });
});

describe("what changes something", () => {
  it.each(
    lines(String.raw`
      tee a: write: write a
      tee -a a b: write: write a, write b
      mkdir -p a/b: write: write a/b
      touch -r ref a: write: read ref, write a
      cp a b c: write: read a, read b, write c
      cp src/*.ts d: write: read src/*.ts?, write d
      cp -t d a b: write: write d, read a, read b
      mv a b: write: write a, write b
      rm -rf a: write: write a
      ln -s a b: write: write a, write b
      chmod +x a: write: write a
      chmod -x a: write: write a
      dd if=a of=b: write: read a, write b
      split -l 10 a x: write: read a, write x, write .
      tar xf a.tar: write: read a.tar, write .
      tar -xzf a.tgz -C d: write: read a.tgz, write d
      tar xzfC a.tgz d: write: read a.tgz, write d
      tar czf a.tgz src: write: write a.tgz, read src
      unzip a.zip: write: read a.zip, write .
      unzip -d out a.zip: write: write out, read a.zip
      zip -r a.zip src: write: write a.zip, read src
      gzip a: write: write a
      gunzip a.gz: write: write a.gz
    `),
  )("%s", (line) => {
    const [command = "", effect, paths] = line.split(/: /);
    const reading = read(command);
    expect(reading).toMatchObject({ kind: "known", effect });
    expect(pathsOf(reading).join(", ")).toBe(paths);
  });

  it.each(
    lines(String.raw`
      git add -A
      git commit -am 'a message'
      git commit --amend --no-edit
      git checkout -b feature
      git switch main
      git restore --staged a
      git reset --hard HEAD~1
      git merge --no-ff feature
      git rebase main
      git cherry-pick -x HEAD
      git stash
      git stash pop
      git branch new
      git branch -D old
      git branch -m a b
      git branch -v new
      git tag v1
      git tag -a v1 -m x
      git worktree add ../x
      git clean -fd
      git rm a
      git apply a.patch
      git apply --stat --apply a.patch
      git archive --format=tar.gz HEAD
      npm test
      npm run build -- --watch
      npm ci
      npx tsc --noEmit
      yarn --version
      yarn test
      pnpm ls
      make
      make -n build
      cargo test --release
      go test ./...
      kill 1
      ./git status
      /usr/bin/cat a
    `),
  )("%s runs programs or changes what has no name", (line) => {
    expect(read(line)).toMatchObject({ kind: "known", effect: "execute" });
  });

  it.each(
    lines(String.raw`
      git push origin main
      git push --force-with-lease
      git pull --rebase
      git fetch --all --prune
      git clone https://h/x d
      git ls-remote origin
      git remote show origin
      npm view x
      npm install x
      curl -s http://h
      curl -X POST -d a=b https://h/x
      curl -sSL -o /dev/null https://h/x
      wget -qO- https://h/x
    `),
  )("%s speaks to another machine", (line) => {
    expect(read(line)).toMatchObject({ kind: "known", effect: "execute", network: true });
  });
});

describe("paths", () => {
  it.each([
    ["cat .env", "read .env"],
    ["cat -- -n", "read -n"],
    ["cat $X", "read $X?"],
    ["cat - a", "read a"],
    ["head -n $N a", "read $N?, read a"],
    ["grep -r x secrets/", "read secrets/"],
    ["grep -r x", "read ."],
    ["grep x", ""],
    ["grep -f .env a", "read .env, read a"],
    ["grep -f.env a", "read .env, read a"],
    ["grep -e x .env", "read .env"],
    ["grep .env", ""],
    ["grep $X a", "read $X?, read a"],
    ["ls", "read ."],
    ["rg x", "read ."],
    ["rg x a", "read a"],
    ["rg --files", "read ."],
    ["rg --ignore-file=.env x a", "read .env, read a"],
    ["find", "read ."],
    ["find a b -name x", "read a, read b"],
    ["find . -newer .env", "read ., read .env"],
    ["sed -n p .env", "read .env"],
    ["sed 'r .env' a", "read a, read .env"],
    ["sed -e p .env", "read .env"],
    ["awk '{print}' .env x=1", "read .env"],
    ["jq . .env", "read .env"],
    ["jq --rawfile a .env . b", "read .env, read b"],
    ["jq -n --args '$ARGS' .env", "read .env"],
    ["sort .env", "read .env"],
    ["diff .env a", "read .env, read a"],
    ["diff --from-file=.env a", "read .env, read a"],
    ["[ -f .env ]", "read .env"],
    ["date -r .env", "read .env"],
    ["dd if=.env", "read .env"],
    ["xxd .env", "read .env"],
    ["base64 .env", "read .env"],
    ["tar tf .env", "read .env"],
    ["git diff -- .env", "read .env"],
    ["git diff .env", "read .env"],
    ["git show HEAD:.env", "read HEAD:.env, read .env"],
    ["git diff -- ':(glob).env'", "read :(glob).env, read .env"],
    ["git diff -- ':!.env'", ""],
    ["git diff --no-index /etc/passwd a", "read /etc/passwd, read a"],
    ["git grep x", "read ."],
    ["git show HEAD~3", "read HEAD~3"],
    ["git blame --contents .env a", "read .env, read a"],
    ["git -C sub show HEAD:.env", "read sub, read sub/HEAD:.env, read sub/.env"],
    ["git -C a -C b status", "read a/b"],
    ["git checkout -- a", "write a"],
    ["cd ..", "read .."],
    ["xargs -a .env cat", "read .env"],
  ])("%s", (line, paths) => {
    expect(pathsOf(read(line)).join(", ")).toBe(paths);
  });

  it.each([
    ["sed -i s/a/b/ a", "write a"],
    ["sed 'w x' a", "read a, write x"],
    ["sort -o x a", "write x, read a"],
    ["uniq a b", "read a, write b"],
    ["find a -delete", "write a"],
    ["find a -fprint x", "read a, write x"],
    ["tree -o x", "write x, read ."],
    ["yq -i .a=1 a", "read .a=1, write a"],
    ["curl -o x http://h", "write x"],
  ])("%s is understood, though no rule covers it", (line, paths) => {
    const reading = read(line);
    expect(reading.kind).toBe("not_listed");
    expect(pathsOf(reading).join(", ")).toBe(paths);
  });
});

describe("commands that a program runs", () => {
  it.each([
    ["find . -name a -exec grep -l x {} ';'", "grep -l x ./{}?"],
    ["find . -exec rm {} +", "rm ./{}?"],
    [String.raw`find . -exec rm {} \;`, "rm ./{}?"],
    [String.raw`find . -exec xargs '\;' -name rm ';'`, String.raw`xargs \; -name rm`],
    ["find . -ok rm {} ';' -print", "rm ./{}?"],
    ["find . -exec sh -c 'id {}' ';'", "sh -c id {}?"],
    ["xargs", ""],
    ["xargs rm", "rm <input>?"],
    ["xargs -0 -n 1 rm -f", "rm -f <input>?"],
    ["xargs -I {} cp {} d", "cp {}? d"],
    ["xargs -I% sh -c 'id %'", "sh -c id %?"],
    ["fd x -x rm", "rm {}?"],
    ["fd x -X cp {} d", "cp {}? d"],
  ])("%s", (line, run) => {
    const reading = read(line);
    const runs = reading.kind === "known" ? reading.runs : [];
    expect(
      runs.map((words) => words.map(({ text, plain }) => `${text}${plain ? "" : "?"}`).join(" ")).join(" && "),
    ).toBe(run);
  });

  it("are judged with words of unknown content: what could become an option is refused", () => {
    const inner = (line: string): string => {
      const reading = read(line);
      return reading.kind === "known" ? readProgram(reading.runs[0] ?? []).kind : reading.kind;
    };
    expect(inner("xargs git diff")).toBe("not_listed");
    expect(inner("xargs sort")).toBe("not_listed");
    expect(inner("xargs cat")).toBe("known");
    expect(inner("find . -exec sed -n 1p {} ';'")).toBe("known");
  });
});

it("says where the commands after a cd run", () => {
  expect(read("cd sub")).toMatchObject({ moves_to: { path: "sub", plain: true } });
  expect(read("cd")).toMatchObject({ moves_to: { path: "~", plain: false } });
  expect(read("cat sub")).toMatchObject({ moves_to: null });
});

it("has no list for what it does not know, and for interpreters with a script", () => {
  for (const line of ["webpack", "python3 x.py", "node x.js", "docker ps", "toString"]) {
    expect(read(line)).toEqual({ kind: "no_list" });
  }
  expect(readProgram([])).toEqual({ kind: "no_list" });
});

describe("an option that is on no list", () => {
  /** Words whose next word is their value: an unknown option there is that value. */
  const TAKES_NEXT =
    /^(?:t[a-z]*f|-[a-zA-Z]*[nskfdegpxtTuoLSICAFEOUWXvljacbBDHwrPNMmiz0-9]|--(?:arg|slurpfile|format|contains|points-at|author|merged)|-(?:name|path|newer|size|mtime|type|maxdepth|printf|newermt))$/;
  // Their words are text, also those that start with a dash.
  const ALL_TEXT = /^(?:echo|expr|true|false|command|test|\[|printf)(?: |$)/;
  const COMMANDS = HARMLESS.filter((line) => !ALL_TEXT.test(line)).map(wordsOf);

  function* insertions(words: readonly ShellWord[], option: string): Iterable<readonly ShellWord[]> {
    const dashes = words.findIndex(({ text }) => text === "--");
    for (let at = 1; at <= (dashes === -1 ? words.length : dashes); at += 1) {
      const value =
        TAKES_NEXT.test(words[at - 1]?.text ?? "") || /^--(?:arg|slurpfile)$/.test(words[at - 2]?.text ?? "");
      if (!value) yield [...words.slice(0, at), { text: option, plain: true }, ...words.slice(at)];
    }
  }

  it("is never covered, wherever it stands before `--`", () => {
    const covered: string[] = [];
    for (const words of COMMANDS) {
      for (const option of ["--unknown-option", "--unknown-option=x", "--no-unknown-option", "-€", "-€x"]) {
        for (const changed of insertions(words, option)) {
          if (readProgram(changed).kind === "known") covered.push(changed.map(({ text }) => text).join(" "));
        }
      }
    }
    expect(covered).toEqual([]);
  });

  it("is never covered, whatever its name is", () => {
    const letters = fc.string({ unit: fc.constantFrom(..."abcdefghijklmnopqrstuvwxyz-="), maxLength: 12 });
    fc.assert(
      fc.property(fc.constantFrom(...COMMANDS), letters, (words, name) => {
        for (const changed of insertions(words, `--zq${name}`)) expect(readProgram(changed).kind).not.toBe("known");
      }),
    );
  });

  it("is never covered by the beginning of its name", () => {
    for (const line of [
      "sort --reverse a",
      "git log --oneline",
      "rg --hidden x",
      "ls --recursive",
      "git diff --cached",
    ]) {
      const [program, ...rest] = line.split(" ");
      const at = rest.findIndex((word) => word.startsWith("--"));
      for (let length = 3; length < (rest[at]?.length ?? 0); length += 1) {
        const shortened = rest.map((word, n) => (n === at ? word.slice(0, length) : word));
        expect(read([program, ...shortened].join(" ")).kind, shortened.join(" ")).toBe("not_listed");
      }
    }
  });
});
