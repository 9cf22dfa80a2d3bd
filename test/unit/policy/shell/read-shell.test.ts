/* eslint-disable no-template-curly-in-string -- these are expansions of bash */
import { describe, expect, it } from "vitest";
import { readCommandWords, readShell, readShellAt } from "../../../../src/policy/shell/read-shell.ts";
import { commandsOf, problemsOf, START } from "../../../support/shell-reading.ts";

describe("every command of a line is listed", () => {
  it.each([
    ["a && b || c; d & e | f |& g\nh", ["a", "b", "c", "d", "e", "f", "g", "h"]],
    ["(a; b)", ["subshell: a", "subshell: b"]],
    ["{ a; b; } > f", ["a", "b", ""]],
    ["! a", ["a"]],
    ["time -p a | b", ["time: a", "time: b"]],
    ["if a; then b; elif c; then d; else e; fi", ["a", "b", "c", "d", "e"]],
    ["while a; do b; done", ["a", "b"]],
    ["until a; do b; done", ["a", "b"]],
    ["for i in x $(a); do b; done", ["substitution: a", "b"]],
    ["select i in x; do b; done", ["b"]],
    ['case "$(a)" in x|y) b;; *) c;; esac', ["substitution: a", "b", "c"]],
    ["[[ -f $(a) && x == y ]] && b", ["substitution: a", "[[ -f ⟨$(a)⟩ && x == y ]]", "b"]],
    ["[ -f x ] || b", ["[ -f x ]", "b"]],
    ["a $(b $(c))", ["substitution: substitution: c", "substitution: b ⟨$(c)⟩", "a ⟨$(b $(c))⟩"]],
    ['a "x $(b) y"', ["substitution: b", 'a ⟨"x $(b) y"⟩']],
    ["a `b`", ["substitution: b", "a ⟨`b`⟩"]],
    ["a <(b) >(c)", ["process substitution: b", "process substitution: c", "a ⟨<()⟩ ⟨>(c)⟩"]],
    ["x=$(a)", ["substitution: a", ""]],
    ["a > $(b)", ["substitution: b", "a"]],
    ["a ${x:-$(b)}", ["substitution: b", "a ⟨${x:-$(b)}⟩"]],
    ["a <<< $(b)", ["substitution: b", "a"]],
    ["cat <<EOF\n$(b)\nEOF\nc", ["substitution: b", "cat", "c"]],
    ["cat <<'EOF' | c\n$(b)\nEOF", ["cat", "c"]],
    ["cat <<-EOF && c\n\tx\n\tEOF\nd", ["cat", "c", "d"]],
    ["a # b; c\nd", ["a", "d"]],
    ["a \\\n  b", ["a b"]],
    ["A=1 B=2", [""]],
    ["> f", [""]],
  ])("%s", async (text, commands) => {
    expect(await commandsOf(text)).toEqual(commands);
  });

  it.each([
    ["f() { a; }", "function f: a"],
    ["function f { a; }; f", "function f: a"],
    ["coproc a", "coproc: a"],
    ["trap 'a; b' EXIT", "trap: b"],
    ["echo $((x[$(a)]))", "a"],
    ["((x = $(a)))", "a"],
    ["x=(1 $(a))", "a"],
    ["x[$(a)]=1", "a"],
    ["(a; echo '", "a"],
    ["a; fi", "a"],
    ["cat <<EOF\nx\n$(a)", "a"],
    [`a ${"x".repeat(10_000)}`, `a ${"x".repeat(10_000)}`],
    ["a\u00a0x; b", "b"],
    ["r\\m x; fi", "⟨rm⟩ x"],
  ])("also where it is asked about: %s", async (text, command) => {
    expect(await problemsOf(text)).not.toEqual([]);
    expect(await commandsOf(text)).toContainEqual(command);
  });

  it("of many words, without a cap, and in little time", async () => {
    const text = `${"a; ".repeat(20_000)}rm x`;
    const { commands, problems } = await readShell(text);
    expect(problems).not.toEqual([]);
    expect(commands.at(-1)?.words.map((word) => word.text)).toEqual(["rm", "x"]);
  });
});

