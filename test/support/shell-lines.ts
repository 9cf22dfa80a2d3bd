/** Command lines by chance: sentences of bash's grammar, and the same with what is most often read wrongly put into them. */
/* eslint-disable no-template-curly-in-string -- these are expansions of bash */
import { fc } from "./property.ts";
import { RECORDED } from "./bash-jail.ts";

const PLAIN_NAMES = ["p", "q", "rm", "cat", "grep", "ls", "git", "wc"];

const plainWord = fc.constantFrom(
  "x",
  "-a",
  "--b=c",
  "f.txt",
  "a/b",
  "'it is'",
  '"two words"',
  "1",
  "k=v",
  "{}",
  "a'b'\"c\"",
  "--",
  "@",
  "%s",
  "''",
);
const oddWord = fc.constantFrom(
  ...'$x|${x}|${x:-y}|"$x"|\\;|a\\ b|*|~|{a,b}|$\'\\x72m\'|$\'a\\\'b\'|"a\\"b"|"a\\$b"|a#b|$((1+1))|!|"!"|{1..3}|a{b|}|[a]|${x%%b*}|$|"$"|a=~/b|`|\\\\|é|\'a\nb\'|+(a)|@(a|b)|${#x}|$[1]|$((x))|a\\\nb|$"t"|"`q`"|`q`|$(q x)|"$(q)"|<(q)|"${x:-$(q)}"|$(q "a b")|"$(q "$(p)")"|-|=|==|]]|#|$#|$$|a$(q)b|time|then|if|done'.split(
    "|",
  ),
);
const programs = fc.constantFrom(...PLAIN_NAMES);
const redirect = fc.constantFrom(
  "> f",
  ">> f",
  "2>&1",
  ">/dev/null",
  "2> f",
  "&> f",
  ">| f",
  "< /dev/null",
  ">&2",
  "<<< x",
  ">& f",
  "2>&-",
  "> 'f g'",
  "<> f",
  "1<f",
  ">f",
  "{v}> f",
  "2>f>g",
);
const plainRedirect = fc.constantFrom("> f", ">> f", "2>&1", "> /dev/null", "2>/dev/null", "< f", "&> f");
const blank = fc.constantFrom(" ", " ", " ", "  ", "\t", " \\\n ");
const join = fc.constantFrom(
  " && ",
  " || ",
  "; ",
  " | ",
  " & ",
  "\n",
  " |& ",
  "&&",
  ";",
  "|",
  "||",
  "&",
  "\n\n",
  " # note\n",
);

