/** What a bash command line was read as. `readShell` makes it; rules are judged on it, and on nothing else of the text. */

export interface ShellWord {
  /** What bash would hand to the program, where that is known for sure; else the source text. */
  readonly text: string;
  /**
   * Known for sure: literal text and plain quotes only. No expansion, substitution, glob, brace, tilde, `$'…'`, escape, nor
   * anything else that bash would make something of.
   */
  readonly plain: boolean;
}

export interface ShellAssignment {
  readonly name: string;
  readonly value: ShellWord;
}

export interface ShellRedirect {
  /** As written: `>`, `>>`, `2>`, `&>`, `>|`, `<`, `<<<`, `2>&1`, `<>`. */
  readonly operator: string;
  readonly kind: "read" | "write" | "duplicate" | "here";
  /** Null for a duplicate and a here-document. */
  readonly target: ShellWord | null;
}

/** One command that would run: a program with its words. */
export interface SimpleCommand {
  /** The program first. Empty for assignments or redirects alone. */
  readonly words: readonly ShellWord[];
  readonly assignments: readonly ShellAssignment[];
  readonly redirects: readonly ShellRedirect[];
  /** Its source, for people. */
  readonly text: string;
  /** What it stands in, outermost first: `substitution`, `subshell`, `function f`, `xargs`, `bash -c`. */
  readonly via: readonly string[];
}

export interface ShellReading {
  /** Every command found, also where something else could not be read: deny rules are matched against them all the same. */
  readonly commands: readonly SimpleCommand[];
  /** Sentences. Not empty: not everything was understood, so nothing of it is allowed without asking. */
  readonly problems: readonly string[];
}
