/**
 * Finds many literals in a text at once, in one pass, whatever their number: an automaton over all of them (Aho and Corasick).
 *
 * F1: one step per character; every occurrence is told, overlapping ones too.
 * F2: it may tell of more (letters in another case, characters that share their low byte with a letter): whoever is told looks.
 */

export interface LiteralFinder {
  /** @param found the index of a literal, and where it may begin */
  find(text: string, found: (literal: number, start: number) => void): void;
}

/** Characters are told apart by so many values; what is not ASCII is mostly none of them. */
const CODES = 256;

/** @param literals of ASCII characters, not empty */
export function literalFinder(literals: readonly string[]): LiteralFinder {
  const small = literals.map((literal) => literal.toLowerCase());
  const { classOf, classes } = classesOf(small);
  const { steps, ends } = automatonOf(trieOf(small, classOf, classes), small.length, classes);

  return {
    find(text, found) {
      let row = 0;
      for (let i = 0; i < text.length; i++) {
        const code = text.charCodeAt(i) & (CODES - 1);
        // the tables have a step for every row and class: never undefined, and a check would cost half of the time
        row = steps[row + (classOf[code] as number)] as number;
        if (row >= 0) continue;
        row = ~row;
        for (const literal of ends[row / classes] ?? []) found(literal, i + 1 - (small[literal]?.length ?? 0));
      }
    },
  };
}

/** Characters that occur in no literal are all the same: class 0. */
function classesOf(literals: readonly string[]): { readonly classOf: Uint8Array; readonly classes: number } {
  const classOf = new Uint8Array(CODES);
  let classes = 1;
  for (const character of new Set(literals.join(""))) {
    classOf[character.charCodeAt(0)] = classes;
    classOf[character.toUpperCase().charCodeAt(0)] = classes;
    classes += 1;
  }
  return { classOf, classes };
}

interface Trie {
  /** Of each state and class: the state after it; 0 where there is none. */
  readonly next: Uint16Array;
  readonly states: number;
  /** Of each literal: its last state. */
  readonly last: readonly number[];
}

function trieOf(literals: readonly string[], classOf: Uint8Array, classes: number): Trie {
  const next = new Uint16Array((literals.join("").length + 1) * classes);
  let states = 1;
  const last = literals.map((literal) => {
    let state = 0;
    for (let i = 0; i < literal.length; i++) {
      const at = state * classes + (classOf[literal.charCodeAt(i)] ?? 0);
      if (next[at] === 0) next[at] = states++;
      state = next[at] ?? 0;
    }
    return state;
  });
  return { next, states, last };
}

interface Automaton {
  /** Of each state's row and each class: the row of the state after it; its complement where literals end. */
  readonly steps: Int32Array;
  /** Of each state: the literals that end there. */
  readonly ends: readonly (readonly number[])[];
}

/** Fills in where to go on when a literal breaks off: at the longest end of what was read that begins another one. */
function automatonOf({ next, states, last }: Trie, literals: number, classes: number): Automaton {
  const ends: number[][] = Array.from({ length: states }, () => []);
  for (let literal = 0; literal < literals; literal++) ends[last[literal] ?? 0]?.push(literal);
  const fallback = new Uint16Array(states);
  const queue: number[] = [0];
  for (const state of queue) {
    const back = fallback[state] ?? 0;
    if (state !== 0) ends[state]?.push(...(ends[back] ?? []));
    for (let c = 0; c < classes; c++) {
      const at = state * classes + c;
      const to = next[at] ?? 0;
      const instead = state === 0 ? 0 : (next[back * classes + c] ?? 0);
      if (to === 0) next[at] = instead;
      else {
        fallback[to] = instead;
        queue.push(to);
      }
    }
  }
  const steps = Int32Array.from(next.subarray(0, states * classes), (state) =>
    ends[state]?.length === 0 ? state * classes : ~(state * classes),
  );
  return { steps, ends };
}