const words = (word: fc.Arbitrary<string>, target: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc
    .tuple(fc.array(fc.tuple(blank, word), { maxLength: 4 }), fc.array(fc.tuple(blank, target), { maxLength: 1 }))
    .map(([parts, redirects]) => [...parts, ...redirects].map(([gap, text]) => gap + text).join(""));

const simple = (word: fc.Arbitrary<string>, target: fc.Arbitrary<string> = redirect): fc.Arbitrary<string> =>
  fc
    .tuple(fc.constantFrom("", "", "", "", "CI=1 ", "A=b ", "! ", "time ", "> f "), programs, words(word, target))
    .map((parts) => parts.join(""));

const wrapped = fc
  .tuple(
    fc.constantFrom(
      "env",
      "env A=b",
      "env -i A=b",
      "env -u A",
      "nice",
      "nice -n 5",
      "timeout 5",
      "timeout -k 1 5",
      "nohup",
      "command",
      "builtin",
      "exec",
      "eval",
      "xargs",
      "xargs -n1",
      "xargs -I x",
      "setsid",
      "stdbuf -oL",
      "bash -c",
      "sh -c",
      "dash -c",
      "bash -ec",
      "env bash -c",
      "trap",
      "coproc",
      "time -p",
      "command -v",
      "find . -maxdepth 0 -exec",
      "exec -a z",
      "env -S",
      "env --",
      "command --",
    ),
    simple(plainWord),
    fc.constantFrom("", "", " \\;", " EXIT", "; q"),
    fc.boolean(),
  )
  .map(([wrapper, command, end, quote]) =>
    quote || wrapper.endsWith("c") || wrapper === "trap"
      ? `${wrapper} '${command.replaceAll("'", "")}'${end}`
      : `${wrapper} ${command}${end}`,
  );

/** Only what every reader must understand. */
export const plainLine: fc.Arbitrary<string> = fc
  .array(fc.tuple(simple(plainWord, plainRedirect), fc.constantFrom(" && ", " || ", "; ", " | ", "\n")), {
    minLength: 1,
    maxLength: 4,
  })
  .map((parts) =>
    parts.map(([command, separator], index) => (index === parts.length - 1 ? command : command + separator)).join(""),
  );

const oddCommands = [
  { weight: 5, arbitrary: simple(plainWord) },
  { weight: 3, arbitrary: simple(fc.oneof(plainWord, oddWord)) },
  { weight: 2, arbitrary: wrapped },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      "cd a",
      "cd a/b",
      "cd ..",
      "cd nowhere",
      "cd /jail/w/a",
      "cd",
      "cd -",
      "cd $x",
      "cd a && cd b",
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      "x=1",
      "x=$(q)",
      "PATH=.",
      "export CI=1",
      "IFS=,",
      "alias p=q",
      "set -e",
      "set -- a",
      "read -r x",
      "unset x",
      "x=(a $(q))",
      "x[$(q)]=1",
      "((1))",
      "((q))",
      "[ -f x ]",
      "[ a = b ]",
      "[ a && q ]",
      "[ a > f ]",
      "[[ -f x ]]",
      "[[ a < b ]]",
      "[[ a == $(q) ]]",
      "[[ 'x[$(q)]' -eq 0 ]]",
      "test -v 'x[$(q)]'",
      "echo $((x[$(q)]))",
      "printf -v x y",
      "let x=1",
      ": ${x:=$(q)}",
      "return",
      "exit",
      "true",
      "false",
      "eval p x",
      "eval 'p; q'",
      "shopt -s extglob",
      "p() { q; }",
      "p",
      "source f",
      ". f",
      "hash -p /jail/bin/q p",
      "enable -n test",
    ),
  },
];

/** Nothing in it but what the reader is to understand. */
const calmCommand = fc.oneof(
  { weight: 5, arbitrary: simple(plainWord, plainRedirect) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(
        fc.constantFrom(
          "env A=b",
          "nice -n 5",
          "timeout 5",
          "xargs -n1",
          "command",
          "eval",
          "exec",
          "setsid -w",
          "find . -maxdepth 0 -exec",
        ),
        programs,
      )
      .map(([wrapper, program]) => `${wrapper} ${program} x${wrapper.startsWith("find") ? " ';'" : ""}`),
  },
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      "cd a && p",
      "cd a; p",
      "cd ..",
      "cd nowhere || p",
      "p $(q x)",
      'p "$(q)"',
      "p `q`",
      "cat <(q)",
      "x=$(q)",
      "p > $(q)",
      "cat <<EOF\n$(q)\nEOF",
      "p ${x:-$(q)}",
      "[ -f x ]",
      "[[ a == $(q) ]]",
      "bash -c 'p; q'",
      "sh -c 'cd a && p'",
      'p $x "$x"',
      "p * ~ \\;",
    ),
  },
);

