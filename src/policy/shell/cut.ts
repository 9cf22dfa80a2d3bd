/**
 * A command line cut into words and operators as bash's own lexer does it, for the part of the language that belay reads. It
 * exists beside the grammar because tree-sitter-bash cuts some words elsewhere than bash (`{echo`, `a\` + newline, `\ `,
 * `> f a b`): the two must agree.
 *
 * C1. What it does not know throws `NotRead`; nothing is skipped but blanks, comments and text in single quotes.
 * C2. Every command inside of a word (`$(…)`, backticks, `<(…)`) is in that word's `inner`.
 */
import { NotRead } from "./not-read.ts";

/** Levels of substitution inside of each other. */
const NESTING_MAX = 30;

export interface Inner {
  readonly label: "substitution" | "process substitution";
  readonly tokens: readonly Token[];
  /** Offset behind it. */
  readonly end: number;
}

export interface Token {
  readonly kind: "word" | "operator" | "redirect" | "duplicate" | "here" | "newline";
  readonly start: number;
  readonly end: number;
  readonly text: string;
  readonly inner: readonly Inner[];
}

interface HereDocument {
  readonly delimiter: string;
  readonly quoted: boolean;
  readonly tabs: boolean;
  readonly inner: Inner[];
}

export function cut(text: string): readonly Token[] {
  return new Cutter(text).level("text");
}

