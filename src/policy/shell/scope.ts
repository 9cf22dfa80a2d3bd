/** Where in a reading one is: handed down, never changed. */
import type { Bindings } from "./bindings.ts";
import type { Gathering } from "./gathering.ts";
import type { Ends, Places } from "./places.ts";
import type { ShellWord } from "./reading.ts";
import type { Dialect } from "./wrappers.ts";

export interface Scope {
  readonly gathering: Gathering;
  readonly source: string;
  readonly via: readonly string[];
  readonly places: Places;
  readonly dialect: Dialect;
  readonly bindings: Bindings;
  /** The words of the command whose output the next one reads; null where they are not known. */
  readonly fed: readonly ShellWord[] | null;
  /** Commands inside of commands: texts and wrappers. */
  readonly depth: number;
  /** Offsets in `source`, to be compared with the grammar's. */
  readonly marks: Marks;
  /** Reads a text that a command of this one runs. */
  readonly readText: (text: string, scope: Scope) => Ends;
}

export interface Marks {
  /** Where commands begin. */
  readonly starts: Set<number>;
  /** Where commands behind `time` begin: words of a program `time` to the grammar. */
  readonly timed: Set<number>;
  /** `start:end` of words. */
  readonly words: Set<string>;
}

export function within(scope: Scope, label: string, places: Places = scope.places): Scope {
  return { ...scope, via: [...scope.via, label], places };
}

export function at(scope: Scope, places: Places): Scope {
  return { ...scope, places };
}
