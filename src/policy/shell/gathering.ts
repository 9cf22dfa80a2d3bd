/** What one reading has found so far, over all the texts inside of each other that it is made of. */
import assert from "node:assert/strict";
import type { ShellWord, SimpleCommand } from "./reading.ts";
import { type Places, UNTOLD } from "./places.ts";

/** A command with the directories in which it may run, absolute. */
export interface PlacedCommand extends SimpleCommand {
  readonly directories: readonly string[];
  /** It does nothing but to run other commands, which are listed behind it: `timeout 5 ls`, `bash -c '…'`, not `sudo`. */
  readonly transparent: boolean;
  /** The words of the command whose output it reads; null where they are not known. */
  readonly fed: readonly ShellWord[] | null;
}

export class Gathering {
  readonly #commands: PlacedCommand[] = [];
  readonly #problems = new Set<string>();
  readonly #told: boolean;
  #hushed = false;

  /** @param told whether the places are real ones */
  constructor(told: boolean) {
    this.#told = told;
  }

  add(command: SimpleCommand, places: Places, transparent = false, fed: PlacedCommand["fed"] = null): void {
    this.#commands.push({ ...command, directories: places, transparent, fed });
    if (!this.#told && places.some((place) => place !== UNTOLD))
      this.problem("A command runs in another directory than the one that was asked about.");
  }

  problem(sentence: string): void {
    if (!this.#hushed) this.#problems.add(sentence);
  }

  /** While `read` runs, commands are added and problems are not: what is only guessed has its problem already. */
  hush(read: () => void): void {
    assert(this.#problems.size > 0, "invariant R2: what is guessed stands beside a problem");
    this.#hushed = true;
    try {
      read();
    } finally {
      this.#hushed = false;
    }
  }

  get commands(): readonly PlacedCommand[] {
    return this.#commands;
  }

  get problems(): readonly string[] {
    return [...this.#problems];
  }
}
