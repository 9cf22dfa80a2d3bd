/**
 * The statements of bash over the tokens of `cut.ts`: lists, pipelines, groups, conditions, loops, cases, functions. Every
 * command in them is read where it may run. What is not on the list throws `NotRead`.
 */
import { type Bindings, bound } from "./bindings.ts";
import type { Token } from "./cut.ts";
import { NotRead } from "./not-read.ts";
import { after, either, type Ends, type Places, same, staying } from "./places.ts";
import { at, type Scope, within } from "./scope.ts";
import { readSimpleCommand, runCommand } from "./simple-command.ts";
import { isOrdinaryVariable } from "./variables.ts";
import { readWord } from "./words.ts";

/** Groups, conditions and loops inside of each other. */
const NESTING_MAX = 40;

/** Reads one level of tokens to its end. */
export function readStatements(tokens: readonly Token[], scope: Scope): Ends {
  if (scope.dialect === "posix" && tokens.some(({ text }) => /\$['"]/.test(text)))
    throw new NotRead("Not every shell reads `$'` and `$\"` as bash does.");
  const statements = new Statements(tokens);
  const ends = statements.list(scope, []);
  statements.end();
  return ends;
}

function readInner(tokens: readonly Token[], scope: Scope): void {
  for (const token of tokens)
    for (const inner of token.inner) {
      if (inner.label === "process substitution" && scope.dialect === "posix")
        throw new NotRead("Not every shell reads a process substitution as bash does.");
      readStatements(inner.tokens, within(scope, inner.label));
    }
}

// Where a command may stand, each of these means something to bash; those that open nothing there are errors.
const CLOSING = new Set(["then", "do", "done", "fi", "elif", "else", "esac", "}", "]]", "in"]);
const SEPARATORS = new Set([";", "&"]);
const CASE_ENDS = new Set([";;", ";&", ";;&"]);

class Statements {
  readonly #tokens: readonly Token[];
  #at = 0;
  #depth = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  end(): void {
    const token = this.#peek();
    if (token !== undefined) throw new NotRead(`\`${token.text}\` stands where no command ends.`);
  }

  /** Statements up to a word or operator of `closers`, which stays. */
  list(scope: Scope, closers: readonly string[]): Ends {
    let ends = staying(scope.places);
    let places = scope.places;
    let { bindings } = scope;
    for (;;) {
      this.#newlines();
      const token = this.#peek();
      if (token === undefined || closers.includes(token.text)) return ends;
      const before = places;
      const start = this.#at;
      ends = this.#andOr(at({ ...scope, bindings, fed: null }, places));
      const separator = this.#peek();
      if (separator === undefined || closers.includes(separator.text)) return ends;
      if (separator.kind !== "newline" && !SEPARATORS.has(separator.text))
        throw new NotRead(`\`${separator.text}\` stands where no command ends.`);
      this.#at += 1;
      // In the background it moves nobody.
      if (separator.text === "&") ends = staying(before);
      else bindings = this.#bind(start, this.#at - 1, { ...scope, bindings });
      places = after(ends);
    }
  }

  /** What tokens that are assignments and nothing else say of their names. */
  #bind(start: number, end: number, scope: Scope): Bindings {
    let { bindings } = scope;
    const tokens = this.#tokens.slice(start, end);
    if (tokens.some(({ kind, inner }) => kind !== "word" || inner.length > 0)) return bindings;
    const pairs = tokens.map(({ text }) => /^([A-Za-z]\w*)=([\s\S]*)$/.exec(text));
    if (pairs.includes(null)) return bindings;
    for (const pair of pairs) bindings = bound(bindings, pair?.[1] ?? "", pair?.[2] ?? "", scope.source);
    return bindings;
  }

  #andOr(outer: Scope): Ends {
    const start = this.#at;
    let ends = this.#pipeline(outer);
    const scope = this.#peek()?.text === "&&" ? { ...outer, bindings: this.#bind(start, this.#at, outer) } : outer;
    for (;;) {
      const operator = this.#peek()?.text;
      if (operator !== "&&" && operator !== "||") return ends;
      this.#at += 1;
      this.#newlines();
      const next = this.#pipeline(at(scope, operator === "&&" ? ends.ok : ends.failed));
      ends =
        operator === "&&"
          ? { ok: next.ok, failed: either(ends.failed, next.failed) }
          : { ok: either(ends.ok, next.ok), failed: next.failed };
    }
  }

  #pipeline(scope: Scope): Ends {
    const first = this.#peek();
    if (first?.text === "!" || (first?.text === "time" && first.kind === "word")) {
      this.#deeper();
      const ends = first.text === "!" ? this.#negated(scope) : this.#timed(first, scope);
      this.#depth -= 1;
      return ends;
    }
    let start = this.#at;
    const ends = this.#command(scope);
    let piped = false;
    let fed: Scope["fed"] = null;
    for (;;) {
      const operator = this.#peek()?.text;
      if (operator !== "|" && operator !== "|&") return piped ? staying(scope.places) : ends;
      if (operator === "|&" && scope.dialect === "posix") throw new NotRead("Not every shell reads `|&` as bash does.");
      piped = true;
      this.#at += 1;
      fed = fedBy(this.#tokens.slice(start, this.#at - 1), fed);
      this.#newlines();
      start = this.#at;
      this.#command({ ...scope, fed });
    }
  }

  #negated(scope: Scope): Ends {
    this.#at += 1;
    const ends = this.#pipeline(scope);
    return { ok: ends.failed, failed: ends.ok };
  }

  #timed(time: Token, scope: Scope): Ends {
    if (scope.dialect === "posix") throw new NotRead("Not every shell reads `time` as bash does.");
    this.#skipWord(scope);
    scope.marks.starts.add(time.start);
    while (this.#peek()?.text === "-p") this.#skipWord(scope);
    const next = this.#peek();
    if (next?.kind !== "word" || next.text.startsWith("-"))
      throw new NotRead("`time` stands before something that is not a command.");
    for (let ahead = this.#at; this.#isPartOfCommand(this.#tokens[ahead]); ahead += 1)
      scope.marks.timed.add(this.#tokens[ahead]?.start ?? 0);
    return this.#pipeline(within(scope, "time"));
  }

  /** A word that belongs to the language here, and to a command for the grammar. */
  #skipWord(scope: Scope): void {
    const word = this.#next();
    scope.marks.words.add(`${word.start}:${word.end}`);
  }

  #command(scope: Scope): Ends {
    this.#deeper();
    const ends = this.#anyCommand(scope);
    this.#depth -= 1;
    return ends;
  }

  #deeper(): void {
    this.#depth += 1;
    if (this.#depth > NESTING_MAX) throw new NotRead(`Statements are nested deeper than ${NESTING_MAX} levels.`);
  }

  #anyCommand(scope: Scope): Ends {
    const token = this.#peek();
    if (token === undefined) throw new NotRead("A command is missing at the end.");
    if (token.text === "(") return this.#compound(scope, () => this.#subshell(scope));
    if (token.kind !== "word") return this.#simple(scope);
    switch (token.text) {
      case "{":
        return this.#compound(scope, () => this.#between("{", "}", scope));
      case "if":
        return this.#compound(scope, () => this.#if(scope));
      case "while":
      case "until":
        return this.#compound(scope, () => this.#while(token.text, scope));
      case "for":
      case "select":
        return this.#compound(scope, () => this.#for(scope));
      case "case":
        return this.#compound(scope, () => this.#case(scope));
      case "[[":
        return this.#compound(scope, () => this.#condition(scope));
      case "function":
        return this.#function(scope, true);
      case "coproc":
        return this.#coprocess(scope);
      default:
        if (CLOSING.has(token.text)) throw new NotRead(`\`${token.text}\` stands where a command begins.`);
        if (this.#tokens[this.#at + 1]?.text === "(") return this.#function(scope, false);
        return this.#simple(scope);
    }
  }

  #simple(scope: Scope): Ends {
    const start = this.#at;
    while (this.#isPartOfCommand(this.#peek())) this.#at += 1;
    if (this.#at === start) throw new NotRead(`\`${this.#peek()?.text.trim() ?? ""}\` stands where a command begins.`);
    return readSimpleCommand(this.#tokens.slice(start, this.#at), scope, readInner);
  }

  #isPartOfCommand(token: Token | undefined): boolean {
    return token !== undefined && token.kind !== "operator" && token.kind !== "newline";
  }

  /** A compound command and the redirects behind it, which bash opens before it. */
  #compound(scope: Scope, read: () => Ends): Ends {
    const ends = read();
    const start = this.#at;
    while (this.#isPartOfCommand(this.#peek())) {
      if (this.#peek()?.kind === "word")
        throw new NotRead(`\`${this.#peek()?.text ?? ""}\` stands behind a compound command.`);
      this.#at += this.#peek()?.kind === "redirect" ? 2 : 1;
    }
    const redirects = this.#tokens.slice(start, this.#at);
    if (redirects.length > 0) {
      readSimpleCommand(redirects, scope, readInner);
      // Which of the commands inside would read it, and as what, is not followed.
      if (redirects.some(({ kind, text }) => kind === "here" || text.endsWith("<<<")))
        scope.gathering.problem("A here-document is handed to a compound command.");
    }
    return ends;
  }

  #subshell(scope: Scope): Ends {
    this.#between("(", ")", within(scope, "subshell"));
    return staying(scope.places);
  }

  #between(open: string, close: string, scope: Scope): Ends {
    this.#expect(open);
    const ends = this.list(scope, [close]);
    this.#expect(close);
    return ends;
  }

  #if(scope: Scope): Ends {
    this.#expect("if");
    let places = scope.places;
    const all: Places[] = [];
    for (;;) {
      const condition = this.list(at(scope, places), ["then"]);
      this.#expect("then");
      all.push(after(this.list(at(scope, condition.ok), ["elif", "else", "fi"])));
      places = condition.failed;
      if (this.#take("elif")) continue;
      all.push(this.#take("else") ? after(this.list(at(scope, places), ["fi"])) : places);
      this.#expect("fi");
      return staying(either(...all));
    }
  }

  #while(word: string, scope: Scope): Ends {
    this.#expect(word);
    const condition = after(this.list(scope, ["do"]));
    return this.#loop(scope, either(condition, this.#do(at(scope, condition))));
  }

  #do(scope: Scope): Places {
    this.#expect("do");
    const ends = this.list(scope, ["done"]);
    this.#expect("done");
    return after(ends);
  }

  #loop(scope: Scope, places: Places): Ends {
    if (!same(places, scope.places)) throw new NotRead("A loop changes the directory.");
    return staying(scope.places);
  }

  #for(scope: Scope): Ends {
    this.#at += 1;
    const name = this.#next();
    if (name.kind !== "word" || !/^[A-Za-z_]\w*$/.test(name.text)) throw new NotRead("A loop has no plain variable.");
    if (!isOrdinaryVariable(name.text)) scope.gathering.problem(`A loop sets the variable ${name.text}.`);
    this.#newlines();
    let { bindings } = scope;
    if (this.#take("in")) {
      const start = this.#at;
      while (this.#peek()?.kind === "word") this.#at += 1;
      const words = this.#tokens.slice(start, this.#at);
      readInner(words, scope);
      bindings = bound(bindings, name.text, words, scope.source);
      if (this.#peek()?.kind !== "newline") this.#expect(";");
    } else if (this.#peek()?.text === ";") this.#at += 1;
    this.#newlines();
    return this.#loop(scope, either(scope.places, this.#do({ ...scope, bindings })));
  }

  #case(scope: Scope): Ends {
    this.#expect("case");
    readInner([this.#word()], scope);
    this.#newlines();
    this.#expect("in");
    const all: Places[] = [scope.places];
    for (;;) {
      this.#newlines();
      if (this.#take("esac")) return staying(either(...all));
      this.#take("(");
      do readInner([this.#word()], scope);
      while (this.#take("|"));
      this.#expect(")");
      const places = after(this.list(scope, [...CASE_ENDS, "esac"]));
      all.push(places);
      const end = this.#peek()?.text ?? "";
      if (!CASE_ENDS.has(end)) continue;
      this.#at += 1;
      if (end !== ";;" && !same(places, scope.places))
        throw new NotRead("A case changes the directory and falls through.");
    }
  }

  /** `[[ … ]]` runs nothing itself; the substitutions in its words do, and arithmetic on a word may. */
  #condition(scope: Scope): Ends {
    if (scope.dialect === "posix") throw new NotRead("Not every shell reads `[[` as bash does.");
    const start = this.#at;
    this.#expect("[[");
    while (this.#peek() !== undefined && this.#peek()?.text !== "]]") this.#at += 1;
    this.#expect("]]");
    const tokens = this.#tokens.slice(start, this.#at);
    refuseCondition(tokens);
    scope.marks.starts.add(tokens[0]?.start ?? 0);
    readInner(tokens, scope);
    const words = tokens.map(({ text, kind }) => (kind === "word" ? readWord(text) : { text, plain: true }));
    const text = scope.source.slice(tokens[0]?.start ?? 0, tokens.at(-1)?.end ?? 0);
    return runCommand({ words, assignments: [], redirects: [], text, via: scope.via }, scope);
  }

  #function(scope: Scope, keyword: boolean): Ends {
    if (keyword) this.#expect("function");
    const name = this.#word();
    if (this.#take("(")) this.#expect(")");
    this.#newlines();
    const inside = within(scope, `function ${name.text}`);
    scope.gathering.problem(`A function ${name.text} is defined: its name means something else from then on.`);
    const next = this.#peek()?.text ?? "";
    if (!["{", "(", "if", "while", "until", "for", "select", "case", "[["].includes(next))
      throw new NotRead("The body of a function is not a compound command.");
    this.#command(inside);
    return staying(scope.places);
  }

  #coprocess(scope: Scope): Ends {
    this.#expect("coproc");
    scope.gathering.problem("`coproc` starts a command beside the shell.");
    // Bash takes the first word for a name where a compound command follows.
    const second = this.#tokens[this.#at + 1];
    if (second !== undefined && ["{", "(", "if", "while", "until", "for", "case", "[["].includes(second.text))
      this.#at += 1;
    this.#command(within(scope, "coproc"));
    return staying(scope.places);
  }

  #word(): Token {
    const token = this.#next();
    if (token.kind !== "word") throw new NotRead(`\`${token.text.trim()}\` stands where a word is expected.`);
    return token;
  }

  #newlines(): void {
    while (this.#peek()?.kind === "newline") this.#at += 1;
  }

  #peek(): Token | undefined {
    return this.#tokens[this.#at];
  }

  #next(): Token {
    const token = this.#peek();
    if (token === undefined) throw new NotRead("The command ends too early.");
    this.#at += 1;
    return token;
  }

  #take(text: string): boolean {
    if (this.#peek()?.text !== text) return false;
    this.#at += 1;
    return true;
  }

  #expect(text: string): void {
    if (!this.#take(text)) throw new NotRead(`\`${text}\` is missing.`);
  }
}

/** Pass on lines of their input as they are. */
const PASSING = new Set(["head", "tail", "sort", "uniq", "cat"]);

/** The words of a simple command; of a filter without files, what it was fed by itself. */
function fedBy(tokens: readonly Token[], before: Scope["fed"]): Scope["fed"] {
  if (
    tokens.length === 0 ||
    tokens.some(({ kind, inner }) => kind === "operator" || kind === "newline" || inner.length > 0)
  )
    return null;
  const redirect = tokens.findIndex(({ kind }) => kind === "redirect" || kind === "here");
  const quiet = redirect !== -1 && tokens[redirect]?.text === "2>" && tokens[redirect + 1]?.text === "/dev/null";
  if (redirect !== -1 && !quiet) return null;
  const words = (redirect === -1 ? tokens : tokens.slice(0, redirect)).map(({ text }) => readWord(text));
  if (!PASSING.has(words[0]?.text ?? "")) return words;
  return words.slice(1).every(({ text, plain }) => plain && /^-[a-z]*\d*$|^\d+$/.test(text)) ? before : null;
}

/** What `[[` would evaluate as arithmetic or as a name, and what hides that it does. */
function refuseCondition(tokens: readonly Token[]): void {
  for (const [index, token] of tokens.entries()) {
    if (token.kind === "here" || token.kind === "duplicate") throw new NotRead("A redirect stands in `[[`.");
    if (token.kind === "redirect" && !/^[<>]$/.test(token.text)) throw new NotRead("A redirect stands in `[[`.");
    if (token.text === "-v" || token.text === "-R") throw new NotRead("`[[` evaluates a name.");
    if (index > 0 && /["'\\]/.test(token.text) && /^.?-/.test(token.text.replace(/["'\\]/g, "")))
      throw new NotRead("An operator of `[[` is quoted.");
    if (!/^-(?:eq|ne|lt|le|gt|ge)$/.test(token.text)) continue;
    const operands = [tokens[index - 1]?.text ?? "", tokens[index + 1]?.text ?? ""];
    if (!operands.every((operand) => /^-?\d+$/.test(operand)))
      throw new NotRead("`[[` evaluates a word as arithmetic.");
  }
}