describe("what is not understood is a problem", () => {
  it.each([
    ["an error", "a ) b"],
    ["an open quote", "a 'b"],
    ["a carriage return", "a\r\nb"],
    ["NUL", "a\0b"],
    ["an escape character", "a \x1b[0m"],
    ["a blank of another alphabet", "a\u00a0b"],
    ["a zero width space", "a\u200bb"],
    ["a direction mark", "a \u202eb"],
    ["a tag character", "a \u{e0061}"],
    ["a variation selector", "a \ufe0f"],
    ["a lone surrogate", "a \ud800"],
    ["more than 10,000 characters", `a ${"x".repeat(10_000)}`],
    ["more than 5,000 nodes", "a b;".repeat(2_000)],
    ["deep groups", `${"( ".repeat(60)}a${" )".repeat(60)}`],
    ["deep substitutions", `${"a $(".repeat(60)}a${")".repeat(60)}`],
    ["deep negations", `${"! ".repeat(4_000)}a`],
    ["a program that an expansion names", "$x y"],
    ["a program that a backslash hides", "\\rm y"],
    ["a program that a glob names", "r* y"],
    ["a brace without its blank", "{a; }"],
    ["a bang without its blank", "!a"],
    ["a function", "ls() { a; }"],
    ["an array", "x=(a b)"],
    ["arithmetic on a variable", "a $((x))"],
    ["arithmetic as a command", "((x))"],
    ["old arithmetic", "a $[1]"],
    ["arithmetic in a condition", "[[ 'x[$(a)]' -eq 0 ]]"],
    ["a name that a condition evaluates", "[[ -v 'x[$(a)]' ]]"],
    ["a name that test evaluates", "test -v 'x[$(a)]'"],
    ["a word that may become an operator of test", '[ $x "$y" ]'],
    ["an indirect variable", "a ${!x}"],
    ["a transformed variable", "a ${x@P}"],
    ["a part of a variable", "a ${x:1}"],
    ["a variable set by expansion", ": ${PATH:=a}"],
    ["a comment in a substitution", "a $(b # )\n)"],
    ["a case in a substitution", "a $(case x in x) b;; esac)"],
    ["a backslash in backticks", "a `b \\`c\\``"],
    ["a word joined with the next line", "a\\\nb"],
    ["an odd end mark", "cat <<E\\OF\na\nEOF"],
    ["a half end mark in a substitution", "a $(cat <<E\nE)\nE\n)"],
    ["a backslash in an expanded here-document", "cat <<E\na\\\nE\nE"],
    ["a here-document for a shell", "bash <<E\na\nE"],
    ["a here-document for an interpreter", "python3 <<E\na\nE"],
    ["a here-string for an interpreter", "perl <<< a"],
    ["a here-document for what a wrapper runs", "env node <<E\na\nE"],
    ["a here-document for a group", "{ a; } <<E\nx\nE"],
    ["a file opened under a name", "a {x}> f"],
    ["both ways", "a <> f"],
    ["a connection", "a > /dev/tcp/127.0.0.1/80"],
    ["a moved descriptor", "a 2>&1-"],
    ["a variable for what follows", "PATH=x; a"],
    ["a locale from a file", "LC_ALL=/x; a"],
    ["a loop over PATH", "for PATH in x; do a; done"],
    ["a here-document in backticks", "a `cat <<E\nE\n`"],
  ])("%s", async (_, text) => {
    expect(await problemsOf(text)).not.toEqual([]);
  });

  it.each(
    "alias a=b|unalias a|export PATH=x|declare x=1|typeset -i x|readonly x|local x|enable -n test|hash -p x ls|shopt -s extglob|set -- a|set -x|unset x|source f|. f|IFS=,|pushd x|popd|mapfile x|let x=1|printf -v x y|read PATH|read -a x|getopts a x|bind -x y|complete -F f x|history -s x|fc -s".split(
      "|",
    ),
  )("a builtin that changes what follows: %s", async (text) => {
    expect(await problemsOf(`${text}; a`)).not.toEqual([]);
  });

  it.each([
    "set -euo pipefail",
    "export CI=1 NODE_ENV=test",
    "read -r line",
    "x=1",
    "test -f x",
    '[ "$x" = y ]',
    'printf "%s\\n" x',
    ":",
  ])("and not one that does not: %s", async (text) => {
    expect(await problemsOf(`${text}; a`)).toEqual([]);
  });
});