const lineOf = (odd: boolean): fc.Arbitrary<string> =>
  fc.letrec<{ statement: string; list: string }>((tie) => ({
    list: fc
      .array(fc.tuple(tie("statement"), join), { minLength: 1, maxLength: 3 })
      .map((parts) =>
        parts
          .map(([command, separator], index) => (index === parts.length - 1 ? command : command + separator))
          .join(""),
      ),
    statement: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      ...(odd ? oddCommands : [{ weight: 10, arbitrary: calmCommand }]),
      { weight: 1, arbitrary: tie("list").map((list) => `(${list})`) },
      { weight: 1, arbitrary: tie("list").map((list) => `{ ${list}; }`) },
      { weight: 1, arbitrary: fc.tuple(tie("list"), tie("list")).map(([a, b]) => `if ${a}; then ${b}; fi`) },
      {
        weight: 1,
        arbitrary: fc
          .tuple(tie("list"), tie("list"), tie("list"))
          .map(([a, b, c]) => `if ${a}\nthen ${b}\nelse ${c}\nfi`),
      },
      { weight: 1, arbitrary: fc.tuple(tie("list"), tie("list")).map(([a, b]) => `while ${a}; do ${b}; break; done`) },
      { weight: 1, arbitrary: tie("list").map((list) => `for i in a b; do ${list}; done`) },
      { weight: 1, arbitrary: tie("list").map((list) => `case x in a) q;; x|y) ${list};; *) p;; esac`) },
      { weight: 1, arbitrary: tie("list").map((list) => `p "$(${list})"`) },
      { weight: odd ? 1 : 0, arbitrary: tie("list").map((list) => `f() { ${list}; }; f`) },
      { weight: 1, arbitrary: tie("list").map((list) => `bash -c '${list.replaceAll("'", "")}'`) },
      { weight: 1, arbitrary: tie("list").map((list) => `sh -c "${list.replaceAll('"', "")}"`) },
      { weight: 1, arbitrary: tie("list").map((list) => `cat <<EOF\n$(${list})\nEOF`) },
      {
        weight: 1,
        arbitrary: fc
          .tuple(
            tie("list"),
            fc.constantFrom("<<'EOF'", "<<EOF", "<<-EOF", '<<"EOF"', "<<E\\OF", "<<EOF | q", "<<EOF && q", "<<EOF > f"),
          )
          .map(([list, start]) => `cat ${start}\n${list}\nEOF`),
      },
      { weight: 1, arbitrary: tie("list").map((list) => `p "$(cat <<'EOF'\n${list}\nEOF\n)"`) },
    ),
  })).list;

const NASTY = [
  ..." \t\n;&|()<>'\"`$\\{}[]#!*?~=+-@:,%^/",
  ..."\r\v\f\u00a0\u0085\u2028\u200b\u3000\u00ad",
  ...[
    "\\\n",
    "\\ ",
    "$(",
    "`q`",
    "$(q)",
    "<(q)",
    "&&",
    "||",
    ";;",
    "<<",
    "<<<",
    ">&",
    "<>",
    "((",
    "))",
    "[[",
    "]]",
    "${",
    "$'",
    '$"',
    "\\'",
    '\\"',
    " # ",
    "#",
    "\n#\n",
    "EOF",
    "\nEOF\n",
    " in ",
    " do ",
    "then ",
    "time ",
    "! ",
    "{ ",
    " }",
    "if ",
    "fi",
    "p",
    "q",
    " q ",
    "é",
    "a b",
    "\\;",
    "=(",
    "+=",
    "[0]=",
    "2>",
    "{v}>",
    "function ",
    "coproc ",
    "!",
    "^",
    "-",
    "0",
    "9",
    "\x01",
    "case x in ",
    "esac",
    "x)",
    "eval ",
    "cd a;",
    "cd a&&",
  ],
  ...RECORDED,
];

interface Change {
  readonly where: number;
  readonly remove: number;
  readonly insert: string;
}

const change: fc.Arbitrary<Change> = fc.record({
  where: fc.double({ min: 0, max: 1, noNaN: true }),
  remove: fc.constantFrom(0, 0, 0, 1, 1, 2, 5),
  insert: fc.oneof(fc.constantFrom(...NASTY), fc.constant("")),
});

function apply(line: string, changes: readonly Change[]): string {
  return changes.reduce((text, { where, remove, insert }) => {
    const at = Math.floor(where * text.length);
    return text.slice(0, at) + insert + text.slice(at + remove);
  }, line);
}

const anyLine = lineOf(true);

/** A sentence of the grammar, calm or odd, and damaged some of the time. NUL cannot be handed to a program at all. */
export const shellLine: fc.Arbitrary<string> = fc.oneof(
  { weight: 3, arbitrary: lineOf(false) },
  {
    weight: 3,
    arbitrary: fc
      .tuple(anyLine, fc.oneof(fc.constant([]), fc.array(change, { minLength: 1, maxLength: 3 })))
      .map(([line, changes]) => apply(line, changes).replaceAll("\0", "")),
  },
);