const META = new Set([" ", "\t", "\n", ";", "&", "|", "(", ")"]);
const OPERATOR = /;;&|;&|;;|;|&&|\|\||\|&|\||&(?!>)/y;
const REDIRECT = /\d{0,3}(?:<<<|<<-|<<|<&|<>|>>|>&|>\||<(?!\()|>(?!\())|&>>|&>/y;
const DUPLICATED = /[ \t]*(?:\d{1,3}|-)(?=[\s;&|()]|$)/y;
const DIGIT_OR_DASH = /[ \t]*[\d-]/y;
const DELIMITER = /[ \t]*(?:([A-Za-z_]\w*)|'([A-Za-z_]\w*)'|"([A-Za-z_]\w*)")(?=[\s;&|<>()]|$)/y;
const COUNTING = /\$\(\([ 0-9+*/%-]+\)\)/y;
const VARIABLE = /\$(?:[A-Za-z_]\w*|[0-9](?!\d)|[@*#?$!-])/y;
const PARAMETER = /\$\{(?:#?[A-Za-z_]\w*(?:\[[@*]\])?|[0-9@*#?])\}/y;
const PARAMETER_WITH_WORD = /\$\{(?:[A-Za-z_]\w*|[0-9@*])(?::?[-+?]|##?|%%?)/y;
const PARAMETER_WORD = /[A-Za-z0-9_ ./:,@%+=*?-]/;
/** Full-width and Greek doubles of operators: a person reads one, bash does not. Between quotes they are text. */
const LOOKS_LIKE_OPERATOR =
  /[\uff1b\uff06\uff5c\uff1c\uff1e\uff04\uff40\uff08\uff09\uff5b\uff5d\uff02\uff07\uff3c\u037e\ufe54\ufe64\ufe65\ufe60\ufe68]/;
const FUNCTION_PARENTHESES = /\([ \t]*\)/y;

class Cutter {
  readonly #text: string;
  #at = 0;
  #limit: number;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
    this.#limit = text.length;
  }

  level(where: "text" | "parentheses" | "backticks"): readonly Token[] {
    this.#depth += 1;
    if (this.#depth > NESTING_MAX) throw new NotRead(`Substitutions are nested deeper than ${NESTING_MAX} levels.`);
    const tokens: Token[] = [];
    const waiting: HereDocument[] = [];
    let open = 0;
    for (;;) {
      if (this.#at >= this.#limit) {
        if (where === "parentheses") throw new NotRead("A substitution is not closed.");
        break;
      }
      const start = this.#at;
      const character = this.#text[start];
      if (character === " " || character === "\t") this.#at += 1;
      else if (character === "\\" && this.#text[start + 1] === "\n") this.#continueLine();
      else if (character === "#") this.#comment(where);
      else if (character === "\n") {
        this.#at += 1;
        tokens.push(this.#token("newline", start));
        for (const document of waiting.splice(0)) this.#body(document, where);
      } else if (character === ")") {
        this.#at += 1;
        if (where === "parentheses" && open === 0) break;
        open -= 1;
        tokens.push(this.#token("operator", start));
      } else if (character === "(") {
        this.#parenthesis(tokens.at(-1));
        open += 1;
        tokens.push(this.#token("operator", start));
      } else if (this.#match(OPERATOR) !== null) tokens.push(this.#token("operator", start));
      else if (this.#match(REDIRECT) !== null) tokens.push(this.#redirect(start, waiting, where));
      else tokens.push(this.#word(where, waiting.length > 0));
    }
    if (waiting.length > 0) throw new NotRead("A here-document has no end.");
    this.#depth -= 1;
    return tokens;
  }

  /** Between blanks a continued line is a blank; within a word bash joins the two halves, and the grammar does not. */
  #continueLine(): void {
    const before = this.#text[this.#at - 1];
    if (before !== undefined && before !== " " && before !== "\t" && before !== "\n")
      throw new NotRead("A backslash joins a word with the next line.");
    this.#at += 2;
  }

  #comment(where: string): void {
    if (where !== "text") throw new NotRead("A comment stands in a substitution.");
    const end = this.#text.indexOf("\n", this.#at);
    this.#at = end === -1 ? this.#limit : end;
  }

  #parenthesis(before: Token | undefined): void {
    if (this.#text[this.#at + 1] === "(") throw new NotRead("`((` is not read.");
    if (before !== undefined && before.end === this.#at && before.kind !== "operator") {
      // `f()` defines a function; `a=(…)`, `@(…)` and the rest are not read.
      if (!/^[A-Za-z_][\w-]*$/.test(before.text) || this.#look(FUNCTION_PARENTHESES) === null)
        throw new NotRead("A parenthesis follows a word without a blank: an array or a pattern.");
    }
    this.#at += 1;
  }

  #redirect(start: number, waiting: HereDocument[], where: string): Token {
    const operator = this.#text.slice(start, this.#at);
    if (operator.endsWith(">&") || operator.endsWith("<&")) {
      if (this.#match(DUPLICATED) !== null) return this.#token("duplicate", start);
      if (operator !== ">&" || this.#look(DIGIT_OR_DASH) !== null)
        throw new NotRead(`The redirect ${operator} is not read.`);
    }
    if (!/^\d*<<-?$/.test(operator)) return this.#token("redirect", start);
    if (where === "backticks") throw new NotRead("A here-document stands in backticks.");
    const delimiter = this.#match(DELIMITER);
    if (delimiter === null) throw new NotRead("The end mark of a here-document is not a plain name.");
    const inner: Inner[] = [];
    waiting.push({
      delimiter: delimiter[1] ?? delimiter[2] ?? delimiter[3] ?? "",
      quoted: delimiter[1] === undefined,
      tabs: operator.endsWith("-"),
      inner,
    });
    return { ...this.#token("here", start), text: operator, inner };
  }

  #body(document: HereDocument, where: string): void {
    const start = this.#at;
    for (;;) {
      if (this.#at >= this.#limit) throw new NotRead("A here-document has no end.");
      const newline = this.#text.indexOf("\n", this.#at);
      const end = newline === -1 ? this.#limit : newline;
      const line = this.#text.slice(this.#at, end);
      const bare = document.tabs ? line.replace(/^\t+/, "") : line;
      if (bare === document.delimiter) {
        if (!document.quoted) this.#expandBody(start, this.#at, document.inner);
        // The newline after the end mark ends nothing: the one that began the body has ended the command.
        this.#at = newline === -1 ? end : end + 1;
        return;
      }
      // In `$(…)` bash takes `EOF)` for the end as well.
      if (where !== "text" && bare.startsWith(document.delimiter))
        throw new NotRead("A line of a here-document begins with its end mark.");
      this.#at = newline === -1 ? end : end + 1;
    }
  }

  #expandBody(start: number, end: number, inner: Inner[]): void {
    const limit = this.#limit;
    const after = this.#at;
    this.#limit = end;
    this.#at = start;
    while (this.#at < end) {
      const character = this.#text[this.#at];
      if (character === "\\") throw new NotRead("A here-document that is expanded holds a backslash.");
      if (character === "$") this.#dollar(true, inner);
      else if (character === "`") this.#backticks(inner);
      else this.#at += 1;
    }
    this.#limit = limit;
    this.#at = after;
  }

  #word(where: string, waiting: boolean): Token {
    const start = this.#at;
    const inner: Inner[] = [];
    while (this.#at < this.#limit) {
      const character = this.#text[this.#at] ?? "";
      if (META.has(character)) break;
      if (character === "<" || character === ">") {
        if (this.#text[this.#at + 1] !== "(") break;
        if (this.#at !== start) throw new NotRead("A process substitution stands within a word.");
        this.#nested("process substitution", inner);
      } else if (character === "\\") this.#escape();
      else if (character === "'") this.#to("'", this.#at + 1);
      else if (character === '"') this.#doubleQuotes(inner);
      else if (character === "$") this.#dollar(false, inner);
      else if (character === "`") this.#backticks(inner);
      else if (LOOKS_LIKE_OPERATOR.test(character)) throw new NotRead("A letter looks like an operator of the shell.");
      else this.#at += 1;
    }
    const token = { ...this.#token("word", start), inner };
    this.#refuseWord(token.text, where, waiting);
    return token;
  }

  #refuseWord(word: string, where: string, waiting: boolean): void {
    const next = this.#at < this.#limit ? this.#text[this.#at] : undefined;
    // More digits than a descriptor has are a word to bash, or are not.
    if ((next === "<" || next === ">") && /^(?:\{\w+\}|\d+)$/.test(word))
      throw new NotRead("A redirect opens a file under the name of a variable, or under a high number.");
    // The closing parenthesis of a substitution would be sought among the patterns.
    if (where !== "text" && (word === "case" || word === "esac")) throw new NotRead("`case` stands in a substitution.");
    if (waiting && word.includes("\n")) throw new NotRead("A word goes on over the line of a here-document.");
  }

  #escape(): void {
    if (this.#at + 1 >= this.#limit) throw new NotRead("The command ends with a backslash.");
    if (this.#text[this.#at + 1] === "\n") throw new NotRead("A backslash joins a word with the next line.");
    this.#at += 2;
  }

  /** Moves behind the next `quote`. */
  #to(quote: string, from: number): void {
    const end = this.#text.indexOf(quote, from);
    if (end === -1 || end >= this.#limit) throw new NotRead("A quote is not closed.");
    this.#at = end + 1;
  }

  #doubleQuotes(inner: Inner[]): void {
    this.#at += 1;
    while (this.#at < this.#limit) {
      const character = this.#text[this.#at];
      if (character === '"') {
        this.#at += 1;
        return;
      }
      if (character === "\\") this.#at += 2;
      else if (character === "$") this.#dollar(true, inner);
      else if (character === "`") this.#backticks(inner);
      else this.#at += 1;
    }
    throw new NotRead("A quote is not closed.");
  }

  #dollar(quoted: boolean, inner: Inner[]): void {
    const next = this.#text[this.#at + 1];
    if (next === "(" && this.#text[this.#at + 2] === "(") {
      // The value of a variable, and what a substitution prints, would be evaluated, and `a[$(…)]` in it runs.
      if (this.#match(COUNTING) === null) throw new NotRead("Arithmetic with more than numbers is not read.");
    } else if (next === "(") this.#nested("substitution", inner);
    else if (next === "{") this.#parameter(inner);
    else if (this.#match(VARIABLE) !== null) return;
    else if (!quoted && next === "'") this.#ansiQuotes();
    else if (!quoted && next === '"') {
      this.#at += 1;
      this.#doubleQuotes(inner);
    } else if (
      this.#at + 1 >= this.#limit ||
      /[\s]/.test(next ?? "") ||
      (quoted && /["|).,:;/%^=+~\]}&<>']/.test(next ?? ""))
    )
      this.#at += 1;
    else throw new NotRead("A dollar sign stands before something that is not a variable.");
  }

  #nested(label: Inner["label"], inner: Inner[]): void {
    this.#at += 2;
    const tokens = this.level("parentheses");
    inner.push({ label, tokens, end: this.#at });
  }

  #ansiQuotes(): void {
    this.#at += 2;
    while (this.#at < this.#limit) {
      const character = this.#text[this.#at];
      this.#at += character === "\\" ? 2 : 1;
      if (character === "'") return;
    }
    throw new NotRead("A quote is not closed.");
  }

  #parameter(inner: Inner[]): void {
    if (this.#match(PARAMETER) !== null) return;
    if (this.#match(PARAMETER_WITH_WORD) === null)
      throw new NotRead("An expansion of a variable is of a kind that is not read.");
    while (this.#at < this.#limit) {
      const character = this.#text[this.#at] ?? "";
      if (character === "}") {
        this.#at += 1;
        return;
      }
      if (character === "$") this.#dollar(true, inner);
      else if (PARAMETER_WORD.test(character)) this.#at += 1;
      else throw new NotRead("The word in an expansion of a variable is not read.");
    }
    throw new NotRead("An expansion of a variable is not closed.");
  }

  #backticks(inner: Inner[]): void {
    const start = this.#at;
    this.#to("`", start + 1);
    const after = this.#at;
    if (this.#text.slice(start, after).includes("\\")) throw new NotRead("Backticks hold a backslash.");
    const limit = this.#limit;
    this.#limit = after - 1;
    this.#at = start + 1;
    inner.push({ label: "substitution", tokens: this.level("backticks"), end: after });
    this.#limit = limit;
    this.#at = after;
  }

  #token(kind: Token["kind"], start: number): Token {
    return { kind, start, end: this.#at, text: this.#text.slice(start, this.#at), inner: [] };
  }

  #look(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at;
    return pattern.exec(this.#text);
  }

  /** Moves behind what `pattern` matches here, if it does and stays within the limit. */
  #match(pattern: RegExp): RegExpExecArray | null {
    const found = this.#look(pattern);
    if (found === null || pattern.lastIndex > this.#limit) return null;
    this.#at = pattern.lastIndex;
    return found;
  }
}
