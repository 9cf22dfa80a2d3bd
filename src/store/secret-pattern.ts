/**
 * What a secret looks like when nobody named it. A pattern is here when its form is unmistakable (`secret-form.ts`), or when a
 * telling name or place is given a value that no person would write as prose or code (`secret-assignment.ts`). Too eager is a
 * fault too: code must stay code.
 *
 * P1: every match holds one of the pattern's anchors at a fixed place. So one pass over a text finds all places where an
 *     expression has to be tried, and a text without anchors costs that pass only.
 * P2: an expression that is tried does bounded work, or work bounded by the run of characters that it then consumes.
 */
export interface SecretPattern {
  /** Stands in the token. */
  readonly name: string;
  /** Literals; their case is the expression's to judge. */
  readonly anchors: readonly string[];
  /** How many characters of a match stand before the anchor. Absent: 0. */
  readonly offset?: number;
  /** Sticky. The secret is the capture `secret` at the end of the match, or the whole match. */
  readonly pattern: RegExp;
  /** Looks at the secret once more. Absent: the form is proof enough. */
  readonly accept?: (secret: string) => boolean;
  /** Guessed from its place: a secret of a known form within it is the better guess. */
  readonly guessed?: true;
  /** Line ends that a match may go over before its secret begins. Absent: 1. */
  readonly lines?: number;
  /** Goes over any number of lines, up to this mark. */
  readonly until?: string;
}

/** No pattern finds more, so what began further back is settled. Characters. */
export const MATCH_CHARS_MAX = 24_000;