describe("the parts of a command", () => {
  it("are its words, the assignments before it and its redirects", async () => {
    const { commands, problems } = await readShell(
      `A=1 B="$x" cmd 'a b' > f 2>&1 >>'g h' 2>/dev/null <in <<< x >&2 &>all >|over >& both`,
    );
    expect(problems).toContain("`cmd` may run what is handed to it in the command.");
    const [command] = commands;
    expect(command?.words).toEqual([
      { text: "cmd", plain: true },
      { text: "a b", plain: true },
    ]);
    expect(command?.assignments).toEqual([
      { name: "A", value: { text: "1", plain: true } },
      { name: "B", value: { text: '"$x"', plain: false } },
    ]);
    expect(command?.redirects.map(({ operator, kind, target }) => [operator, kind, target?.text])).toEqual([
      [">", "write", "f"],
      ["2>&1", "duplicate", undefined],
      [">>", "write", "g h"],
      ["2>", "write", "/dev/null"],
      ["<", "read", "in"],
      ["<<<", "here", "x"],
      [">&2", "duplicate", undefined],
      ["&>", "write", "all"],
      [">|", "write", "over"],
      [">&", "write", "both"],
    ]);
  });

  it("are the same wherever a redirect stands between its words", async () => {
    expect(await commandsOf("> f rm > g a b")).toEqual(["rm a b"]);
  });
});

describe("the directory of a command", () => {
  const placesOf = async (text: string): Promise<readonly (readonly string[])[]> =>
    (await readShellAt(text, START)).commands
      .filter(({ words }) => words[0]?.text === "a")
      .map(({ directories }) => directories);

  it.each([
    ["cd x && a", [["/project/x"]]],
    ["cd x; a", [["/project/x", "/project"]]],
    ["cd x || a", [["/project"]]],
    ["cd /etc && cd .. && a", [["/"]]],
    ["(cd x && a); a", [["/project/x"], ["/project"]]],
    ["cd x & a", [["/project"]]],
    ["cd x | a; a", [["/project"], ["/project"]]],
    ["if cd x; then a; else a; fi", [["/project/x"], ["/project"]]],
    ["! cd x && a", [["/project"]]],
    ["{ cd x; } && a", [["/project/x"]]],
    ["eval 'cd x' && a", [["/project/x"]]],
    ["bash -c 'cd x && a'; a", [["/project/x"], ["/project"]]],
    ["command cd x && a", [["/project/x"]]],
    ["env cd x && a", [["/project"]]],
    ["cd x && b && a > f", [["/project/x"]]],
  ])("%s", async (text, places) => {
    expect(await placesOf(text)).toEqual(places);
  });

  it.each([
    "cd && a",
    "cd - && a",
    "cd $x && a",
    "cd ~ && a",
    "cd -P x && a",
    "CDPATH=/etc cd x && a",
    "while a; do cd x; done",
    "pushd x; a",
  ])("that is not known is a problem: %s", async (text) => {
    expect(await problemsOf(text)).not.toEqual([]);
  });

  it("is a problem after any move, where it was not said where the command starts", async () => {
    expect((await readShell("cd .git/hooks && echo x > pre-commit")).problems).not.toEqual([]);
    expect((await readShell("cd src")).problems).toEqual([]);
  });
});

describe("a command known by its words", () => {
  it("is looked through as one in a text", async () => {
    const words = ["sh", "-c", "a; b"].map((text) => ({ text, plain: true }));
    const { commands, problems } = await readCommandWords(words, START);
    expect(problems).toEqual([]);
    expect(commands.map(({ words: [program] }) => program?.text)).toEqual(["sh", "a", "b"]);
  });
});
