/**
 * Says whether an awk program only computes and prints. The language can start programs (`system`, `|`, `getline`), write files
 * (`>`), load code (`@`) and name files by itself (`ARGV`); a program with any of these is refused, as is every place where it
 * is not certain whether a slash begins a pattern.
 */

/** Characters of a program that is looked at. */
const PROGRAM_CHARS_MAX = 20_000;
/** Names that reach outside, or that change which files are read. */
const REACHING: ReadonlySet<string> = new Set([
  "system",
  "getline",
  "ARGV",
  "ARGC",
  "SYMTAB",
  "FUNCTAB",
  "PROCINFO",
  "ENVIRON",
]);
/** After these words a slash begins a pattern. */
const BEFORE_PATTERN: ReadonlySet<string> = new Set(["print", "printf", "return", "in", "else", "do", "case"]);

const TOKEN =
  /\s+|#[^\n]*|"(?:\\[^\n]|[^"\\\n])*"|[A-Za-z_]\w*|\d[\w.]*|\.\d[\w.]*|&&|\|\||>=|<=|==|!=|!~|\+\+|--|\*\*|[-+*%^]=|[$~{}()[\];,<>=!+*%^?:&|@/.-]/y;

/** Null where it only computes and prints. */
export function awkRefusal(program: string): string | null {
  if (program.length > PROGRAM_CHARS_MAX) return "The program is too long to be read.";
  if (/\\\s*\n/.test(program)) return "A line of the program goes on after its end.";
  let parentheses = 0;
  let braces = 0;
  let before = "";
  for (let at = 0; at < program.length;) {
    TOKEN.lastIndex = at;
    const token = TOKEN.exec(program)?.[0];
    if (token === undefined) return "The program has something in it that is not read.";
    at += token.length;
    if (/^(?:\s|#)/.test(token)) {
      if (token.includes("\n")) before = "\n";
      continue;
    }
    if (token === "/") {
      const place = slash(before);
      if (place === "unsure" && /system|getline|ARG|TAB|PROC|ENVIRON|[|>@"#]/.test(program))
        return "It is not certain whether a slash of the program begins a pattern.";
      if (place === "pattern") {
        const pattern = patternAt(program, at);
        if (pattern === null) return "A pattern of the program is not read.";
        at += pattern;
        before = "1";
        continue;
      }
    }
    const reaching = reachingToken(token, parentheses, braces);
    if (reaching !== null) return reaching;
    if (token === "(") parentheses += 1;
    if (token === ")") parentheses -= 1;
    if (token === "{") braces += 1;
    if (token === "}") braces -= 1;
    if (parentheses < 0 || braces < 0) return "The brackets of the program do not match.";
    before = token;
  }
  return null;
}

function reachingToken(token: string, parentheses: number, braces: number): string | null {
  if (REACHING.has(token)) return `\`${token}\` reaches outside the program.`;
  if (token === "|") return "`|` starts a program.";
  if (token === "@") return "`@` loads or calls what is not known.";
  // In parentheses and in the pattern of a rule it compares; elsewhere it may be the file of a print.
  if (token === ">" && parentheses === 0 && braces > 0) return "`>` writes a file.";
  return null;
}

function slash(before: string): "pattern" | "division" | "unsure" {
  if (before === ")" || before === "++" || before === "--" || before === "length") return "unsure";
  if (BEFORE_PATTERN.has(before)) return "pattern";
  if (/^[\w."$\]]/.test(before)) return "division";
  return "pattern";
}

/** Its length with the slash that ends it. */
function patternAt(program: string, from: number): number | null {
  for (let at = from; at < program.length; at += 1) {
    const char = program[at];
    if (char === "\n") return null;
    if (char === "\\") at += 1;
    else if (char === "/") return at + 1 - from;
    else if (char === "[") {
      const inside = /^\[\^?\]?(?:\[[:.=][^\]\n]*[:.=]\]|\\[^\n]|[^\]\\\n])*\]/.exec(program.slice(at))?.[0];
      // Some awks end the pattern at a slash in brackets, others do not.
      if (inside === undefined || inside.includes("/")) return null;
      at += inside.length - 1;
    }
  }
  return null;
}
