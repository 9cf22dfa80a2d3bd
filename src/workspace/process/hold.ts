/**
 * The held start: a small script runs first, says that it is there, and waits on descriptor 3 for one word. When belay
 * dies, the descriptor ends and the command never runs. The script then stays as the command's parent, so that belay
 * learns the exit code before anything is ended.
 *
 * H1: nothing of the command runs before `release`.
 * H2: the command inherits no descriptor but 0, 1 and 2.
 */
import type { ChildProcess } from "node:child_process";
import type { Duplex } from "node:stream";

/** A line on the control channel is a word and at most two numbers; anything longer is not ours. */
const LINE_BYTES_MAX = 256;
/** What the script exits with when belay went away before the release. */
export const NEVER_RELEASED = 125;

/**
 * Signals are caught, not ignored, so that a script's `kill 0` does not take its supervisor along and the command still
 * gets the defaults. Descriptors that belay itself was born with would be inherited: the loop closes them.
 */
const supervise = (before: string): string => `
trap : TERM INT HUP QUIT USR1 USR2 ALRM
for f in /proc/self/fd/*; do
  f=\${f##*/}
  case $f in [0-3]|'*') ;; *) eval "exec $f>&-" 2>/dev/null ;; esac
done
${before}
echo held >&3
IFS= read -r go <&3 && [ "$go" = go ] || exit ${String(NEVER_RELEASED)}
`;

/** Inside a namespace: belay ends the namespace when it has read the end. @param before what is done before it is held */
export function holdInNamespace(before: string): string {
  return `${supervise(before)}
"$@" 2>&1 3>&-
echo "end $?" >&3
IFS= read -r go <&3
`;
}

/** Without one: a watch ends the process group when belay dies. A child that left the group escapes it. */
export const HOLD_IN_GROUP = `${supervise("")}
( trap '' TERM INT HUP QUIT USR1 USR2 ALRM; IFS= read -r go <&3; kill -KILL 0 ) >/dev/null 2>&1 &
watch=$!
echo "watch $watch" >&3
"$@" 2>&1 3>&-
echo "end $?" >&3
until wait "$watch" || ! kill -0 "$watch"; do :; done 2>/dev/null
`;

export class HeldStart {
  /** Resolves true when the script waits, false when it ended before that. */
  readonly held: Promise<boolean>;
  /** The exit code as the script saw it; null when it ended without saying. */
  readonly finished: Promise<number | null>;
  /** The watch's pid, in mode none. */
  watch: number | null = null;
  readonly #channel: Duplex;
  #text = "";

  constructor(child: ChildProcess) {
    this.#channel = child.stdio[3] as Duplex; // started with a pipe there, by both shells
    const held = Promise.withResolvers<boolean>();
    const finished = Promise.withResolvers<number | null>();
    this.held = held.promise;
    this.finished = finished.promise;
    const end = (): void => {
      held.resolve(false);
      finished.resolve(null);
    };
    this.#channel.on("data", (chunk: Buffer) => {
      this.#read(chunk, (word, number) => {
        if (word === "held") held.resolve(true);
        if (word === "watch") this.watch = number;
        if (word === "end") finished.resolve(number);
      });
    });
    // A reset means that the other side is gone, as an end does; the exit event tells why.
    this.#channel.on("error", end);
    this.#channel.on("close", end);
    child.on("exit", end);
  }

  release(): void {
    this.#channel.write("go\n");
  }

  #read(chunk: Buffer, take: (word: string, number: number) => void): void {
    const lines = (this.#text + chunk.toString("latin1")).split("\n");
    this.#text = (lines.pop() ?? "").slice(0, LINE_BYTES_MAX);
    for (const line of lines) {
      const [word = "", number = "0"] = line.split(" ");
      take(word, Number(number));
    }
  }
}
