/** What a program would do with its words, as far as its options are known: allow lists of options, never deny lists. */
import type { ShellWord } from "./reading.ts";

export interface PathUse {
  /** As written; relative ones are relative to where the command runs. */
  readonly path: string;
  readonly access: "read" | "write";
  /** False: `path` is source text that bash makes something of (`$X`, `*.ts`, `~/x`), so it may name anything. */
  readonly plain: boolean;
}

/** Every option is on the program's list. */
export interface KnownProgram {
  readonly kind: "known";
  /**
   * What it does itself, apart from `runs`. `read` changes nothing and starts nothing, whatever its operands are; `write`
   * changes files, the ones that `paths` names; `execute` is everything else: it starts programs, uses the network or changes
   * what cannot be named.
   */
  readonly effect: "read" | "write" | "execute";
  /** Every file operand and every option's file. A directory stands for all that is in it. */
  readonly paths: readonly PathUse[];
  /** Commands that it would run itself (`find -exec`, `xargs`): each is judged as well. */
  readonly runs: readonly (readonly ShellWord[])[];
  /** It speaks to other machines. */
  readonly network: boolean;
  /** Where the commands after it run (`cd`); null where it stays. */
  readonly moves_to: PathUse | null;
}

export type ProgramReading =
  | KnownProgram
  /** The program has a list and this word is not on it: no allow rule covers it, it is asked about. */
  | {
      readonly kind: "not_listed";
      readonly word: string;
      readonly reason: string;
      /**
       * What it would do, where the word is understood all the same (`sed -i`, `sort -o`): for deny rules, for people, and for a
       * mode that accepts edits. Null where not everything is understood.
       */
      readonly understood: KnownProgram | null;
    }
  /** There is no list for this program: rules match its words. */
  | { readonly kind: "no_list" };
